"""The page itself: its tabs, what programs call, its looks, and how it is served."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Literal

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported

import gradio as gr
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from gradio import processing_utils
from gradio.context import LocalContext
from gradio.events import api

from qa.answering import THRESHOLDS
from qa.errors import QAError
from qa.followup import ask_after
from qa.formats.limits import MAX_UPLOAD_BYTES
from qa.index import chosen_documents
from qa.page.asking import ASKING, AT_ONCE, ask_tab
from qa.page.components import HERE
from qa.page.judging import evaluation_tab
from qa.page.library import documents_tab
from qa.page.service import Service
from qa.pipeline import Pipeline
from qa.render import answer_json, candidate_json, failed_json

TITLE = "Chapter & Verse"

HEADER = """<header class='masthead'><h1><a href='./'>Chapter &amp; Verse</a></h1>
<p>Answers quoted from your documents, word for word, with the place where they stand.</p></header>"""


async def _fetch_nothing(url: str, cache_dir: str) -> str:
    """In place of what Gradio does where a program names an address instead of sending a file."""
    raise QAError(f"Nothing is fetched from other machines, {url} neither. Send the file itself.")


processing_utils.async_ssrf_protected_download = _fetch_nothing


def page(service: Service) -> gr.Blocks:
    """The page, not yet served."""
    blocks = gr.Blocks(title=TITLE, analytics_enabled=False)
    with blocks:
        _endpoints(service.pipeline)  # first, so that their names are their own
        gr.HTML(HEADER, apply_default_css=False)
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab("Ask", id="ask") as tab:
                ask_tab(blocks, tab, service)
            with gr.Tab("Documents", id="documents"):
                documents_tab(service)
            with gr.Tab("Evaluation", id="evaluation"):
                evaluation_tab(blocks, service)
    return blocks


def _endpoints(pipeline: Pipeline) -> None:
    """What programs call, over HTTP and as MCP tools; the docstrings of the three functions are what they read."""

    def ask(
        question: str,
        k: int | None = None,
        strictness: Literal["lenient", "normal", "strict"] | None = None,
        documents: list[str] | None = None,
        since: str | None = None,
        until: str | None = None,
        previous: str | None = None,
    ) -> dict[str, Any]:
        """Answer a question with the exact words of the user's documents, each cited with its document and place.

        `answer` is null where the documents do not say; `reason` then tells why, and `closest` gives the passages that
        come nearest, which may or may not answer. Nothing is ever made up.
        `confidence` is the probability that the answer is right, `citations` give the sentence quoted, the document,
        its SHA-256, headings, page, line and characters, `alternatives` what else the documents answer.

        Args:
            question: A question in English, best a whole sentence with the names it is about.
            k: How many passages are read at most, from 1 on; 8 when left out.
            strictness: How sure an answer must be: lenient, normal (when left out) or strict.
            documents: Ask only these documents, by their ids; all when left out.
            since: Ask only documents dated from then on (YYYY, YYYY-MM or YYYY-MM-DD).
            until: Ask only documents dated up to then (YYYY, YYYY-MM or YYYY-MM-DD).
            previous: The question before, where this one leans on it, as "When was it renamed?" does.
        """
        try:
            if strictness is not None and strictness not in THRESHOLDS:
                raise QAError(f"The strictness {strictness!r} is none of {', '.join(THRESHOLDS)}.")
            answerer = pipeline.answerer(strictness, k, chosen_documents(pipeline.manifest, documents, since, until))
            before = answerer.ask(previous) if previous else None
            return answer_json(ask_after(answerer.ask, question, before))
        except (QAError, ValueError) as error:
            return failed_json(question, error)

    def search(
        question: str,
        k: int | None = None,
        documents: list[str] | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> list[dict[str, Any]]:
        """Find the passages of the user's documents that are nearest to a question, best first, with their scores.

        Args:
            question: A question or a few words.
            k: How many passages are given, from 1 on; 8 when left out.
            documents: Search only these documents, by their ids; all when left out.
            since: Search only documents dated from then on (YYYY, YYYY-MM or YYYY-MM-DD).
            until: Search only documents dated up to then (YYYY, YYYY-MM or YYYY-MM-DD).
        """
        try:
            chosen = chosen_documents(pipeline.manifest, documents, since, until)
            return [candidate_json(candidate) for candidate in pipeline.search(question, k, chosen)]
        except (QAError, ValueError) as error:
            raise gr.Error(str(error), print_exception=False) from error

    def documents() -> list[dict[str, Any]]:
        """List the documents that questions are answered from: id, title, date, size, pages and passages of each."""
        return [asdict(entry) for entry in pipeline.manifest.documents]

    for endpoint in (ask, search, documents):
        name = endpoint.__name__
        api(_keeping_nothing(endpoint), api_name=name, concurrency_id=ASKING)


def _keeping_nothing(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """The endpoint, without what Gradio would keep of each request as if it were a visit to the page (170 kB)."""

    @functools.wraps(endpoint)
    def answer(*arguments: Any, **named: Any) -> Any:
        try:
            return endpoint(*arguments, **named)
        finally:
            blocks, request = LocalContext.blocks.get(None), LocalContext.request.get(None)
            if blocks is not None and request is not None and request.session_hash is not None:
                blocks.state_holder.session_data.pop(request.session_hash, None)
                blocks.state_holder.time_last_used.pop(request.session_hash, None)

    return answer


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
        block_label_text_color_dark="*neutral_200",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
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
        max_file_size=MAX_UPLOAD_BYTES,
        css_paths=sorted(HERE.glob("*.css")),
        favicon_path=HERE / "favicon.svg",
    )
    blocks.app.router.routes.insert(0, APIRoute("/healthz", ready, methods=["GET"]))  # before the page's catch-all
    return str(address)
