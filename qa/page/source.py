"""A document as the HTML beside the answer, open at a place; everything that is not written here is escaped."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape

from qa.datatypes import Citation, Document, Page, Section
from qa.errors import QAError
from qa.formats.pdf_pages import Box, DrawnPage
from qa.render import document_html
from qa.text import shown_name

MAX_SHOWN_CHARACTERS = 200_000
"""Of a text at once, some sixty printed pages: a browser shows them in a moment, but not five million characters."""

MAX_HEADINGS = 400
"""In the list of a document's headings; where there are more, the lower levels are left out."""


@dataclass(frozen=True)
class Place:
    """What a click opens: a quote in a document, and the answer inside the quote (empty where there is none)."""

    document: str
    sha256: str
    start: int
    end: int
    answer_start: int
    answer_end: int

    @classmethod
    def of_citation(cls, citation: Citation) -> Place:
        """The place of a citation's quote and answer."""
        c = citation
        return cls(c.document, c.sha256, c.start, c.end, c.answer_start, c.answer_end)

    @classmethod
    def from_json(cls, data: object) -> Place:
        """A place as the browser sends it back. Raises QAError for anything else."""
        if isinstance(data, Mapping):
            texts = [data.get(name) for name in ("document", "sha256")]
            offsets = [data.get(name) for name in ("start", "end", "answer_start", "answer_end")]
            if all(type(text) is str for text in texts) and all(type(offset) is int for offset in offsets):
                return cls(*texts, *offsets)  # type: ignore[arg-type]
        raise QAError("This link names no place in a document. Ask the question again.")

    def check(self, document: Document) -> None:
        """Raises QAError when the document is no longer the one the place was made for."""
        in_order = 0 <= self.start <= self.answer_start <= self.answer_end <= self.end <= len(document.text)
        if self.sha256 != document.sha256 or not in_order:
            raise QAError(f"{document.title} has changed since it was quoted. Ask the question again.")


@dataclass(frozen=True)
class View:
    """What of a document is shown: a page as it looks, by its number, or the text around a character.

    Where neither is named it is the quote, on its page if there is one.
    """

    page: int | None = None
    at: int | None = None

    @classmethod
    def from_json(cls, data: object) -> View:
        """A view as the browser sends it back; what is none is the usual one."""
        if not isinstance(data, Mapping):
            return cls()
        page, at = data.get("page"), data.get("at")
        return cls(page if type(page) is int else None, at if type(at) is int else None)


AT_THE_QUOTE = View()


def has_pages(document: Document) -> bool:
    """Whether its pages can be drawn."""
    return bool(document.pages) and document.id.lower().endswith(".pdf")


def page_number(document: Document, offset: int) -> int:
    """The page on which a character stands, in a document with pages."""
    found = document.page_at(offset)
    return document.pages[-1].number if found is None else found


def page_of(document: Document, number: int) -> Page:
    """A page by its number."""
    return next(page for page in document.pages if page.number == number)


# The HTML


def source_html(
    document: Document,
    place: Place,
    clicked: bool,
    opened: int,
    view: View = AT_THE_QUOTE,
    drawn: DrawnPage | None = None,
    note: str = "",
    markable: bool = False,
    back: str = "Back to the answer",
) -> str:
    """A document with a place highlighted: a drawn page of it, else its text, whole or around the view.

    Raises QAError when the place does not fit it. `clicked` makes the page move there; `opened` differs each time, so
    that a place can be opened again. `back` names what the place was opened from.
    """
    place.check(document)
    if view.at is not None:
        view = View(at=min(max(view.at, 0), len(document.text)))
    details = " · ".join(escape(p) for p in (shown_name(document.id), document.source, day(document.date)) if p)
    title = escape(document.title)
    attributes = f" data-opened='{opened}'{' data-clicked' if clicked else ''}{' data-markable' if markable else ''}"
    if drawn is None or view.page is None:
        first, last = _window(document.text, place, view)
        tools = _part_html(document, place, first, last) + _find_html(document, first, last)
        body = _text_html(document, place, view, first, last)
    else:
        tools = _pager_html(document, place, view.page)
        body = _page_html(document, place, view.page, drawn)
    right = "<button type='button' class='right' hidden>The right answer is here</button>" if markable else ""
    return (
        f"<article class='source' tabindex='-1' aria-label='{title}' data-place='{_json(asdict(place))}'{attributes}>"
        f"<header><h2>{title}</h2><p>{details}</p>"
        f"<button type='button' class='back'>{escape(back)}</button>"
        f"<div class='tools'>{_switch_html(document, place, view)}{tools}"
        "<button type='button' class='original'>Download the original</button></div>"
        f"{_outline_html(document, place, view)}<p class='note' role='status'>{escape(note)}</p></header>"
        f"{body}{right}</article>"
    )


def _window(text: str, place: Place, view: View) -> tuple[int, int]:
    """The part `[first, last)` of a text that is shown: all of a short one, else whole lines around the view."""
    if len(text) <= MAX_SHOWN_CHARACTERS:
        return 0, len(text)
    at = place.start if view.at is None else view.at
    first, last = max(0, at - MAX_SHOWN_CHARACTERS // 2), min(len(text), at + MAX_SHOWN_CHARACTERS // 2)
    if first > 0:
        first = text.find("\n", first, at) + 1 or first
    if last < len(text):
        last = text.rfind("\n", at, last) + 1 or last
    if place.start < last and first < place.end:  # a quote is never cut
        first, last = min(first, place.start), max(last, place.end)
    return first, last


def _text_html(document: Document, place: Place, view: View, first: int, last: int) -> str:
    text = document_html(document, place.start, place.end, place.answer_start, place.answer_end, first, last)
    at = "" if view.at is None else f" data-at='{view.at}'"
    return (
        f"<div class='text' tabindex='0' role='region' aria-label='Its text' data-first='{first}' data-last='{last}'"
        f"{at}>{text}</div>"
    )


def _page_html(document: Document, place: Place, number: int, drawn: DrawnPage) -> str:
    page = page_of(document, number)
    quoted = document.text[max(place.start, page.start) : min(place.end, page.end)].strip()
    alt = f"Page {number} as it looks." + (f" Marked on it: {quoted}" if quoted else "")
    boxes = "".join(
        _box_html(kind, box) for kind, lines in zip(("quote", "answer"), drawn.boxes, strict=True) for box in lines
    )
    image = base64.b64encode(drawn.image).decode()
    return (
        f"<div class='sheet' tabindex='0' role='region' aria-label='Page {number}'><div class='page'>"
        f"<img src='data:image/webp;base64,{image}' width='{drawn.width}' height='{drawn.height}' "
        f"alt='{escape(alt)}'>{boxes}</div></div>"
    )


def _box_html(kind: str, box: Box) -> str:
    left, top, right, bottom = (100 * side for side in box)
    return (
        f"<span class='box {kind}' style='left:{left:.3f}%;top:{top:.3f}%;width:{right - left:.3f}%;"
        f"height:{bottom - top:.3f}%'></span>"
    )


# Tools


def _switch_html(document: Document, place: Place, view: View) -> str:
    """Page or text, where there are both, each opening the other's place."""
    if not has_pages(document):
        return ""
    number, at = page_number(document, place.answer_start), place.start
    if view.page not in (None, number):
        number, at = view.page, page_of(document, view.page).start
    elif view.at is not None:
        number, at = page_number(document, view.at), view.at
    buttons = "".join(
        f"<button type='button' aria-pressed='{str(pressed).lower()}' data-view='{_json(asdict(choice))}'>{name}"
        "</button>"
        for name, choice, pressed in (
            ("Page", View(page=number), view.page is not None),
            ("Text", View(at=at), view.page is None),
        )
    )
    return f"<span class='switch' role='group' aria-label='Shown as'>{buttons}</span>"


def _pager_html(document: Document, place: Place, number: int) -> str:
    """Which page is shown, and the way to the others."""
    numbers = [page.number for page in document.pages]
    i = numbers.index(number)
    before, after = (View(page=n[0]) if n else None for n in (numbers[i - 1 : i], numbers[i + 1 : i + 2]))
    first, last = page_number(document, place.start), page_number(document, max(place.start, place.end - 1))
    to_quote = None if first <= number <= last else View(page=page_number(document, place.answer_start))
    over = f" (quote: {first}–{last})" if first < last else ""
    return _turning_html("page", f"Page {number} of {numbers[-1]}{over}", before, after, to_quote)


def _part_html(document: Document, place: Place, first: int, last: int) -> str:
    """Which part of a long text is shown, and the way to the others."""
    if last - first == len(document.text):
        return ""
    lines = [document.line_at(offset) for offset in (first, last - 1, len(document.text) - 1)]
    shown = f"Lines {lines[0]:,}–{lines[1]:,} of {lines[2]:,}"
    before, after = View(at=first) if first else None, View(at=last) if last < len(document.text) else None
    to_quote = None if first <= place.start and place.end <= last else View(at=place.start)
    return _turning_html("part", shown, before, after, to_quote)


def _turning_html(what: str, shown: str, before: View | None, after: View | None, to_quote: View | None) -> str:
    def button(name: str, sign: str, view: View | None) -> str:
        state = " aria-disabled='true'" if view is None else f" data-view='{_json(asdict(view))}'"
        return f"<button type='button' aria-label='{name} {what}' title='{name} {what}'{state}>{sign}</button>"

    back = ""
    if to_quote is not None:
        back = f"<button type='button' class='to-quote' data-view='{_json(asdict(to_quote))}'>To the quote</button>"
    return (
        f"<span class='pager' role='group' aria-label='Turn to another {what}'>{button('Previous', '‹', before)}"
        f"<span>{shown}</span>{button('Next', '›', after)}{back}</span>"
    )


def _find_html(document: Document, first: int, last: int) -> str:
    where = "Find in the text" if last - first == len(document.text) else "Find in this part"
    return (
        f"<span class='find' role='search' aria-label='{where}'>"
        f"<input type='search' placeholder='{where}' aria-label='{where}' autocomplete='off' spellcheck='false'>"
        "<output aria-live='polite'></output>"
        "<button type='button' value='-1' aria-label='Previous hit' title='Previous hit (Shift+Enter)'>↑</button>"
        "<button type='button' value='1' aria-label='Next hit' title='Next hit (Enter)'>↓</button></span>"
    )


def _outline_html(document: Document, place: Place, view: View) -> str:
    """The headings, folded; each leads to where it stands."""
    sections = _listed(document.sections)
    if not sections:
        return ""
    around = document.sections_at(place.start)
    items = "".join(
        f"<li class='level{section.level}'><button type='button'{_target(document, section, view)}"
        f"{' aria-current=location' if section in around[-1:] else ''}>{escape(section.heading)}</button></li>"
        for section in sections
    )
    more = len(document.sections) - len(sections)
    rest = f"<li class='level1'>and {more:,} more</li>" if more else ""
    return f"<details class='outline'><summary>Headings</summary><ul>{items}{rest}</ul></details>"


def _target(document: Document, section: Section, view: View) -> str:
    if view.page is None:
        return f" data-at='{section.start}'"
    return f" data-view='{_json(asdict(View(page=page_number(document, section.start))))}'"


def _listed(sections: Sequence[Section]) -> Sequence[Section]:
    """All headings, or those of as many levels as can be listed; at least the first of the outermost."""
    for level in sorted({section.level for section in sections}, reverse=True):
        found = [section for section in sections if section.level <= level]
        if len(found) <= MAX_HEADINGS:
            return found
    outermost = min((section.level for section in sections), default=1)
    return [section for section in sections if section.level == outermost][:MAX_HEADINGS]


def _json(data: Mapping[str, object]) -> str:
    """For an attribute in single quotes."""
    return escape(json.dumps(data), quote=True)


def day(date: datetime.date | None) -> str:
    return "" if date is None else f"{date.day} {date:%B %Y}"
