"""Who wrote a document, where its beginning says so."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from qa.bylines import BEGINNING_CHARACTERS, SIGNED, with_bylines
from qa.datatypes import Reading
from qa.documents import document_of
from tests.reading import candidates


def writers(question: str, text: str, name: str = "stone-bridges.md") -> Sequence[tuple[str, float]]:
    """Who wrote a document, as its beginning says; the reader has marked nothing in it."""
    source = document_of(name, text.encode())
    reading = with_bylines(Reading((), null=1.0), question, candidates(source), {name: source}.__getitem__)
    assert all(source.text[span.start : span.end] == span.text for span in reading.spans)
    return [(span.text, span.score) for span in reading.spans]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("By Ann Lee", "Ann Lee"),
        ("Written by: R. J. Hale Jr. and A. van der Lee", "R. J. Hale Jr. and A. van der Lee"),
        ("by Ann Lee, Staff Writer", "Ann Lee"),
        ("Posted by Ann Lee at 5:11 AM", "Ann Lee"),
        ('By Ann "Annie" Lee May 4, 2019', 'Ann "Annie" Lee'),
        ("Blog entry by Ann Lee | 28 April, 2017", "Ann Lee"),
        ("BY ANN LEE", "ANN LEE"),
        ("Authors: Ann Lee, Tom Hale", "Ann Lee, Tom Hale"),
    ],
)
def test_bylines(line: str, names: str) -> None:
    text = f"The stone bridges of Devon\n\n{line}\n\nThey were built by Tom Hale, says Bob Ray."

    for name, written in (("a.txt", text), ("a.md", f"# {text}")):
        assert writers("Who wrote the article on stone bridges?", written, name) == [(names, 1.0 + SIGNED)]


@pytest.mark.parametrize(
    "line", ["By the river", "By May 2019", "Step by Step", "Published by Hale Books", "Photos by Tom Hale", "By Land"]
)
def test_what_is_none(line: str) -> None:
    assert (
        writers("Who wrote the article on stone bridges?", f"# Stone bridges of Devon\n\n{line}\n\nThey stand.") == []
    )


@pytest.mark.parametrize(
    ("question", "is_told"),
    [
        ("Who is the author of Stone Bridges of Devon?", True),
        ("By whom was the report on Devon's bridges written?", True),
        ("Who reported on the stone bridges?", True),
        ("Who wrote the article on wooden bridges?", False),  # the title does not say that
        ("Who wrote it?", False),
        ("Who built the stone bridges of Devon?", False),
        ("Who published the report on stone bridges?", False),
    ],
)
def test_the_question_has_to_ask_for_the_writer_of_a_text_with_such_a_title(question: str, is_told: bool) -> None:
    text = "# The stone bridges of Devon\n\nBy Ann Lee\n\nThey stand."

    assert writers(question, text) == ([("Ann Lee", 1.0 + SIGNED)] if is_told else [])


def test_a_byline_further_down_is_somebody_else_s() -> None:
    text = f"# Stone bridges\n\n{'They stand. ' * (BEGINNING_CHARACTERS // 12 + 1)}\n\nBy Ann Lee"

    assert writers("Who wrote the article on stone bridges?", text) == []


@pytest.mark.parametrize(
    ("first", "is_told"),
    [("Ann Lee, Tom Hale", True), ("Ann Lee Tom Hale", True), ("Yearly Report", False), ("They stand.", False)],
)
def test_names_alone_below_the_title_are_those_of_the_writers(first: str, is_told: bool) -> None:
    text = f"# Stone bridges\n\n{first}\n\nThis yearly report tells of all of them."

    assert writers("Who wrote the paper on stone bridges?", text) == ([(first, 1.0 + SIGNED)] if is_told else [])
    assert (
        writers("Who wrote the paper on stone bridges?", f"# Stone bridges\n\nThey stand.\n\n## One\n\n{first}") == []
    )
