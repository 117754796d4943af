"""What is said of Article 6 answers no question about Article 5."""

from __future__ import annotations

import pytest

from qa.datatypes import Reading, Span
from qa.documents import document_of
from qa.numbered import without_other_numbers
from tests.reading import candidates


def left(question: str, text: str) -> list[str]:
    """What is left of the first words of each of a text's sections, as if a reader had marked them."""
    found = candidates(document_of("a.md", text.encode()))
    spans = [Span(c, c.passage.start, c.passage.start + 5, c.passage.text[:5], 1.0) for c in found]
    return [span.candidate.passage.text for span in without_other_numbers(Reading(tuple(spans), 0.0), question).spans]


PAPERS = {"A": "PEP 690 was rejected.", "B": "PEP 692 was accepted.", "C": "No paper was left on May 7."}


@pytest.mark.parametrize(
    ("question", "sections"),
    [
        ("Was PEP 690 accepted?", "AC"),
        ("What was decided about PEP 8?", "C"),
        ("What was decided about the PEPs?", "ABC"),
        ("How many of 690 papers were left?", "ABC"),
        ("What was decided in 2004?", "ABC"),
        ("What was decided on May 6?", "ABC"),
    ],
)
def test_passages_about_another_number_are_left_out(question: str, sections: str) -> None:
    text = "\n\n".join(f"# {name}\n\n{said}" for name, said in PAPERS.items())

    assert left(question, text) == [PAPERS[name] for name in sections]


@pytest.mark.parametrize(
    "text",
    [
        "Articles 5 and 6 protect property.",
        "As article 6, it protects property; see also 5.",
        "# Article 5\n\nUnder Article 6 it is protected.",
        "It is protected by law.",
    ],
)
def test_a_passage_that_has_the_number_anywhere_is_read(text: str) -> None:
    assert left("What does article 5 protect?", text)


def test_a_passage_that_has_another_number_alone_is_not() -> None:
    assert left("What does article 5 protect?", "Article 6 protects property.") == []
