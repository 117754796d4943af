"""Procedures and lists whose items stand on lines of their own: given whole, and shown line by line."""

from __future__ import annotations

import dataclasses

import pytest

from qa.answering import Answerer, cite
from qa.datatypes import Candidate, Document, Reading, Span
from qa.export import answer_copy, answer_markdown
from qa.lists import MAX_LIST_CHARACTERS, with_whole_lists, without_contents
from qa.render import answer_text, citation_json
from tests.reading import candidates, document
from tests.test_answering import MARGIN_ALONE, Finding, Giving

MANUAL = document(
    "manual.txt",
    """The pump

Filling it

Before you fill the pump, do the following:
1. Close the valve.
2. Open the lid.
3. Pour in oil, water or both.
A full pump is heavy.

Parts

The pump has these parts:
- a valve of brass, made in Oslo, Rome or Bonn
- a lid
- a handle
""",
)
FILLING = "1. Close the valve.\n2. Open the lid.\n3. Pour in oil, water or both."
PARTS = "- a valve of brass, made in Oslo, Rome or Bonn\n- a lid\n- a handle"


def marked(words: str) -> Span:
    """The words in their passage."""
    start = MANUAL.text.index(words)
    held = next(c for c in candidates(MANUAL) if c.passage.start <= start and start + len(words) <= c.passage.end)
    return Span(held, start, start + len(words), words, 4.0)


def whole(words: str, question: str) -> str:
    [span] = with_whole_lists(Reading((marked(words),), 0.0), question, {MANUAL.id: MANUAL}.__getitem__).spans
    assert MANUAL.text[span.start : span.end] == span.text
    assert span.score == 4.0
    return span.text


@pytest.mark.parametrize("words", ["Open the lid.", "Close", "the valve.\n2. Open", "Before you fill the pump"])
@pytest.mark.parametrize(
    "question", ["How do I fill the pump?", "steps for filling it?", "What must one do to fill it?"]
)
def test_all_steps_answer_what_to_do(words: str, question: str) -> None:
    assert whole(words, question) == FILLING


@pytest.mark.parametrize("words", ["a lid", "a valve of brass", "valve of brass, made in Oslo, Rome or Bonn\n- a lid"])
def test_all_items_answer_what_there_is(words: str) -> None:
    assert whole(words, "What parts does the pump have?") == PARTS
    assert whole(words, "Which parts are there?") == PARTS


@pytest.mark.parametrize(
    ("words", "question"),
    [
        ("Oslo, Rome or Bonn", "In which towns are valves made?"),  # several, but all in one item
        ("Oslo", "Which towns make valves?"),
        ("a lid", "What is on top?"),
        ("A full pump is heavy.", "How do I lift the pump?"),  # behind the list
        ("these parts", "Which parts are there?"),
    ],
)
def test_what_is_no_list_stays_as_it_was_marked(words: str, question: str) -> None:
    assert whole(words, question) == words


def test_several_items_that_are_marked_are_the_whole_list_whatever_is_asked() -> None:
    assert whole("Open the lid.\n3. Pour", "What makes the pump work?") == FILLING


def test_of_a_list_of_many_pages_those_steps_are_given_that_stand_in_the_passage() -> None:
    steps = "".join(
        f"{n}. Turn wheel {n} of the machine to the left, and wait until it stands.\n" for n in range(1, 80)
    )
    long = document("long.txt", f"Wheels\n\n{steps}")
    assert len(steps) > MAX_LIST_CHARACTERS
    second = candidates(long)[1]
    span = Span(second, second.passage.start, second.passage.start + 4, second.passage.text[:4], 1.0)
    [grown] = with_whole_lists(Reading((span,), 0.0), "How do I set the wheels?", {long.id: long}.__getitem__).spans
    assert (grown.start, grown.end) == (second.passage.start, second.passage.end)


def test_a_procedure_longer_than_its_passage_is_cited_whole_and_in_those_copies_that_have_it_all() -> None:
    steps = [f"{n}. Turn wheel {n} to the left, and wait until it stands still again." for n in range(1, 20)]
    one = document("one.txt", "\n".join(["Wheels", "", *steps]))
    same = document("same.txt", one.text)
    short = document("short.txt", "\n".join(["Wheels", "", *steps[:-1]]))
    first, second = candidates(one)[0], candidates(short)[0].passage
    assert first.passage.text == second.text
    found = dataclasses.replace(first, copies=(second, candidates(same)[0].passage))
    answer = answering("wheel_7", found, one, same, short).ask("How do I set the wheels?")
    assert answer.text == "\n".join(steps)
    assert [citation.document for citation in answer.citations] == ["one.txt", "same.txt"]


def answering(words: str, found: Candidate, *documents: Document) -> Answerer:
    by_id = {each.id: each for each in documents}
    return Answerer(Giving([found]), Finding(**{words: 4.0}), MARGIN_ALONE, by_id.__getitem__)  # type: ignore[arg-type]


def test_the_surest_procedure_is_given_not_the_one_that_is_marked_most_clearly() -> None:
    near, far = document("near.txt", "Near\n\n- Open it.\n- Fill it."), document("far.txt", "Far\n\n- Shut it.\n- Go.")
    found = [dataclasses.replace(c, dense=dense) for c, dense in zip(candidates(far, near), (0.5, 0.8), strict=True)]
    by_meaning = dataclasses.replace(
        MARGIN_ALONE, coefficients={**MARGIN_ALONE.coefficients, "margin": 0.0, "dense": 5.0}
    )
    calibrator = dataclasses.replace(MARGIN_ALONE, steps=by_meaning)
    reader = Finding(Shut=6.0, Open=4.0)
    answerer = Answerer(Giving(found), reader, calibrator, {"near.txt": near, "far.txt": far}.__getitem__)
    assert answerer.ask("How do I use it?").text == "- Open it.\n- Fill it."
    assert answerer.ask("What is shut?").text == "Shut"


def test_a_list_is_shown_line_by_line_and_its_items_have_their_places() -> None:
    span = marked("a lid")
    grown = dataclasses.replace(
        span, start=MANUAL.text.index(PARTS), end=MANUAL.text.index(PARTS) + len(PARTS), text=PARTS
    )
    citation = cite(grown, grown.candidate.passage, MANUAL, 1)
    assert citation.lines == tuple(PARTS.split("\n"))
    places = [MANUAL.text[start:end] for start, end in citation_json(citation)["items"]]
    assert places == ["a valve of brass, made in Oslo, Rome or Bonn", "a lid", "a handle"]

    answer = answering("a_lid", candidates(MANUAL)[-1], MANUAL).ask("Which parts are there?")
    assert answer_text(answer).startswith(f"{PARTS}   (confidence")
    assert "    - a lid\n    - a handle«" in answer_text(answer)
    assert answer_copy(answer).startswith(PARTS)
    assert "\n> \\- a lid\\\n> \\- a handle[^1]\n" in answer_markdown(answer)


def test_what_is_no_list_is_shown_on_one_line() -> None:
    wrapped = document("wrapped.txt", "The committee met in the old town\nhall, and nothing was decided there.\n")
    span = Span(candidates(wrapped)[0], 0, len(wrapped.text) - 1, wrapped.text[:-1], 1.0)
    citation = cite(span, span.candidate.passage, wrapped, 1)
    assert citation.items == ()
    assert citation.lines == ("The committee met in the old town hall, and nothing was decided there.",)


GUIDE = document(
    "guide.txt",
    """The guide

This guide tells of these things:
- Filling it .... 2
- Cleaning it
- Lids
- Index

Filling it

You fill it with oil, every other week or so.

Cleaning it

You wipe it with a cloth.

Lids

It has a lid of brass and another one of tin.
""",
)


@pytest.mark.parametrize(
    ("words", "question", "kept"),
    [
        ("Lids", "Name the parts of the pump.", True),
        ("Lids", "What is it closed with?", False),
        ("Filling it", "How do I fill it?", False),
        ("Filling it", "Which chapters are there?", True),
        ("a lid of brass", "What is it closed with?", True),
        ("these things", "What is it about?", True),
    ],
)
def test_a_table_of_contents_answers_only_what_asks_for_it(words: str, question: str, kept: bool) -> None:
    start = GUIDE.text.index(words)
    held = next(c for c in candidates(GUIDE) if c.passage.start <= start < c.passage.end)
    span = Span(held, start, start + len(words), words, 4.0)
    left = without_contents(Reading((span,), 0.0), question, {GUIDE.id: GUIDE}.__getitem__)

    assert left == Reading((span,) if kept else (), 0.0)


DOTS = document(
    "dots.txt",
    """The guide

Filling it . . . . . . . . . 3 Cleaning it . . . . . . . . . 4 Lids . . . . . . . . . 9

Filling it

Thin oil . . . . . . . . . 3 Thick oil . . . . . . . . . 4 Green oil . . . . . . . . . 9

Cleaning it

You wipe it with a cloth.

Lids

It has a lid of brass and another one of tin.
""",
)


@pytest.mark.parametrize(("words", "kept"), [("Cleaning it", False), ("Thick oil", True)])
def test_a_table_of_contents_run_together_is_one_and_a_price_list_is_not(words: str, kept: bool) -> None:
    start = DOTS.text.index(words)
    held = next(c for c in candidates(DOTS) if c.passage.start <= start < c.passage.end)
    reading = Reading((Span(held, start, start + len(words), words, 4.0),), 0.0)

    left = without_contents(reading, "What is dearer?", {DOTS.id: DOTS}.__getitem__)
    assert left == (reading if kept else Reading((), 0.0))


@pytest.mark.parametrize(
    ("words", "question"), [("Close the valve", "What must be closed?"), ("a lid", "What has it?")]
)
def test_other_lists_are_no_tables_of_contents(words: str, question: str) -> None:
    reading = Reading((marked(words),), 0.0)
    assert without_contents(reading, question, {MANUAL.id: MANUAL}.__getitem__) == reading
