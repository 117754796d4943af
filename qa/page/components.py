"""Components that the tabs share: a document shown beside a list or an answer, and files for the browser to save."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from qa.datatypes import Document
from qa.errors import QAError
from qa.page.pane import SourcePane
from qa.page.parts import message_html
from qa.page.service import Service
from qa.page.source import Place
from qa.text import shown_name

QUIETLY: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""How events run whose outcome is told where it shows, and which no program is offered."""

HERE = Path(__file__).parent
"""Where scripts and styles are."""


def script(name: str) -> str:
    """A script of the page."""
    return (HERE / name).read_text(encoding="utf-8")


def saving() -> gr.HTML:
    """A component that shows nothing: what `file_html` gives it the browser saves."""
    return gr.HTML(visible="hidden", js_on_load=script("file.js"), apply_default_css=False)


def file_html(name: str, content: str) -> str:
    """A file for the browser to save, as a link that the script follows."""
    encoded = base64.b64encode(content.encode("utf-8", "backslashreplace")).decode("ascii")
    return f"<a download='{escape(name)}' href='data:application/octet-stream;base64,{encoded}'>{escape(name)}</a>"


class Beside:
    """Documents from the index, and the component in which one of them is shown.

    `remedy` is what to do when a document is not there any more. The other options are those of `SourcePane`.
    """

    def __init__(self, service: Service, remedy: str = "", **options: Any) -> None:
        self._pipeline = service.pipeline
        self._remedy = remedy
        self._pane = SourcePane(service.corpus, self.document, Path(gr.utils.get_upload_folder()), **options)

    def document(self, identifier: str) -> Document:
        """A document by its id. Raises QAError when the index was rebuilt without it."""
        try:
            return self._pipeline.document(identifier)
        except KeyError as error:
            raise QAError(f"{shown_name(identifier)} is no longer there. {self._remedy}".rstrip()) from error

    def html(self, place: Place, clicked: bool) -> str:
        """A document at a place. Raises QAError when the place does not fit it."""
        return self._pane.html(place, clicked)

    def opened(self, event: gr.EventData) -> str:
        """What a click asked for, or why it is not there."""
        try:
            return self._pane.opened(event._data)
        except QAError as error:
            return message_html(str(error))

    def component(self, elem_id: str) -> gr.HTML:
        """The component, which turns pages and gives the original by itself."""

        def original(data: object) -> dict[str, str]:
            return self._pane.original(data)

        made = gr.HTML(
            elem_id=elem_id, js_on_load=script("source.js"), apply_default_css=False, server_functions=[original]
        )
        made.open(self.opened, outputs=made, **QUIETLY)
        return made
