"""The page itself: components and what happens between them. The only place that imports Gradio."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported

import gradio as gr
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from gradio.events import api

from qa.answering import THRESHOLDS
from qa.datatypes import Document
from qa.errors import QAError
from qa.page.examples import examples
from qa.page.parts import answer_html, busy_html, message_html
from qa.page.service import Service
from qa.page.source import Place, source_html
from qa.pipeline import Pipeline
from qa.render import answer_json, candidate_json, failed_json

log = logging.getLogger(__name__)

TITLE = "Chapter & Verse"

HEADER = """<header class='masthead'><h1><a href='./'>Chapter &amp; Verse</a></h1>
<p>Answers quoted from your documents, word for word, with the place where they stand.</p></header>"""

FAILED = "Something failed while answering; the terminal shows what. Ask again, or start the program anew."

ASKING = "asking"
"""What all events that ask a question are queued under, so that they wait for each other."""

AT_ONCE = 2
"""Questions answered at the same time; more would only take turns on the processor's cores."""

_HERE = Path(__file__).parent

_REMEMBER = """(question) => {
  const url = new URL(location);
  question.trim() ? url.searchParams.set("q", question.trim()) : url.searchParams.delete("q");
  history.replaceState(null, "", url);
}"""
"""Makes the page's address the link that asks the same question again."""


def page(service: Service) -> gr.Blocks:
    """The page, with examples already checked."""
    blocks = gr.Blocks(title=TITLE, analytics_enabled=False)
    with blocks:
        gr.HTML(HEADER, apply_default_css=False)
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab("Ask", id="ask"):
                _ask_tab(blocks, service.pipeline)
        _endpoints(service.pipeline)
    return blocks


def _ask_tab(blocks: gr.Blocks, pipeline: Pipeline) -> None:
    opened = itertools.count(1)

    def answered(question: str) -> Iterator[tuple[Any, Any]]:
        """What stands in the answer's and the source's place, first while reading, then after it."""
        yield busy_html(question.strip()), gr.skip()
        try:
            answer = pipeline.ask(question)
            best = source(Place.of_citation(answer.citations[0]), clicked=False) if answer.citations else ""
            yield answer_html(answer, document), best
        except QAError as error:
            yield message_html(str(error)), ""
        except Exception:
            log.exception("A question could not be answered.")
            yield message_html(FAILED), ""

    def document(identifier: str) -> Document:
        try:
            return pipeline.document(identifier)
        except KeyError as error:  # the index was rebuilt without it
            raise QAError(f"{identifier} is no longer there. Ask the question again.") from error

    def source(place: Place, clicked: bool) -> str:
        return source_html(document(place.document), place, clicked, next(opened))

    def opened_place(event: gr.EventData) -> str:
        try:
            return source(Place.from_json(event._data), clicked=True)
        except QAError as error:
            return message_html(str(error))

    def linked(request: gr.Request) -> Iterator[tuple[Any, Any, Any]]:
        """The answer to the question in the page's address, if there is one."""
        question = str(request.query_params.get("q", ""))
        if not question:
            yield gr.skip(), gr.skip(), gr.skip()  # whoever types already is not disturbed
            return
        for shown in answered(question):
            yield question, *shown

    with gr.Row(elem_id="ask"):
        question = gr.Textbox(
            label="Your question",
            show_label=False,
            placeholder="Ask the documents a question",
            autofocus=True,
            max_lines=4,
            min_width=240,
            elem_id="question",
        )
        ask = gr.Button("Ask", variant="primary", scale=0, min_width=110)
    with gr.Row(elem_id="examples"):
        choices = [gr.Button(example, size="sm", min_width=0) for example in examples(pipeline)]
    with gr.Row(elem_id="reading"):
        answer = gr.HTML(elem_id="answer", js_on_load=_script("answer.js"), apply_default_css=False)
        shown = gr.HTML(elem_id="source", js_on_load=_script("source.js"), apply_default_css=False)

    quietly: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    asking: dict[str, Any] = {**quietly, "concurrency_id": ASKING}
    asked: dict[str, Any] = {**asking, "fn": answered, "inputs": question, "outputs": [answer, shown]}
    remembered: dict[str, Any] = {**quietly, "fn": None, "inputs": question, "js": _REMEMBER}
    gr.on([ask.click, question.submit], **asked).then(**remembered)
    for choice in choices:
        chosen = choice.click(lambda example: example, choice, question, **quietly)
        chosen.then(**asked).then(**remembered)
    answer.open(opened_place, outputs=shown, **quietly)
    blocks.load(linked, outputs=[question, answer, shown], **asking)


def _script(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _endpoints(pipeline: Pipeline) -> None:
    """What programs call, over HTTP and as MCP tools; the docstrings of the three functions are what they read."""

    def ask(
        question: str, k: int | None = None, strictness: Literal["lenient", "normal", "strict"] | None = None
    ) -> dict[str, Any]:
        """Answer a question with the exact words of the user's documents, each cited with its document and place.

        `answer` is null where the documents do not say, and `reason` then tells why; nothing is ever made up.
        `confidence` is the probability that the answer is right, `citations` give the sentence quoted, the document,
        its SHA-256, headings, page, line and characters, `alternatives` what else the documents answer.

        Args:
            question: A question in English, best a whole sentence with the names it is about.
            k: How many passages are read, from 1 on; 8 when left out.
            strictness: How sure an answer must be: lenient, normal (when left out) or strict.
        """
        try:
            if strictness is not None and strictness not in THRESHOLDS:
                raise QAError(f"The strictness {strictness!r} is none of {', '.join(THRESHOLDS)}.")
            return answer_json(pipeline.ask(question, strictness, k))
        except (QAError, ValueError) as error:
            return failed_json(question, error)

    def search(question: str, k: int | None = None) -> list[dict[str, Any]]:
        """Find the passages of the user's documents that are nearest to a question, best first, with their scores.

        Args:
            question: A question or a few words.
            k: How many passages are given, from 1 on; 8 when left out.
        """
        try:
            return [candidate_json(candidate) for candidate in pipeline.search(question, k)]
        except (QAError, ValueError) as error:
            raise gr.Error(str(error), print_exception=False) from error

    def documents() -> list[dict[str, Any]]:
        """List the documents that questions are answered from: id, title, date, size, pages and passages of each."""
        return [asdict(entry) for entry in pipeline.manifest.documents]

    for endpoint in (ask, search, documents):
        name = endpoint.__name__
        api(endpoint, api_name=name, concurrency_id=ASKING)


def theme() -> gr.themes.Base:
    """Ink on paper, in fonts that the system has: those that come with Gradio lack letters."""
    return gr.themes.Base(
        primary_hue="teal",
        neutral_hue="stone",
        text_size="lg",
        radius_size="sm",
        font=["system-ui", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"],
        font_mono=["ui-monospace", "Consolas", "monospace"],
    ).set(
        body_background_fill="#fdfcf9",
        body_background_fill_dark="#191816",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_600",
        button_primary_text_color="white",
    )


def launch(blocks: gr.Blocks, pipeline: Pipeline, host: str, port: int, login: tuple[str, str] | None = None) -> str:
    """Serve a page from threads of its own and give its address.

    `login` is the name and password that are asked for. Whether the page can answer is told at /healthz to everyone.
    """

    def ready() -> JSONResponse:
        try:
            manifest = pipeline.manifest
        except QAError as error:
            return JSONResponse({"status": "failed", "message": str(error)}, status_code=503)
        return JSONResponse({"status": "ready", "documents": len(manifest.documents), "passages": manifest.passages})

    blocks.queue(default_concurrency_limit=AT_ONCE)
    _, address, _ = blocks.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        auth=login,
        auth_message="Sign in to ask the documents.",
        footer_links=["api"],
        run_history=False,
        mcp_server=True,
        ssr_mode=False,
        theme=theme(),
        css_paths=sorted(_HERE.glob("*.css")),
        favicon_path=_HERE / "favicon.svg",
    )
    blocks.app.router.routes.insert(0, APIRoute("/healthz", ready, methods=["GET"]))  # before the page's catch-all
    return str(address)
