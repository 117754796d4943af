"""The tab on which the evaluation is run: which questions, how far it has come, the figures, and what went wrong."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any, Literal

import gradio as gr
from gradio.components.native_plot import PlotData

from qa.answering import THRESHOLDS
from qa.datatypes import Answer, Candidate, Citation, Document
from qa.errors import QAError
from qa.evaluation import (
    Example,
    LeftOut,
    Mark,
    Outcome,
    Report,
    ask,
    choose,
    is_relevant,
    read_examples,
    read_marks,
    reliability,
    risk_coverage,
    summed,
)
from qa.evaluation import Place as Named
from qa.feedback import example_json
from qa.page.components import QUIETLY, Beside, file_html, saving, script
from qa.page.parts import clipped, line_or_page, message_html, opener_html, where_html
from qa.page.service import Service
from qa.page.source import Place
from qa.report import (
    MARKS_ARE_EXACT,
    counted,
    coverage_html,
    figures_html,
    left_out_html,
    reliability_html,
    report_html,
    report_json,
)

log = logging.getLogger(__name__)

Set = Literal["fixed", "own", "file"]
"""Which questions are asked: those that come with the program, people's judgements, or those of a file."""

SETS: tuple[tuple[str, Set], ...] = (("The fixed questions", "fixed"), ("Your judgements", "own"), ("A file", "file"))

FAILED = "Something failed during the evaluation; the terminal shows what. Run it again, or start the program anew."

EVALUATING = "evaluating"
"""What evaluations are queued under: apart from questions, so that these never wait for one."""

MAX_MISSES = 60
"""Misses shown on the page, more than anyone reads in one go; the report names them all."""

MAX_PASSAGE_CHARACTERS = 200
"""Of a passage that was read; the whole of it is a click away."""


@dataclass(frozen=True)
class Run:
    """An evaluation on its way: `total` questions of a split are asked, these outcomes are there."""

    split: str
    total: int
    left_out: tuple[LeftOut, ...] = ()
    marks: tuple[Mark, ...] = ()
    outcomes: tuple[Outcome, ...] = ()

    @property
    def report(self) -> Report:
        """The report on the questions asked so far; marks are those of all questions, and of no part of them."""
        complete = len(self.outcomes) == self.total
        return summed(self.split, self.outcomes, self.marks if complete else (), self.left_out)


def evaluation_tab(blocks: gr.Blocks, service: Service) -> None:
    """The evaluation, to be called inside its tab."""
    pipeline = service.pipeline
    source = Beside(service, "Run the evaluation again.", back="Back to what went wrong")

    def chosen(which: Set, file: str | None, split: str | None) -> list[Any]:
        """What is said of the questions chosen, the parts they have, and whether they can be run."""
        try:
            found = chosen_examples(service, which, file)
        except QAError as error:
            note = message_html(str(error)) if which == "file" and file else f"<p>{escape(str(error))}</p>"
            none = gr.Dropdown(visible=False)  # with its choices: an event that is under way names one of them
            return [note, none, gr.Button(interactive=False), gr.Button(visible=False)]
        splits = Counter(example.split for example in found)
        usual = next((name for name in (split, "test") if name in splits), next(iter(splits)))
        choices = [(f"{name} ({count})", name) for name, count in splits.items()]
        note = _note_html(which, found, service.judgements.path, len(pipeline.manifest.documents))
        parts = gr.Dropdown(choices=choices, value=usual, visible=len(splits) > 1)
        return [note, parts, gr.Button(interactive=True), gr.Button(visible=which == "own")]

    def waiting() -> list[Any]:
        """What is shown until it is this evaluation's turn; what an earlier one found goes."""
        said = "<p role='status'>Waiting for another evaluation to end…</p>"
        return [said, None, gr.Column(visible=False), "", gr.Button(visible=False), gr.Button(visible=True)]

    def run(which: Set, file: str | None, split: str | None, strictness: Any) -> Iterator[list[Any]]:
        """The progress and the run, question by question, and at the end what it found."""
        going = Run("", 0)
        try:
            found = chosen_examples(service, which, file)
            split = split or found[0].split
            asked, left_out = choose(found, split, pipeline)
            is_judged = which == "fixed" and (split, strictness) == ("test", "normal")
            marks = tuple(read_marks(service.questions)) if is_judged and service.questions is not None else ()
            going = Run(split, len(asked), left_out, marks)
            for example in asked:
                yield [progress_html(going), going, *[gr.skip()] * 10]
                going = replace(going, outcomes=(*going.outcomes, ask(example, pipeline, strictness)))
            yield [progress_html(going, "Done."), going, *results(going)]
        except QAError as error:
            yield [message_html(str(error)), going, *nothing()]
        except Exception:
            log.exception("An evaluation failed.")
            yield [message_html(FAILED), going, *nothing()]

    def stopped(going: Run | None) -> list[Any]:
        """What was found until the evaluation was stopped."""
        if going is None or not going.outcomes:
            return ["<p role='status'>Stopped before the first question was answered.</p>", *nothing()]
        try:
            return [progress_html(going, "Stopped."), *results(going)]
        except QAError as error:
            return [message_html(str(error)), *nothing()]

    def results(going: Run) -> list[Any]:
        report = going.report
        return [
            gr.Column(visible=True),
            marks_html(report, going) + figures_html(report) if report.figures else "",
            _reliability_plot(report.outcomes),
            _folded("As a table", reliability_html(report.outcomes)),
            _risk_plot(report.outcomes),
            _folded("As a table", coverage_html(report.outcomes)),
            misses_html(report.outcomes, source.document) + left_out_html(report),
            "",
            gr.Button(visible=True),
            gr.Button(visible=False),
        ]

    def nothing() -> list[Any]:
        return [*[gr.skip()] * 8, gr.Button(visible=True), gr.Button(visible=False)]

    def saved(going: Run | None, name: str) -> str:
        """The report as a file to save; nothing where there is none yet."""
        if going is None or not going.outcomes:
            return ""
        report = going.report
        if name == "evaluation.html":
            return file_html(name, report_html(report))
        return file_html(name, json.dumps(report_json(report), ensure_ascii=False, indent=1))

    def saved_judgements() -> str:
        """What is held of each judged question, a line each, as a file to save."""
        held = service.judgements.examples()
        lines = "".join(f"{json.dumps(example_json(example))}\n" for example in held)
        return file_html("judgements.jsonl", lines)

    with gr.Row(elem_id="judged"):
        which = gr.Radio([*SETS], value="fixed", label="Questions", scale=2, min_width=280)
        parts = gr.Dropdown(choices=[], label="Part of the questions", visible=False, min_width=200)
        strictness = gr.Radio(list(THRESHOLDS), value="normal", label="How sure an answer must be", min_width=340)
    file = gr.File(
        label="Questions, as JSON Lines", file_types=[".jsonl"], visible=False, height=120, elem_id="questions"
    )
    note = gr.HTML(elem_id="judged-note", apply_default_css=False)
    with gr.Row(elem_id="judging-run"):
        begin = gr.Button("Run", variant="primary", size="md", min_width=110, interactive=False)
        stop = gr.Button("Stop", variant="stop", size="md", min_width=110, visible=False)
        own = gr.Button("Save your judgements", size="md", min_width=110, visible=False)
    progress = gr.HTML(elem_id="progress", apply_default_css=False)
    with gr.Column(visible=False, elem_id="found") as found:
        figures = gr.HTML(elem_id="figures", apply_default_css=False)
        with gr.Row(elem_id="judged-files"):
            as_html = gr.Button("Save the report", size="sm", min_width=0)
            as_json = gr.Button("Save the report as JSON", size="sm", min_width=0)
        with gr.Row(equal_height=False):
            with gr.Column(min_width=280):
                gr.HTML(_RELIABILITY, elem_classes="plotted", apply_default_css=False)
                bins = gr.LinePlot(
                    **_plotted("confidence", "share right"), color="line", color_title="", color_map=_LINES
                )
                bins_table = gr.HTML(apply_default_css=False)
            with gr.Column(min_width=280):
                gr.HTML(_RISK, elem_classes="plotted", apply_default_css=False)
                curve = gr.LinePlot(**_plotted("share answered", "share wrong"))
                curve_table = gr.HTML(apply_default_css=False)
        with gr.Row(elem_id="misread", equal_height=False):
            misses = gr.HTML(elem_id="misses", js_on_load=script("answer.js"), apply_default_css=False)
            beside = source.component("judged-source")
    going = gr.State(None, time_to_live=24 * 3600)
    file_to_save = saving()

    shown = [found, figures, bins, bins_table, curve, curve_table, misses, beside, begin, stop]
    offered: dict[str, Any] = {
        "fn": chosen,
        "inputs": [which, file, parts],
        "outputs": [note, parts, begin, own],
        **QUIETLY,
    }
    which.change(lambda which: gr.File(visible=which == "file"), which, file, **QUIETLY)
    which.change(**offered)
    file.change(**offered)
    blocks.load(**offered)
    tab = note.parent
    assert isinstance(tab, gr.Tab)
    tab.select(**offered)  # what was judged meanwhile counts
    waited = begin.click(waiting, outputs=[progress, going, found, beside, begin, stop], queue=False, **QUIETLY)
    running = waited.then(
        run,
        [which, file, parts, strictness],
        [progress, going, *shown],
        concurrency_id=EVALUATING,
        concurrency_limit=1,
        **QUIETLY,
    )
    # First it ends, then it is told, so that nothing which was under way is shown over it.
    ended = stop.click(None, cancels=running, queue=False, **QUIETLY)
    ended.then(stopped, going, [progress, *shown], queue=False, **QUIETLY)
    misses.open(source.opened, outputs=beside, **QUIETLY)
    as_html.click(lambda held: saved(held, "evaluation.html"), going, file_to_save, **QUIETLY)
    as_json.click(lambda held: saved(held, "evaluation.json"), going, file_to_save, **QUIETLY)
    own.click(saved_judgements, outputs=file_to_save, **QUIETLY)


# The questions


def chosen_examples(service: Service, which: Set, file: str | None) -> list[Example]:
    """The questions chosen. Raises QAError where there are none, with what to do instead."""
    if which == "own":
        held = service.judgements.examples()
        if not held:
            raise QAError("No answer has been judged yet. Ask a question, then say whether the answer is right.")
        return held
    if which == "file":
        if file is None:
            raise QAError("Choose a file: JSON Lines, an object with “id”, “question” and “answers” a line.")
        return _read(Path(file))
    if service.questions is None or not service.questions.exists():
        raise QAError("There are no fixed questions. Judge answers, or choose a file of questions.")
    found = read_examples(service.questions)
    if not _belong(found, {entry.id for entry in service.pipeline.manifest.documents}):
        raise QAError(
            "The fixed questions are about the documents that come with the program, and this index holds others. "
            "Judge answers, or choose a file of questions of your own."
        )
    return found


def _read(file: Path) -> list[Example]:
    """The questions of a file that was chosen; errors call it by its name, not by where it was put."""
    try:
        return read_examples(file)
    except QAError as error:
        raise QAError(str(error).replace(str(file), file.name)) from error


def _belong(examples: Sequence[Example], documents: set[str]) -> bool:
    """Whether all documents that the questions name are there."""
    return {accepted.place.document for example in examples for accepted in example.answers} <= documents


def _note_html(which: Set, examples: Sequence[Example], path: Path, documents: int) -> str:
    answerable = sum(bool(example.answers) for example in examples)
    wrong = sum(example.rejected is not None for example in examples)
    counts = [
        (answerable, "with the place of the right answer"),
        (len(examples) - answerable - wrong, "that the documents do not answer"),
        (wrong, "of which only a wrong answer is known"),
    ]
    held = ", ".join(f"{count} {what}" for count, what in counts if count)
    named = len({named.place.document for example in examples for named in example.named})
    others = documents - named
    note = f"{len(examples)} question{'s' * (len(examples) != 1)}: {held}."
    if which == "fixed" and others > 0:
        note += " The index also holds other documents, which may answer what these do not."
    if which == "own":
        command = f"<code>qa evaluate --questions {escape(str(path))}</code>"
        return f"<p>{escape(note)} They are kept on this machine; {command} asks them too.</p>"
    return f"<p>{escape(note)}</p>"


# How far it has come


def progress_html(run: Run, word: str = "") -> str:
    """How many questions are answered, and what came of them."""
    if not run.total:
        return "<p role='status'>There is nothing to ask.</p>"
    done = len(run.outcomes)
    counts = escape(counted(run.outcomes))
    said = f"{done} of {run.total} questions asked{': ' if counts else ''}{counts}."
    status = f" role='status'>{word} " if word else ">"  # read aloud at the end, not after every question
    return f"<progress max='{run.total}' value='{done}' aria-label='Questions asked'></progress><p{status}{said}</p>"


def marks_html(report: Report, run: Run) -> str:
    """How many pass marks are kept; for a run that was stopped, what the figures are of."""
    if report.marks:
        kept = len(report.marks) - len(report.missed)
        hint = f" {MARKS_ARE_EXACT}" if report.missed else ""
        return f"<p>{kept} of {len(report.marks)} pass marks are kept.{hint}</p>"
    if len(run.outcomes) < run.total:
        return "<p>The figures are those of the questions asked until it was stopped.</p>"
    return ""


# Plots


_RELIABILITY = """<h2>Reliability</h2><p>Were the confidence true, of the answers with 80 % eight in ten would be right,
and the measured line would lie on the other.</p>"""

_RISK = """<h2>Risk and coverage</h2><p>The more questions are answered, surest first, the more of the answers are
wrong. Flat and low is best.</p>"""

_LINES = {"measured": "#0f9488", "if it were true": "#a8a29e"}


def _plotted(x: str, y: str) -> dict[str, Any]:
    return {
        "x": x,
        "y": y,
        "x_lim": [0, 1],
        "y_lim": [0, 1],
        "x_axis_format": ".0%",
        "y_axis_format": ".0%",
        "height": 260,
    }


def _reliability_plot(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    promised = [[0, 0, "if it were true"], [1, 1, "if it were true"]]
    measured = [[b.mean_confidence, b.share_right, "measured"] for b in reliability(outcomes)]
    return _plot(["confidence", "share right", "line"], promised + measured)


def _risk_plot(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    rows = [[point.coverage, point.risk] for point in risk_coverage(outcomes)]
    return _plot(["share answered", "share wrong"], rows)


def _plot(columns: list[str], rows: list[list[Any]]) -> dict[str, Any]:
    """Rows of numbers, the third column a name, as Gradio's plots take them."""
    kinds: dict[str, Any] = dict(zip(columns, ("quantitative", "quantitative", "nominal"), strict=False))
    return dict(PlotData(columns=columns, data=rows, datatypes=kinds, mark="line").model_dump())


def _folded(summary: str, body: str) -> str:
    return f"<details><summary>{summary}</summary>{body}</details>"


# What went wrong


def misses_html(outcomes: Sequence[Outcome], document: Callable[[str], Document]) -> str:
    """Every question that went wrong, the worst first: what was expected, what was given, what was read."""
    worst = ("wrong", "incomplete", "wrongly silent")
    missed = sorted((outcome for outcome in outcomes if outcome.missed), key=lambda o: worst.index(o.verdict))
    if not missed:
        return "<h2>What went wrong</h2><p>Nothing.</p>"
    items = "".join(_miss_html(outcome, document) for outcome in missed[:MAX_MISSES])
    more = f"<p>{len(missed) - MAX_MISSES} more are named in the report.</p>" if len(missed) > MAX_MISSES else ""
    return f"<h2>What went wrong</h2><ul class='misses'>{items}</ul>{more}"


def _miss_html(outcome: Outcome, document: Callable[[str], Document]) -> str:
    expected, read = _expected_html(outcome.example, document), _read_html(outcome, document)
    return (
        f"<li><details><summary><span class='verdict'>{outcome.verdict}</span> "
        f"{escape(outcome.example.question)}</summary><h3>Expected</h3>{expected}"
        f"<h3>Given</h3>{_given_html(outcome.answer)}<h3>Passages found</h3>{read}</details></li>"
    )


def _expected_html(example: Example, document: Callable[[str], Document]) -> str:
    if example.rejected is not None:
        if not example.rejected:
            return "<p>An answer: silence was called wrong.</p>"
        return "<p>Another answer than this, which was called wrong:</p>" + _named_html(example, document)
    return _named_html(example, document) if example.answers else "<p>Silence: the documents do not say.</p>"


def _named_html(example: Example, document: Callable[[str], Document]) -> str:
    return "".join(
        f"<blockquote>{escape(named.text)}</blockquote>{_opener_html(named.place, document(named.place.document))}"
        for named in example.named
    )


def _given_html(answer: Answer) -> str:
    if answer.citations:
        number = f"<p>With a confidence of {answer.confidence:.0%}:</p>"
        return number + "".join(map(_citation_html, answer.citations))
    if answer.withheld:
        number = f"<p>Silence. Withheld, with a confidence of {answer.confidence:.0%}:</p>"
        return number + _citation_html(answer.withheld[0])
    return "<p>Silence.</p>"


def _read_html(outcome: Outcome, document: Callable[[str], Document]) -> str:
    """The passages found, and whether the reader had what it needed."""
    candidates = outcome.answer.candidates
    held = [candidate for candidate in candidates if is_relevant(outcome.example, candidate)]
    said = ""
    if outcome.example.answers:
        ranks = ", ".join(str(candidate.rank) for candidate in held)
        said = f"The right answer is in passage {ranks}." if held else "No passage found holds the right answer."
    items = "".join(_passage_html(candidate, document, candidate in held) for candidate in candidates)
    return f"<p>{said}</p><ol class='passages'>{items}</ol>" if candidates else "<p>Nothing.</p>"


def _passage_html(candidate: Candidate, document: Callable[[str], Document], holds: bool) -> str:
    passage = candidate.passage
    text = clipped(passage.text, MAX_PASSAGE_CHARACTERS)
    place = Named(passage.document, passage.start, passage.end)
    return (
        f"<li class='{'holds' if holds else ''}'><blockquote>{escape(text)}</blockquote>"
        f"{_opener_html(place, document(passage.document), is_passage=True)}</li>"
    )


def _citation_html(citation: Citation) -> str:
    where = where_html(citation.title, (*citation.headings, line_or_page(citation.line, citation.page)))
    return f"<blockquote>{escape(citation.answer)}</blockquote>{opener_html(Place.of_citation(citation), where)}"


def _opener_html(named: Named, document: Document, is_passage: bool = False) -> str:
    """The button that opens a place; an answer is marked there, a passage only set off."""
    at = line_or_page(document.line_at(named.start), document.page_at(named.start))
    marked = named.start if is_passage else named.end
    place = Place(document.id, document.sha256, named.start, named.end, named.start, marked)
    return opener_html(place, where_html(document.title, (*document.headings_at(named.start), at)))
