"""The sentence reader with the real embedder: it needs no trained reader, and is decent."""

from __future__ import annotations

import pytest

from qa.datatypes import Reading
from qa.embedding import SentenceTransformerEmbedder
from qa.reader import SentenceReader
from tests.reading import candidates, document

SCHOOL = document(
    "school.txt",
    "The school\n\nThe school was founded in 1907 by Maria Rossi in Turin. It has 420 pupils. "
    "Lessons are given in Italian and French.\n\n"
    "Milestones\n\n1923: A second house is built.\nThe library opens.\n1946: The school reopens after the war.",
)


def read(embedder: SentenceTransformerEmbedder, question: str) -> Reading:
    return SentenceReader(embedder).read(question, candidates(SCHOOL))


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("When was the school founded?", "1907"),
        ("How many pupils does the school have?", "420"),
        ("Who founded the school?", "Maria Rossi"),
        ("In which languages are lessons given?", "Lessons are given in Italian and French."),
    ],
)
def test_the_expression_asked_for_is_the_answer_and_else_the_sentence(
    embedder: SentenceTransformerEmbedder, question: str, answer: str
):
    best = read(embedder, question).spans[0]
    assert best.text == answer
    assert SCHOOL.text[best.start : best.end] == answer


def test_an_undated_line_is_answered_with_the_year_above_it(embedder: SentenceTransformerEmbedder):
    best = read(embedder, "In which year did the library open?").spans[0]
    assert (best.text, SCHOOL.text[slice(*best.support or (0, 0))]) == ("1923", "The library opens.")


def test_what_is_not_said_scores_below_what_is(embedder: SentenceTransformerEmbedder):
    said = read(embedder, "When was the school founded?")
    unsaid = read(embedder, "Which football club won the cup in Madrid?")
    assert said.spans[0].score > said.null > unsaid.spans[0].score


def test_nothing_to_read_gives_no_spans(embedder: SentenceTransformerEmbedder):
    assert SentenceReader(embedder).read("When?", []).spans == ()
