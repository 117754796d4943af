"""Sentences with their places, and words in the form in which they are compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.text import (
    MAX_SENTENCE_CHARACTERS,
    content_stems,
    list_goes_on,
    names_and_numbers,
    normalise_answer,
    sentences,
    stems,
)


def split(text: str) -> list[str]:
    return [sentence.text for sentence in sentences(text, 0, len(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It rained. The bridge held.", ["It rained.", "The bridge held."]),
        ("Dr. J. K. Smith met Mrs. Ford. He left.", ["Dr. J. K. Smith met Mrs. Ford.", "He left."]),
        ("It took approx. five men. It rained.", ["It took approx. five men.", "It rained."]),
        ("It took approx. 5 men.", ["It took approx. 5 men."]),
        ("See Art. 5 of it. He left.", ["See Art. 5 of it.", "He left."]),
        ("It cost $3.5 m. in 2004. It is paid.", ["It cost $3.5 m. in 2004.", "It is paid."]),
        ("The U.S. Army came. It left.", ["The U.S. Army came.", "It left."]),
        ("He said: “Stop! Go.” Then he left.", ["He said: “Stop! Go.”", "Then he left."]),
        ("Did it rain? It did! Good.", ["Did it rain?", "It did!", "Good."]),
        ("no punctuation at all", ["no punctuation at all"]),
        ("第一文。第二文。", ["第一文。", "第二文。"]),
        (" \n\t ", []),
        ("", []),
    ],
)
def test_text_is_split_where_a_sentence_ends(text: str, expected: list[str]) -> None:
    assert split(text) == expected


def test_offsets_are_those_of_the_whole_text_and_leave_the_white_space_out() -> None:
    text = "Heading\n  It rained.  The bridge held. \nNext."
    found = sentences(text, 8, 40)

    assert [(s.start, s.end, s.text) for s in found] == [(10, 20, "It rained."), (22, 38, "The bridge held.")]


def test_a_line_without_punctuation_is_cut_between_words() -> None:
    lengths = [len(piece) for piece in split("word " * 500)]

    assert lengths == [999, 999, 499]
    assert all(piece.split(" ") == ["word"] * len(piece.split()) for piece in split("word " * 500))


def test_a_line_without_spaces_is_cut_at_the_limit() -> None:
    assert [len(piece) for piece in split("x" * 2500)] == [1000, 1000, 500]


ODD_TEXT = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from(list(" .!?\n\t\u00a0\u2028\u0301ﬁ👩🏽‍🚀第。。»“”()0aA\u200b\x85\x1c\x00")),
    ),
    max_size=400,
)


@given(ODD_TEXT, st.integers(0, 30))
def test_sentences_are_slices_in_order_and_nothing_but_white_space_is_left_out(text: str, start: int) -> None:
    start = min(start, len(text))
    found = sentences(text, start, len(text))

    assert all(text[s.start : s.end] == s.text == s.text.strip() != "" for s in found)
    assert all(len(s.text) <= MAX_SENTENCE_CHARACTERS for s in found)
    edges = [start, *(edge for s in found for edge in (s.start, s.end)), len(text)]
    assert edges == sorted(edges)
    between = zip(edges[::2], edges[1::2], strict=True)
    assert all(text[first:last].strip() == "" for first, last in between)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Partnership for Peace.", "partnership for peace"),
        ("“2002”", "2002"),
        ("an  A-B\nthe", "ab"),
        ("NATO’s", "natos"),
        ("theatre", "theatre"),
        ("...", ""),
    ],
)
def test_answers_are_compared_without_case_punctuation_and_articles(one: str, other: str) -> None:
    assert normalise_answer(one) == other


def test_stems_are_lower_case_and_keep_their_order() -> None:
    assert stems("Visiting visitors visited NATO") == ["visit", "visitor", "visit", "nato"]
    assert stems("👍 — !") == []


def test_content_stems_leave_question_words_and_articles_out() -> None:
    assert content_stems("When did the mayor's bridges open?") == {"mayor", "bridg", "open"}
    assert content_stems("What is it?") == set()


def test_names_and_numbers_leave_the_first_word_out_unless_it_holds_a_digit() -> None:
    assert names_and_numbers("Bridges in Dushanbe?") == {"dushanb"}
    assert names_and_numbers("2002 saw what?") == {"2002"}


@pytest.mark.parametrize(
    ("part", "goes_on"),
    [
        ("mines", (False, True)),
        ("shells", (True, True)),
        ("mines, shells (old ones), and fuses", (False, False)),  # what comes next is a clause
        ("They", (False, False)),
    ],
)
def test_a_list_goes_on_where_a_comma_or_an_and_links_its_members(part: str, goes_on: tuple[bool, bool]) -> None:
    sentence = "They destroyed mines, shells (old ones), and fuses, which took years."
    start = sentence.index(part)
    assert list_goes_on(sentence, start, start + len(part)) == goes_on


@given(sentence=st.text(alphabet="ab,; ()&"), ends=st.tuples(st.integers(0, 20), st.integers(0, 20)))
def test_a_list_goes_on_only_where_a_link_stands_on_that_side(sentence: str, ends: tuple[int, int]) -> None:
    start, end = sorted(min(end, len(sentence)) for end in ends)
    left, right = list_goes_on(sentence, start, end)
    assert not left or set(sentence[:start]) & set(",;&")
    assert not right or set(sentence[end:]) & set(",;&")
