"""Questions that lean on the one before, over the real documents with the real reader."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from qa.datatypes import Answer, Passage
from qa.followup import ask_after, cited_passages
from qa.pipeline import Pipeline
from qa.render import answer_json
from qa.text import normalise_answer

FIXED = Path(__file__).parent / "evaluation" / "followups.jsonl"

COUNCIL = "Which council did Tajikistan join in 1992?"
JOINED = "When did Tajikistan join the Partnership for Peace?"
RECEIVED = "Who received James Appathurai?"


@pytest.mark.parametrize(
    ("before", "question", "read_as", "answer"),
    [
        (COUNCIL, "And when was it renamed?", "when was North Atlantic Cooperation Council renamed?", "1997"),
        (COUNCIL, "What was it renamed?", None, "Euro-Atlantic Partnership Council"),
        (RECEIVED, "What is his post?", "What is Hamrokhon Zarifi’s post?", "Foreign Minister"),
        (
            JOINED,
            "What about the North Atlantic Cooperation Council?",
            "When did Tajikistan join the North Atlantic Cooperation Council?",
            "1992",
        ),
    ],
)
def test_what_is_left_out_is_carried_over(
    pipeline: Pipeline, before: str, question: str, read_as: str | None, answer: str
) -> None:
    given = ask_after(pipeline.answerer().ask, question, pipeline.ask(before))

    assert (given.question, given.text) == (question, answer)
    assert given.read_as is not None and given.carried
    if read_as is not None:
        assert given.read_as == read_as


def test_why_alone_asks_for_the_reason_of_what_was_asked_before(pipeline: Pipeline) -> None:
    given = ask_after(pipeline.answerer().ask, "Why?", pipeline.ask(JOINED))

    assert given.read_as == "Why did Tajikistan join the Partnership for Peace?"
    assert given.text is not None and "bilateral aims converge" in given.text


def test_a_question_that_stands_alone_is_asked_as_it_is() -> None:
    asked: list[str] = []

    def ask(question: str, carried: tuple[Passage, ...]) -> Answer:
        asked.append(question)
        return Answer(question, reason="not_in_documents")

    given = ask_after(ask, "Who leads NATO today?", Answer(COUNCIL, reason="not_in_documents"))

    assert asked == ["Who leads NATO today?"]
    assert (given.read_as, given.carried) == (None, ())


def test_the_first_question_of_all_has_nothing_to_lean_on() -> None:
    given = ask_after(lambda question, _: Answer(question, reason="not_in_documents"), "When was it renamed?", None)

    assert (given.question, given.read_as) == ("When was it renamed?", None)


def test_a_question_without_names_takes_those_of_the_one_before_only_when_it_finds_nothing_alone() -> None:
    asked: list[str] = []

    def ask(question: str, carried: tuple[Passage, ...]) -> Answer:
        asked.append(question)
        return Answer(question, reason="not_in_documents")

    ask_after(ask, "How many mines were found?", Answer("When did Mali join the Union?", reason="not_in_documents"))

    assert asked == ["How many mines were found?", "How many mines were found (Mali, the Union)?"]


def test_the_passages_that_the_answer_before_cites_are_read_again(pipeline: Pipeline) -> None:
    answerer = pipeline.answerer(k=1)
    before = answerer.ask(COUNCIL)
    given = ask_after(answerer.ask, "And when was it renamed?", before)
    (cited,) = cited_passages(before)

    assert before.citations[0].quote in cited.text
    assert [c.passage for c in given.candidates if c.carried] == [cited]
    assert answer_json(given)["carried_passages"] == [
        {"document": cited.document, "start": cited.start, "end": cited.end}
    ]
    assert not any(c.carried for c in ask_after(answerer.ask, "Who leads NATO today?", before).candidates)


def test_a_year_cited_for_an_undated_line_carries_that_line(pipeline: Pipeline) -> None:
    before = pipeline.ask("In which year did President Rahmon make his first visit to NATO Headquarters?")

    assert before.text == "2003"
    assert any("first visit" in passage.text for passage in cited_passages(before))


def test_the_fixed_set_of_questions_that_lean_on_another_is_answered_as_well_as_before(pipeline: Pipeline) -> None:
    outcomes: Counter[str] = Counter()
    for line in FIXED.read_text(encoding="utf-8").splitlines():
        pair = json.loads(line)
        answer = ask_after(pipeline.answerer().ask, pair["question"], pipeline.ask(pair["before"]))
        accepted = {normalise_answer(text) for text in pair["answers"]}
        if answer.text is None:
            outcomes["wrongly silent" if accepted else "rightly silent"] += 1
        else:
            outcomes["right" if normalise_answer(answer.text) in accepted else "wrong"] += 1

    assert outcomes["right"] >= 16 and outcomes["rightly silent"] >= 3 and outcomes["wrong"] <= 3, outcomes
