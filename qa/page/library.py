"""The tab of the documents: what there is, adding, removing, bringing the index up to date, figures."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from qa.errors import QAError
from qa.formats.limits import MAX_UPLOAD_BYTES
from qa.indexing import Progress
from qa.page.catalogue import (
    Row,
    View,
    catalogue_html,
    dates_html,
    formats_html,
    lengths_html,
    rows,
    summary_html,
    unread_html,
)
from qa.page.changes import added, brought_up_to_date, place_of_removed, removed
from qa.page.components import QUIETLY, Beside, script
from qa.page.parts import message_html
from qa.page.service import Service
from qa.page.source import Place
from qa.page.uploads import Upload
from qa.text import shown_name

log = logging.getLogger(__name__)

FAILED = "Something failed; the terminal shows what. The index answers as before. Try again, or start the program anew."

CHANGING = "changing"
"""What all events that change the documents are queued under: one at a time, and apart from questions."""

STEPS = {
    "reading": ("Looking through the folder", "files"),
    "embedding": ("Embedding new passages", "passages"),
    "writing": ("Writing the index", "steps"),
}
"""What is shown for the steps of an update, and what is counted in them."""

_WHAT_CAN_BE_ADDED = f"""<p><b>Add documents:</b> PDF, Word, PowerPoint, Excel, OpenDocument, RTF, web pages, e-books,
mail, tables, Markdown, text, or a ZIP archive of such files;
up to {MAX_UPLOAD_BYTES // 1_000_000:,}&#160;MB at once.</p>"""

_TO_THE_ACCOUNT = """() => document.querySelector("#account").scrollIntoView({ block: "nearest" })"""
"""What was done is told above the list, which may be far up."""

_TO_THE_REASON = """() => document.querySelector("#document .unread")?.focus()"""
"""A document goes into view by itself; a file that is none is as easily overlooked."""


def documents_tab(service: Service) -> None:
    """The documents, to be called inside their tab; what changes them is there only where that is allowed."""
    pipeline = service.pipeline
    source = Beside(service, back="Back to the list")

    def listed(view: View, selected: str | None) -> str:
        return catalogue_html(rows(pipeline.manifest), view, selected)

    def refreshed(view: View, selected: str | None) -> list[Any]:
        """All that is told of the documents, as they are now."""
        manifest = pipeline.manifest
        figures = [formats_html(manifest), lengths_html(manifest), dates_html(manifest)]
        return [summary_html(manifest), listed(view, selected), *figures]

    def searched(words: str, view: View, selected: str | None) -> list[Any]:
        view = View(words or "", view.column, view.descending)
        return [listed(view, selected), view]

    def turned(event: gr.EventData, view: View, selected: str | None) -> list[Any]:
        view = view.turned(event._data)
        return [listed(view, selected), view]

    def opened(event: gr.EventData) -> list[Any]:
        """A document from its beginning, or why a file is none; and its id, None where there is no such file."""
        row = _named(event, rows(pipeline.manifest))
        if row is None:
            return [message_html("This file is no longer there."), None]
        if row.reason is not None:
            return [unread_html(row), row.id]
        try:
            found = source.document(row.id)
            return [source.html(Place(found.id, found.sha256, 0, 0, 0, 0), clicked=True), found.id]
        except QAError as error:
            return [message_html(str(error)), None]

    with gr.Row(elem_id="holdings") as head:
        summary = gr.HTML(elem_id="summary", apply_default_css=False)
        update = None if service.read_only else gr.Button("Bring the index up to date", size="md", min_width=0)
    editor = None if update is None else _Editor(update)
    words = gr.Textbox(
        label="Find a document",
        show_label=False,
        container=False,
        placeholder="Find a document by its title, file name or status",
        max_lines=1,
        elem_id="words",
    )
    with gr.Row(elem_id="library"):
        catalogue = gr.HTML(elem_id="catalogue", js_on_load=script("library.js"), apply_default_css=False)
        with gr.Column(elem_id="shown"):
            beside = source.component("document")
            remover = None if service.read_only else _Remover()
    with gr.Accordion("The documents in figures", open=False, elem_id="in-figures"):
        with gr.Row(equal_height=False):
            formats = gr.HTML(min_width=280, apply_default_css=False)
            lengths = gr.HTML(min_width=280, apply_default_css=False)
            dates = gr.HTML(min_width=280, apply_default_css=False)
    view = gr.State(View())
    selected = gr.State(None)

    fresh: dict[str, Any] = {
        "fn": refreshed,
        "inputs": [view, selected],
        "outputs": [summary, catalogue, formats, lengths, dates],
        **QUIETLY,
    }
    tab = head.parent
    assert isinstance(tab, gr.Tab)
    tab.select(**fresh)
    words.change(searched, [words, view, selected], [catalogue, view], trigger_mode="always_last", **QUIETLY)
    catalogue.turn(turned, [view, selected], [catalogue, view], **QUIETLY)
    showing = catalogue.open(opened, outputs=[beside, selected], **QUIETLY)
    showing.then(fn=None, js=_TO_THE_REASON, **QUIETLY)
    if editor is not None and remover is not None:
        editor.connect(service, fresh)
        remover.connect(service, fresh, showing, editor.account, selected, beside)


class _Editor:
    """The components by which files are added and the index is brought up to date."""

    def __init__(self, update: gr.Button) -> None:
        self.update = update
        gr.HTML(_WHAT_CAN_BE_ADDED, elem_id="adding", apply_default_css=False)
        self.drop = gr.File(label="Add documents", show_label=False, file_count="multiple", height=110, elem_id="drop")
        self.account = gr.HTML(elem_id="account", apply_default_css=False)

    def connect(self, service: Service, fresh: Mapping[str, Any]) -> None:
        """What happens when files are dropped and the button is pressed; then all is shown afresh."""
        tracker = gr.Progress()

        def dropped(files: list[dict[str, Any]] | None, progress: gr.Progress = tracker) -> list[Any]:
            uploads = [Upload(str(f.get("orig_name") or Path(f["path"]).name), Path(f["path"])) for f in files or []]
            return [_told(lambda: added(service, uploads, _shown_by(progress))), None]

        def updated(progress: gr.Progress = tracker) -> str:
            return _told(lambda: brought_up_to_date(service, _shown_by(progress)))

        busily = _busily(self.account)
        self.drop.upload(dropped, self.drop, [self.account, self.drop], preprocess=False, **busily).then(**fresh)
        self.update.click(updated, outputs=self.account, **busily).then(**fresh)


class _Remover:
    """The components by which the document that is shown is removed."""

    def __init__(self) -> None:
        self.ask = gr.Button("Remove this file", size="sm", min_width=0, elem_id="remove")
        with gr.Column(visible=False, elem_id="really") as self.really:
            self.question = gr.HTML(apply_default_css=False)
            with gr.Row():
                self.yes = gr.Button("Yes, remove it", variant="stop", size="sm", min_width=0)
                self.no = gr.Button("Keep it", size="sm", min_width=0)

    def connect(
        self,
        service: Service,
        fresh: Mapping[str, Any],
        showing: Any,
        account: gr.HTML,
        selected: gr.State,
        beside: gr.HTML,
    ) -> None:
        """What happens when a file is shown, and when its removal is asked for, confirmed or dropped."""
        tracker = gr.Progress()

        def asked(identifier: str | None) -> list[Any]:
            row = _of(identifier, rows(service.pipeline.manifest))
            if row is None:
                return [gr.Button(visible=False), gr.Column(visible=False), ""]
            return [gr.Button(visible=False), gr.Column(visible=True), _really_html(row, service.corpus)]

        def kept(identifier: str | None) -> list[Any]:
            return [gr.Button(visible=identifier is not None), gr.Column(visible=False)]

        def confirmed(identifier: str | None, progress: gr.Progress = tracker) -> list[Any]:
            """The account, and nothing shown where the file is gone."""
            said = _told(lambda: removed(service, identifier or "", _shown_by(progress)))
            if _of(identifier, rows(service.pipeline.manifest)) is not None:
                return [said, gr.skip(), identifier]
            return [said, "", None]

        showing.then(kept, selected, [self.ask, self.really], **QUIETLY)
        self.ask.click(asked, selected, [self.ask, self.really, self.question], **QUIETLY)
        self.no.click(kept, selected, [self.ask, self.really], **QUIETLY)
        done = self.yes.click(confirmed, selected, [account, beside, selected], **_busily(account))
        done.then(kept, selected, [self.ask, self.really], **QUIETLY).then(**fresh)
        done.then(fn=None, js=_TO_THE_ACCOUNT, **QUIETLY)


def _told(change: Callable[[], str]) -> str:
    """The account of a change, or what went wrong."""
    try:
        return change()
    except QAError as error:
        return message_html(str(error))
    except Exception:
        log.exception("The documents could not be changed.")
        return message_html(FAILED)


def _shown_by(progress: gr.Progress) -> Progress:
    def show(step: str, done: int, total: int) -> None:
        doing, unit = STEPS.get(step, (step, "files"))
        progress((done, total) if total else 0, desc=doing, unit=unit)

    return show


def _busily(account: gr.HTML) -> dict[str, Any]:
    """How events that change the documents run: one after the other, their progress shown where their account will."""
    return {
        "show_progress": "full",
        "show_progress_on": account,
        "api_visibility": "private",
        "concurrency_id": CHANGING,
        "concurrency_limit": 1,
    }


# Parts


def _named(event: gr.EventData, files: Sequence[Row]) -> Row | None:
    """The file that an event names."""
    data = event._data
    return _of(data.get("document"), files) if isinstance(data, Mapping) else None


def _of(identifier: object, files: Sequence[Row]) -> Row | None:
    return next((row for row in files if row.id == identifier), None)


def _really_html(row: Row, corpus: Path) -> str:
    file = f" ({escape(shown_name(row.id))})" if row.title else ""
    return (
        f"<p role='alert'>Really remove <b>{escape(row.name)}</b>{file}? No question will be answered from it. The "
        f"file is not deleted but moved to <code>{escape(str(place_of_removed(corpus)))}</code>.</p>"
    )
