"""Who wrote a document, where its beginning says so: "By Ann Lee", "Posted by Tom Hale on 4 May".

A reader taught on prose takes whom an article quotes for whom it is by.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from qa.datatypes import Candidate, Document, Passage, Reading, Span
from qa.question import asks_for_writer
from qa.text import MONTHS, WEEKDAYS, content_stems

SIGNED = 10.0
"""The score, above that of "not in this passage", of the name in the byline of a document whose title the question
tells: that of what an abbreviation's letters prove."""

BEGINNING_CHARACTERS = 2_000
"""A byline stands in so much of a document; further down somebody else's is quoted."""

_ABOUT_WRITING = content_stems(
    "article author blog book column document entry essay journalist news page paper piece post posted report reported"
    " reporter story study text writer written wrote authored"
)
"""What a question has beside the title when it asks for the writer."""

_NO_NAME = (
    rf"(?:{MONTHS}|{WEEKDAYS}|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?"
    r"|B[Yy]|Published|Updated|Posted|Staff|Photo\w*)\b"
)
"""What has a capital beside a name and is no part of it."""

_CAPITALISED = r"(?:(?:[A-Z]|Dr|Jr|Sr|St)\.|[A-Z][\w’'-]*)"
_PARTICLE = r"(?:de|la|del|della|di|da|van|von|der|den|bin|al|el)\b"
_NAME = rf"{_CAPITALISED}(?: (?!{_NO_NAME})(?:{_CAPITALISED}|{_PARTICLE}|[\"“][^\"”\n]{{1,30}}[\"”])){{1,5}}"
_NAMES = rf"(?P<name>{_NAME}(?:(?:, and | and |, | & )(?!{_NO_NAME}){_NAME})*)"
BYLINE = re.compile(
    r"^\W*(?:(?:(?i:written|authored|posted|reported|prepared|story|text|words|article|report|essay|(?:blog )?entry) )?"
    rf"[Bb][Yy]:?|[Aa]uthors?:)\s+(?!{_NO_NAME}){_NAMES}",
    re.MULTILINE,
)
"""A line that begins with who wrote it; what follows the names (a date, an agency) is no part of them."""

_ONLY_NAMES = re.compile(rf"(?!{_NO_NAME}){_NAMES}$", re.MULTILINE)


def with_bylines(
    reading: Reading, question: str, candidates: Sequence[Candidate], documents: Callable[[str], Document]
) -> Reading:
    """The writers of the documents whose titles the question tells, and what else the reader found.

    The reading as it is of a question that asks for no writer, or tells no title.
    """
    if not asks_for_writer(question):
        return reading
    told = content_stems(question) - _ABOUT_WRITING
    found = []
    for candidate in candidates:
        document = documents(candidate.passage.document)
        if told and told <= content_stems(f"{document.title} {document.id}"):
            places = _bylines(candidate.passage, document)
            found += [Span(candidate, a, b, document.text[a:b], reading.null + SIGNED) for a, b in places]
    return reading.with_spans(found)


def _bylines(passage: Passage, document: Document) -> Iterator[tuple[int, int]]:
    """The places of the names in a passage's bylines.

    One is also what a document begins with below its title, where that is names alone: none of their words stands
    anywhere in it with a small letter.
    """
    names = _ONLY_NAMES.match(passage.text) if passage.start == document.blocks[0].start else None
    if names and not any(
        re.search(rf"\b{re.escape(w.lower())}\b", document.text) for w in names[0].split() if w[0].isupper()
    ):
        yield passage.start + names.start(), passage.start + names.end()
    for found in BYLINE.finditer(passage.text):
        if passage.start + found.end() <= BEGINNING_CHARACTERS:
            yield passage.start + found.start("name"), passage.start + found.end("name")
