"""The tab on which questions are asked, and what happens between its components."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import gradio as gr
from starlette.datastructures import QueryParams

from qa.answering import DEFAULT_K, THRESHOLDS, Strictness, worth_reading
from qa.datatypes import Answer, Passage
from qa.errors import QAError
from qa.export import FORMATS
from qa.followup import ask_after
from qa.index import chosen_documents
from qa.page.components import QUIETLY, Beside, file_html, saving, script
from qa.page.examples import MAX_EXAMPLES, Examples
from qa.page.parts import Options, Turn, busy_html, conversation_html, message_html
from qa.page.service import Service
from qa.page.source import Place
from qa.question import clean_question
from qa.text import shown_name

log = logging.getLogger(__name__)

FAILED = "Something failed while answering; the terminal shows what. Ask again, or start the program anew."

ASKING = "asking"
"""What all events that ask a question are queued under, so that they wait for each other."""

AT_ONCE = 2
"""Questions answered at the same time; more would only take turns on the processor's cores."""

MAX_TURNS = 30
"""Answers kept on the page: an afternoon's; older ones have been exported or can be asked again."""

MAX_K = 20
"""Passages that can be read: reading takes longer with each, and what comes after the first eight seldom answers."""

STOPPABLE: dict[str, Any] = {"submit_btn": False, "stop_btn": "Stop"}
"""The question box while a question is answered."""

LOOKED_AGAIN = 0.2
"""Seconds after which it is looked again whether more examples have been found."""

_REMEMBER = """(link) => { history.replaceState(null, "", link || location.pathname); }"""
"""Makes the page's address the link that asks the same question again."""


def ask_tab(blocks: gr.Blocks, tab: gr.Tab, service: Service) -> None:
    """Question, answers and the document beside them."""
    pipeline = service.pipeline
    examples = Examples(pipeline)
    source = Beside(service, "Ask the question again.", markable=True)

    def shown(turns: tuple[Turn, ...]) -> str:
        return conversation_html(turns, source.document)

    def asked(question: str, options: Options, turns: tuple[Turn, ...], alone: bool = False) -> Iterator[list[Any]]:
        """The answers, the source, all turns, the link and the question box: first while reading, then after it."""
        question = question.strip()
        waiting = gr.Textbox(**STOPPABLE)
        ready = gr.Textbox("", submit_btn="Ask", stop_btn=False)
        kept = gr.Textbox(submit_btn="Ask", stop_btn=False)
        yield [busy_html(question, "Searching the documents…"), gr.skip(), turns, gr.skip(), waiting]
        try:
            documents = chosen_documents(
                pipeline.manifest, options.documents, options.since or None, options.until or None
            )
            cleaned = clean_question(question)
            answerer = pipeline.answerer(options.strictness, options.k, documents)
            candidates = answerer.retrieve(cleaned)
            read = worth_reading(candidates)
            held = len({candidate.passage.document for candidate in read})
            reading = f"Reading {_counted(len(read), 'passage')} of {_counted(held, 'document')}…"
            yield [busy_html(question, reading), gr.skip(), turns, gr.skip(), waiting]
            before = turns[-1].answer if turns and not alone else None

            def answered(asked: str, carried: tuple[Passage, ...]) -> Answer:
                return answerer.ask(asked, carried, candidates if asked == cleaned and not carried else None)

            answer = ask_after(answered, cleaned, before)
            new = Turn(answer, options)
            held_turns = (*turns[-MAX_TURNS + 1 :], new)
            if answer.reason == "empty_question":  # shown, but nothing to go back to
                yield [shown(held_turns), "", turns, "", kept]
                return
            turns = held_turns
            yield [shown(turns), gr.skip() if answer.citations else "", turns, new.link, ready]
            if answer.citations:  # a page of a PDF may take a moment: the answer is there before it
                best = source.html(Place.of_citation(answer.citations[0]), clicked=False)
                yield [gr.skip(), best, turns, new.link, gr.skip()]
        except QAError as error:
            yield [message_html(str(error)), "", turns, "", kept]
        except Exception:
            log.exception("A question could not be answered.")
            yield [message_html(FAILED), "", turns, "", kept]

    def queued(question: str) -> list[Any]:
        """What is shown until a question's turn has come, which may take seconds where many ask."""
        return [busy_html(question.strip(), "Waiting for its turn…"), gr.Textbox(question, **STOPPABLE)]

    def queued_link(request: gr.Request) -> list[Any]:
        question = str(request.query_params.get("q", ""))
        return queued(question) if question else [gr.skip(), gr.skip()]

    def ask(
        question: str,
        documents: list[str] | None,
        since: str | None,
        until: str | None,
        strictness: Strictness,
        k: int,
        turns: tuple[Turn, ...],
    ) -> Iterator[list[Any]]:
        options = Options(tuple(documents or ()), (since or "").strip(), (until or "").strip(), strictness, int(k))
        yield from asked(question, options, turns)

    def linked(request: gr.Request) -> Iterator[list[Any]]:
        """The answer to the question in the page's address, if there is one, asked as the address says."""
        question = str(request.query_params.get("q", ""))
        if not question:
            yield [gr.skip()] * 10  # whoever types already is not disturbed
            return
        options = _options_of(request.query_params)
        fields = [list(options.documents), options.since, options.until, options.strictness, options.k]
        for found in asked(question, options, ()):
            yield [*found, *fields]

    def queued_again(event: gr.EventData, turns: tuple[Turn, ...]) -> list[Any]:
        """A question of an earlier turn, spelt as the documents do or as it was; none of a turn that is not kept."""
        turn = _turn(event, turns)
        if turn is None:
            return [gr.skip(), gr.skip(), None]
        question = (turn.answer.respelt if event._data.get("respelt") else None) or turn.answer.question
        return [*queued(question), (question, turn.options)]

    def asked_again(given: tuple[str, Options] | None, turns: tuple[Turn, ...]) -> Iterator[list[Any]]:
        """The answer to it, without what it leant on."""
        if given is not None:
            yield from asked(*given, turns, alone=True)

    def stopped(turns: tuple[Turn, ...]) -> list[Any]:
        """What is shown after a question was stopped; what was typed stays."""
        return [shown(turns), gr.Textbox(submit_btn="Ask", stop_btn=False)]

    def judged(event: gr.EventData, turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
        """Keep, or take back, what a person says of an answer."""
        turn, verdict = _turn(event, turns), event._data.get("verdict")
        if turn is None or verdict not in ("right", "wrong"):
            return turns
        try:
            if turn.judged == verdict:
                service.judgements.undo(turn.question)
                verdict = ""
                gr.Info("Taken back.")
            else:
                if turn.judged:  # another word on the same answer, so that taking it back leaves none
                    service.judgements.undo(turn.question)
                (service.judgements.right if verdict == "right" else service.judgements.wrong)(turn.answer)
                gr.Info(f"Kept as an example in {service.judgements.path.name}, on this machine only.")
        except QAError as error:
            gr.Warning(str(error))
            return turns
        return tuple(dataclasses.replace(t, judged=verdict) if t is turn else t for t in turns)

    def located(event: gr.EventData, turns: tuple[Turn, ...]) -> None:
        """Keep where in a document the right answer to the newest question stands."""
        if not turns:
            return
        question = turns[-1].question
        try:
            data = event._data
            place = Place.from_json({"answer_start": data["start"], "answer_end": data["end"], **data})
            service.judgements.located(question, place.document, place.sha256, place.start, place.end)
            gr.Info(f"Kept as the right answer to “{question}” in {service.judgements.path.name}.")
        except (QAError, KeyError, TypeError) as error:
            gr.Warning(str(error))

    def saved(name: str, turns: tuple[Turn, ...]) -> str:
        file, write = FORMATS[name]
        return file_html(file, write([turn.answer for turn in turns]))

    def choices() -> Any:
        """The documents there are now, to choose from."""
        return gr.Dropdown(choices=[(f"{d.title} ({d.id})", d.id) for d in pipeline.manifest.documents])

    def told() -> Any:
        """A word to whoever has no documents yet."""
        try:
            return gr.HTML(visible=not pipeline.manifest.documents)
        except QAError:  # the next question tells
            return gr.skip()

    def suggested() -> Iterator[list[Any]]:
        """The example questions of the documents there are now, each as soon as it has been found."""
        ended, on_page = False, -1
        while not ended:
            try:
                found, ended = examples.now()
            except QAError:  # the next question tells
                found, ended = (), True
            if len(found) != on_page:
                on_page = len(found)
                hidden = [gr.Button(visible=False)] * (MAX_EXAMPLES - on_page)
                yield [*(gr.Button(question, visible=True) for question in found), *hidden]
            if not ended:
                time.sleep(LOOKED_AGAIN)

    with gr.Column(elem_id="ask"):
        question = gr.Textbox(
            label="Your question",
            show_label=False,
            placeholder="Ask the documents a question",
            autofocus=True,
            lines=1,
            max_lines=4,
            submit_btn="Ask",
            elem_id="question",
        )
        with gr.Accordion("Which documents, and how sure", open=False, elem_id="options"):
            with gr.Row():
                documents = gr.Dropdown(
                    label="Only these documents", multiselect=True, choices=[], info="All of them when none is chosen."
                )
                since = gr.Textbox(label="Dated from", placeholder="2011, 2011-06 or 2011-06-23", max_lines=1)
                until = gr.Textbox(label="Dated until", placeholder="2011, 2011-06 or 2011-06-23", max_lines=1)
            with gr.Row():
                strictness = gr.Radio(
                    list(THRESHOLDS),
                    value="normal",
                    label="How sure an answer must be",
                    info=", ".join(f"{name} from {least:.0%}" for name, least in THRESHOLDS.items()) + ".",
                )
                k = gr.Slider(1, MAX_K, DEFAULT_K, step=1, label="Passages read at most")
    nothing = gr.HTML(_no_documents_html(service), visible=False, elem_id="nothing", apply_default_css=False)
    with gr.Row(elem_id="examples"):
        suggestions = [gr.Button(size="sm", min_width=0, visible=False) for _ in range(MAX_EXAMPLES)]
    with gr.Row(elem_id="reading"):
        with gr.Column(elem_id="conversation"):
            answers = gr.HTML(elem_id="answer", js_on_load=script("answer.js"), apply_default_css=False)
            with gr.Row(elem_id="export", visible=False) as export:
                exports = {name: gr.Button(f"Save all as {name}", size="sm", min_width=0) for name in FORMATS}
                cleared = gr.Button("Begin anew", size="sm", min_width=0)
        beside = source.component("source")
    turns = gr.State((), time_to_live=24 * 3600)
    link = gr.Textbox(visible=False)
    file = saving()

    asking: dict[str, Any] = {**QUIETLY, "concurrency_id": ASKING}
    settings = [documents, since, until, strictness, k]
    outputs = [answers, beside, turns, link, question]

    def after(event: Any) -> Any:
        """The address and the buttons below the answers follow what was asked."""
        event.then(fn=None, inputs=link, js=_REMEMBER, **QUIETLY)
        return event.then(lambda turns: gr.Row(visible=bool(turns)), turns, export, **QUIETLY)

    running: list[Any] = []
    for begin, asks in [(question.submit, question), *((button.click, button) for button in suggestions)]:
        told_to_wait = begin(queued, asks, [answers, question], queue=False, **QUIETLY)
        running.append(told_to_wait.then(ask, [asks, *settings, turns], outputs, **asking))
    again = gr.State(None, time_to_live=24 * 3600)
    told_to_wait = answers.again(queued_again, turns, [answers, question, again], queue=False, **QUIETLY)
    running.append(told_to_wait.then(asked_again, [again, turns], outputs, **asking))
    told_to_wait = blocks.load(queued_link, outputs=[answers, question], queue=False, **QUIETLY)
    running.append(told_to_wait.then(linked, outputs=[*outputs, *settings], **asking))
    for event in running:
        after(event)
    # First it ends, then it is told, so that nothing which was under way is shown over it.
    ended = question.stop(None, cancels=running, queue=False, **QUIETLY)
    ended.then(stopped, turns, [answers, question], queue=False, **QUIETLY)
    answers.open(source.opened, outputs=beside, **QUIETLY)
    answers.judge(judged, turns, turns, **QUIETLY)
    beside.mark(located, turns, None, **QUIETLY)
    blocks.load(choices, outputs=documents, **QUIETLY)
    gr.on([blocks.load, tab.select], told, None, nothing, **QUIETLY)
    gr.on([blocks.load, tab.select], suggested, None, suggestions, concurrency_limit=None, **QUIETLY)
    documents.focus(choices, outputs=documents, **QUIETLY)
    for name, button in exports.items():
        button.click(lambda turns, name=name: saved(name, turns), turns, file, **QUIETLY)
    after(cleared.click(lambda: ["", "", (), "", ""], outputs=outputs, **QUIETLY))


def _no_documents_html(service: Service) -> str:
    """What to do where there are no documents."""
    do = "Put" if service.read_only else "Add some on the tab “Documents”, or put"
    return (
        f"<p role='status'><b>There are no documents yet.</b> {do} them into "
        f"<code>{escape(shown_name(str(service.corpus.resolve())))}</code> and bring the index up to date.</p>"
    )


def _counted(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"


def _options_of(query: QueryParams) -> Options:
    """The options that an address gives; what cannot be read there is as usual."""
    k = query.get("k", "")
    return Options(
        tuple(query.getlist("documents")),
        query.get("since", ""),
        query.get("until", ""),
        next((name for name in THRESHOLDS if name == query.get("strictness")), "normal"),
        int(k) if k.isdecimal() and 1 <= int(k) <= MAX_K else DEFAULT_K,
    )


def _turn(event: gr.EventData, turns: tuple[Turn, ...]) -> Turn | None:
    """The turn that an event of the answers names; None where it is no longer there."""
    data = event._data
    number = data.get("turn") if isinstance(data, Mapping) else None
    return turns[number] if type(number) is int and 0 <= number < len(turns) else None
