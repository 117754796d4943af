"""A document as the HTML beside the answer, open at a place; everything that is not written here is escaped."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from qa.datatypes import Citation, Document
from qa.errors import QAError
from qa.render import document_html


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


def source_html(document: Document, place: Place, clicked: bool, opened: int) -> str:
    """A whole document with a place highlighted. Raises QAError when the place does not fit it.

    `clicked` makes the page move there; `opened` differs each time, so that a place can be opened again.
    """
    place.check(document)
    details = " · ".join(escape(part) for part in (document.id, document.source, day(document.date)) if part)
    text = document_html(document, place.start, place.end, place.answer_start, place.answer_end)
    title = escape(document.title)
    return (
        f"<article class='source' tabindex='-1' aria-label='{title}' data-opened='{opened}'"
        f"{' data-clicked' if clicked else ''}><header><h2>{title}</h2><p>{details}</p>"
        "<button type='button' class='back'>Back to the answer</button></header>"
        f"<div class='text' tabindex='0' role='region' aria-label='Its text'>{text}</div></article>"
    )


def day(date: datetime.date | None) -> str:
    return "" if date is None else f"{date.day} {date:%B %Y}"
