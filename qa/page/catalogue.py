"""The documents as a list, in figures, and what became of them, as escaped HTML."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import PurePosixPath
from typing import Any

from qa.index import DocumentEntry, Manifest
from qa.indexing import FileStatus, IndexReport
from qa.page.source import day
from qa.text import shown_name

PAGE_ROWS = 50
"""Documents listed at once: what one scrolls through; more are found by their words or on the next page."""

MAX_LINES = 100
"""Files named in an account of what was done; the list has them all."""

MAX_BARS = 20
"""Documents in the figures: the longest."""

MAX_YEARS = 40
"""Bars of single years; a longer time is counted by decades."""


@dataclass(frozen=True)
class Row:
    """A file in the list. `reason` is why it is not read, None for a document; `date` is ISO 8601, empty for none."""

    id: str
    title: str
    date: str
    pages: int
    passages: int
    copy_of: str | None = None
    reason: str | None = None

    @property
    def name(self) -> str:
        """What it is called in the list."""
        return shown_name(self.title or self.id)

    @property
    def format(self) -> str:
        """The ending of its name, in capitals."""
        return _format(self.id)

    @property
    def status(self) -> str:
        """What became of it."""
        if self.reason is not None:
            return f"Not read: {shown_name(self.reason)}"
        return "Indexed" if self.copy_of is None else f"Indexed; nearly the same as {shown_name(self.copy_of)}"

    @property
    def words(self) -> str:
        """Among what it is found by: all that is read of it in the list."""
        return f"{self.name}\n{shown_name(self.id)}\n{self.status}".casefold()


def rows(manifest: Manifest) -> list[Row]:
    """Every file that the index knows of, documents first."""
    return [
        *(Row(e.id, e.title, e.date or "", e.pages, e.passages, e.near_duplicate_of) for e in manifest.documents),
        *(Row(refused.id, "", "", 0, 0, reason=refused.reason) for refused in manifest.refused),
    ]


COLUMNS: Mapping[str, Callable[[Row], Any]] = {
    "title": lambda row: row.name.casefold(),
    "date": lambda row: row.date,
    "format": lambda row: row.format,
    "pages": lambda row: row.pages,
    "passages": lambda row: row.passages,
    "status": lambda row: row.status,
}
"""By what the list can be sorted, and the value that counts."""


@dataclass(frozen=True)
class View:
    """Which part of the list is shown: files with these words, in this order, from this page on (the first is 0)."""

    words: str = ""
    column: str = "title"
    descending: bool = False
    page: int = 0

    def turned(self, data: object) -> View:
        """The view that a click in the list asks for; what cannot be read changes nothing."""
        if not isinstance(data, Mapping):
            return self
        column, page = data.get("column"), data.get("page")
        if isinstance(column, str) and column in COLUMNS:
            return replace(self, column=column, descending=column == self.column and not self.descending, page=0)
        return replace(self, page=page) if type(page) is int and page >= 0 else self


# The list


def catalogue_html(files: Sequence[Row], view: View, selected: str | None = None) -> str:
    """The files of a view as a table; its buttons sort it, turn its pages and open a document."""
    if not files:
        return "<p class='none'>There are no documents yet.</p>"
    found = _found(files, view)
    if not found:
        return f"<p class='none'>No document matches “{escape(shown_name(view.words))}”.</p>"
    page = min(view.page, (len(found) - 1) // PAGE_ROWS)
    first = page * PAGE_ROWS
    part = found[first : first + PAGE_ROWS]
    heads = "".join(_head_html(column, view) for column in COLUMNS)
    body = "".join(_row_html(row, row.id == selected) for row in part)
    return (
        f"<table class='catalogue'><caption>The documents</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{body}</tbody></table>{_pager_html(first, len(part), len(found), page)}"
    )


def _found(files: Sequence[Row], view: View) -> list[Row]:
    """Those that hold all words, in order; what has no value in the column comes last."""
    words = view.words.casefold().split()
    value = COLUMNS[view.column]
    held = [row for row in files if all(word in row.words for word in words)]
    valued = sorted((row for row in held if value(row)), key=value, reverse=view.descending)
    return valued + [row for row in held if not value(row)]


def _head_html(column: str, view: View) -> str:
    order = ""
    if column == view.column:
        order = f" aria-sort='{'descending' if view.descending else 'ascending'}'"
    return (
        f"<th scope='col' class='{column}'{order}><button type='button' data-column='{column}'>{column.capitalize()}"
        "</button></th>"
    )


def _row_html(row: Row, is_selected: bool) -> str:
    opener = "class='open' aria-current='true'" if is_selected else "class='open'"
    date = day(datetime.date.fromisoformat(row.date)) if row.date else ""
    file = f"<small>{escape(shown_name(row.id))}</small>" if row.title else ""
    cells = {
        "date": date,
        "format": escape(row.format),
        "pages": _numbered(row.pages, "page") if row.pages else "",
        "passages": _numbered(row.passages, "passage") if row.reason is None else "",
        "status": escape(row.status),
    }
    shown = "".join(f"<td class='{name}'>{text}</td>" for name, text in cells.items())
    return (
        f"<tr{'' if row.reason is None else ' class=unread'}><th scope='row'><button type='button' {opener} "
        f'data-document="{escape(row.id)}">{escape(row.name)}</button>{file}</th>{shown}</tr>'
    )


def _numbered(number: int, name: str) -> str:
    """A number and its unit, which is left away where the column says it."""
    return f"{number:,}<span> {name}{'' if number == 1 else 's'}</span>"


def _pager_html(first: int, shown: int, found: int, page: int) -> str:
    if shown == found:
        return ""

    def button(name: str, sign: str, to: int, there: bool) -> str:
        state = f"data-page='{to}'" if there else "aria-disabled='true'"
        return f"<button type='button' aria-label='{name} page' title='{name} page' {state}>{sign}</button>"

    before = button("Previous", "‹", page - 1, page > 0)
    after = button("Next", "›", page + 1, first + shown < found)
    return f"<p class='pager'>{before}<span>{first + 1:,}–{first + shown:,} of {found:,}</span>{after}</p>"


def summary_html(manifest: Manifest) -> str:
    """How much there is, and since when it is as it is."""
    made = datetime.datetime.fromisoformat(manifest.created).astimezone()
    unread = f", {counted(len(manifest.refused), 'file')} not read" if manifest.refused else ""
    return (
        f"<p><b>{counted(len(manifest.documents), 'document')}</b>, {counted(manifest.passages, 'passage')}{unread}. "
        f"Indexed {day(made.date())}, {made:%H:%M}.</p>"
    )


def unread_html(row: Row) -> str:
    """What is shown for a file that is no document."""
    return (
        f"<article class='unread' tabindex='-1'><h2>{escape(row.name)}</h2><p>{escape(row.status)}.</p>"
        "<p>No question is answered from it until the file is mended and the index brought up to date.</p></article>"
    )


# What was done


@dataclass(frozen=True)
class Line:
    """What became of one file, as a person is told."""

    name: str
    text: str
    failed: bool = False


def account_html(heading: str, lines: Sequence[Line] = (), notes: Iterable[str] = ()) -> str:
    """What was done, with a line a file."""
    items = "".join(
        f"<li{' class=failed' if line.failed else ''}><b>{escape(shown_name(line.name))}</b> "
        f"{escape(shown_name(line.text))}</li>"
        for line in lines[:MAX_LINES]
    )
    more = f"<li>and {len(lines) - MAX_LINES:,} more</li>" if len(lines) > MAX_LINES else ""
    said = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return f"<section role='status'><p><b>{escape(heading)}</b></p>{said}<ul>{items}{more}</ul></section>"


def changes_html(report: IndexReport, before: Manifest) -> str:
    """What bringing the index up to date did."""
    manifest = report.manifest
    held = f"{counted(len(manifest.documents), 'document')}, {counted(manifest.passages, 'passage')}"
    if not report.built:
        return account_html(f"Nothing has changed: {held}.")
    return account_html(f"The index is up to date: {held}.", change_lines(report, before), report.notes)


def change_lines(report: IndexReport, before: Manifest, but: Iterable[str] = ()) -> list[Line]:
    """A line for each file that is new, changed, gone or refused as it was not before; none for those in `but`."""
    left_out = set(but)
    known = {(refused.id, refused.reason) for refused in before.refused}
    changed = (file for file in report.files if file.status != "unchanged" and (file.id, file.reason) not in known)
    return [status_line(file) for file in changed if file.id not in left_out]


def status_line(file: FileStatus) -> Line:
    """What became of a file of the folder."""
    if file.status == "refused":
        return Line(file.id, f"is not read: {file.reason}.", failed=True)
    if file.status == "removed":
        return Line(file.id, "is no longer in the folder, and no longer answered from.")
    what = {"new": "is new", "changed": "has changed", "unchanged": "is there already"}[file.status]
    return Line(file.id, f"{what}: {_size(file)}, read in {file.seconds:.1f} s.")


def added_line(sent: str, wanted: str, file: FileStatus) -> Line:
    """What became of a file that was added: the name it was sent under, the one it should have, and its status."""
    name = PurePosixPath(file.id).name
    if file.status == "unchanged":
        return Line(sent, "is there already." if name == wanted else f"is there already, as “{name}”.")
    if file.status == "refused":
        return Line(sent, f"is kept in the folder as “{name}”, but not read: {file.reason}.", failed=True)
    kept = ""
    if name != wanted:
        kept = f", kept as “{name}” beside another file of its name"
    elif name != PurePosixPath(sent).name:
        kept = f", kept as “{name}”"
    return Line(sent, f"is indexed{kept}: {_size(file)}, read in {file.seconds:.1f} s.")


def _size(file: FileStatus) -> str:
    pages = f"{counted(file.pages, 'page')}, " if file.pages else ""
    return f"{pages}{counted(file.passages, 'passage')}"


# Figures


def years(manifest: Manifest) -> list[tuple[str, int]]:
    """Documents by year, years without any between others among them; by decade where the years are many."""
    dated = Counter(int(entry.date[:4]) for entry in manifest.documents if entry.date is not None)
    if not dated:
        return []
    first, last = min(dated), max(dated)
    if last - first < MAX_YEARS:
        return [(f"{year:04}", dated[year]) for year in range(first, last + 1)]
    return [
        (f"{decade:04}s", sum(dated[year] for year in range(decade, decade + 10)))
        for decade in range(first // 10 * 10, last + 1, 10)
    ]


def formats_html(manifest: Manifest) -> str:
    """Documents by format, most first."""
    counts = Counter(_format(entry.id) for entry in manifest.documents)
    return _bars_html("Documents by format", "Format", "Documents", counts.most_common())


def lengths_html(manifest: Manifest) -> str:
    """The documents with the most passages, most first."""
    longest: list[DocumentEntry] = sorted(manifest.documents, key=lambda entry: (-entry.passages, entry.id))[:MAX_BARS]
    shown = [(shown_name(entry.title or entry.id), entry.passages) for entry in longest]
    more = f": the longest {MAX_BARS}" if len(manifest.documents) > MAX_BARS else ""
    return _bars_html(f"Passages by document{more}", "Document", "Passages", shown)


def dates_html(manifest: Manifest) -> str:
    """Documents by year, and how many have none; nothing where none has."""
    counts = years(manifest)
    if not counts:
        return ""
    undated = len(manifest.documents) - sum(count for _, count in counts)
    rest = f"; {counted(undated, 'document')} without a date" if undated else ""
    return _bars_html(f"Documents by date{rest}", "Year", "Documents", counts)


def _bars_html(caption: str, what: str, of: str, counts: Sequence[tuple[str, int]]) -> str:
    """A table whose numbers are bars too: a plot that can be read aloud; nothing where there is nothing to count."""
    if not counts:
        return ""
    most = max(count for _, count in counts) or 1
    body = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td><span class='bar' style='--share: {count / most:.3f}'></span>"
        f"{count:,}</td></tr>"
        for name, count in counts
    )
    return (
        f"<table class='bars'><caption>{escape(caption)}</caption><thead><tr><th scope='col'>{what}</th>"
        f"<th scope='col'>{of}</th></tr></thead><tbody>{body}</tbody></table>"
    )


def _format(identifier: str) -> str:
    return PurePosixPath(identifier).suffix[1:].upper() or "none"


def counted(number: int, name: str) -> str:
    """
    >>> counted(1, "passage"), counted(2_000, "passage")
    ('1 passage', '2,000 passages')
    """
    return f"{number:,} {name}{'' if number == 1 else 's'}"
