"""What is shown of passages where the documents do not say."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from qa.datatypes import Answer, Candidate
from qa.render import answer_text, excerpt, excerpt_text
from tests.reading import candidates, document

RIVER = document(
    "river.txt",
    "The river rises in the hills. It is cold. A stone bridge was built in 1402 by the guild of millers. "
    "It burnt down twice. The third one stands to this day.",
)
[PLAIN] = candidates(RIVER)
PASSAGE = dataclasses.replace(PLAIN, passage=dataclasses.replace(PLAIN.passage, headings=("Bridges", "Of stone")))


def marked(words: str) -> Candidate:
    start = RIVER.text.index(words)
    return dataclasses.replace(PASSAGE, read=-1.0, marked=(start, start + len(words)))


def test_an_excerpt_begins_with_the_sentence_that_the_reader_marked() -> None:
    found = marked("the guild of millers")

    assert excerpt_text(found, 59) == "… A stone bridge was built in 1402 by the guild of millers. …"
    assert RIVER.text[slice(*excerpt(found, 59))] == "A stone bridge was built in 1402 by the guild of millers."


def test_near_the_end_it_begins_with_a_sentence_before() -> None:
    assert excerpt_text(marked("third one"), 60) == "… It burnt down twice. The third one stands to this day."


def test_a_long_sentence_is_shown_around_what_the_reader_marked() -> None:
    assert excerpt_text(marked("the guild"), 24) == "… 1402 by the guild of …"


def test_a_passage_that_was_not_read_begins_with_its_beginning_and_a_short_one_is_shown_whole() -> None:
    assert excerpt_text(PASSAGE, 36) == "The river rises in the hills. It is …"
    assert excerpt_text(marked("third one"), 500) == PASSAGE.passage.text


def test_the_terminal_shows_first_what_the_reader_found_likeliest() -> None:
    other = document("other.txt", "Nothing is said of bridges here.")
    [unread, low] = candidates(other, other)
    low, high = dataclasses.replace(low, read=-2.0), dataclasses.replace(PASSAGE, read=-1.0)
    shown = answer_text(Answer("Who built it?", candidates=(unread, low, high), reason="not_in_documents"))

    assert shown.splitlines()[3].startswith("  river.txt · Bridges › Of stone: The river rises in the hills.")
    assert [line.split(":")[0].strip() for line in shown.splitlines()[4:]] == ["other.txt", "other.txt"]


@given(st.text(alphabet="ab .\n\u00e9\U0001f600", min_size=1, max_size=300), st.data())
def test_an_excerpt_is_a_part_of_the_document(text: str, data: st.DataObject) -> None:
    made = document("made.txt", text)
    for candidate in candidates(made):
        passage = candidate.passage
        first = data.draw(st.integers(passage.start, passage.end - 1))
        last = data.draw(st.integers(first + 1, passage.end))
        characters = data.draw(st.integers(1, 200))
        read = dataclasses.replace(candidate, marked=(first, last))
        start, end = excerpt(read, characters)

        assert passage.start <= start < end <= passage.end
        assert end - start <= characters or end - start == len(passage.text)
        assert start <= first
        assert excerpt_text(read, characters).strip("… ") in made.text
