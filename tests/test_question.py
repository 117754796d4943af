"""What a question asks for."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.errors import QuestionError
from qa.question import MAX_QUESTION_CHARACTERS, AnswerType, asked_type, clean_question, expressions, holds_words


@pytest.mark.parametrize(
    ("question", "clean"),
    [
        ("  When did\n it\topen? ", "When did it open?"),
        ("When\x00did\x1b[31m it\x7f open?", "When did [31m it open?"),
        ("When did \ud800 it open \udcff?", "When did it open ?"),
        ("cafe\u0301", "café"),
        ("ﬁne 👩🏽‍🚀 橋", "ﬁne 👩🏽‍🚀 橋"),
        ("", ""),
        (" \n\t\u00a0 ", ""),
    ],
)
def test_a_question_becomes_one_clean_line(question: str, clean: str) -> None:
    assert clean_question(question) == clean


@given(st.text(st.characters(), max_size=100))
def test_a_clean_question_can_be_written_out_and_cleaned_again(question: str) -> None:
    clean = clean_question(question)

    clean.encode("utf-8")
    assert clean_question(clean) == clean == unicodedata.normalize("NFC", clean)
    assert "\n" not in clean and "\x1b" not in clean


def test_a_question_that_is_too_long_is_refused_with_both_lengths() -> None:
    assert len(clean_question("x" * MAX_QUESTION_CHARACTERS)) == MAX_QUESTION_CHARACTERS
    with pytest.raises(QuestionError, match=r"has 10,000 characters; at most 2,000 are read\. Ask it in fewer words"):
        clean_question("x" * 10_000)


@pytest.mark.parametrize(
    ("question", "holds"), [("", False), ("?!…", False), ("👍 👩🏽‍🚀", False), ("a", True), ("2", True), ("橋", True)]
)
def test_a_question_holds_a_letter_or_a_digit_or_nothing_to_look_for(question: str, holds: bool) -> None:
    assert holds_words(question) is holds


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("When did it open?", "date"),
        ("In which year did it open?", "date"),
        ("What date is it?", "date"),
        ("How many mines were destroyed?", "number"),
        ("how long is the bridge?", "number"),
        ("Who built it?", "person"),
        ("By whom was it built?", "person"),
        ("Where is it?", "place"),
        ("In which city is it?", "place"),
        ("What is it made of?", "text"),
        ("Why did it burn?", "text"),
        ("whenever it rains", "text"),
        ("", "text"),
    ],
)
def test_the_question_word_tells_the_kind_of_answer(question: str, kind: AnswerType) -> None:
    assert asked_type(question) == kind


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("date", "On 1 May 2003, in June 2004 and May 5, 2005.", ["1 May 2003", "June 2004", "May 5, 2005"]),
        ("date", "It took from 1901 to 1903, or 1901–1903.", ["1901", "1903", "1901–1903"]),
        ("date", "Room 12345 is 12 m wide.", []),
        ("number", "In 2004 over 1200 mines and five men were counted.", ["over 1200", "five"]),
        ("number", "It cost $3.5 million, or 12 per cent.", ["$3.5 million", "12 per cent"]),
        (
            "person",
            "Yesterday Foreign Minister Hamrokhon Zarifi spoke.",
            ["Yesterday Foreign Minister Hamrokhon Zarifi"],
        ),
        ("person", "Then Jaap de Hoop Scheffer came.", ["Then Jaap de Hoop Scheffer"]),
        ("person", "Nobody came.", []),
        ("place", "They met in New York and flew to Paris.", ["New York", "Paris"]),
        ("text", "They met in New York in 2004.", []),
    ],
)
def test_expressions_of_a_kind_are_found_with_their_places(kind: AnswerType, text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in expressions(kind, text)] == found


@given(st.sampled_from(["date", "number", "person", "place", "text"]), st.text(max_size=200))
def test_expressions_are_in_order_and_inside_the_text(kind: AnswerType, text: str) -> None:
    edges = [0, *(edge for place in expressions(kind, text) for edge in place), len(text)]

    assert edges == sorted(edges)
