"""From features to a probability."""

from __future__ import annotations

import dataclasses

import pytest

from qa.calibration import MAX_GAP, MAX_LEAD, Calibrator, Features, features
from qa.datatypes import Reading, Span
from qa.embedding import SentenceTransformerEmbedder
from qa.errors import ModelMissing
from qa.pipeline import READERS, open_reader
from tests.reading import candidates, document

FLAT = dict.fromkeys((field.name for field in dataclasses.fields(Features)), 0.0)
PAGE = document("page.txt", "Mines were destroyed by 2004. In 2003 the fund paid for 1000 mines in Tajikistan.")


def test_features_can_be_computed_by_hand():
    [only] = candidates(PAGE)
    best, other = Span(only, 56, 60, "1000", 3.0), Span(only, 24, 28, "2004", 1.0)
    found = features("How many mines in Tajikistan in 1999?", Reading((best, other), 0.5), (best,), 2)
    assert found == Features(
        margin=2.5,  # 3.0 - 0.5
        gap=2.0,  # 3.0 - 1.0
        dense=0.6,
        words=pytest.approx(2 / 4),  # mine, tajikistan of many, mine, tajikistan, 1999
        names=pytest.approx(1 / 2),  # tajikistan of tajikistan, 1999
        agreement=1.0,
        kind=1.0,  # a number for "how many"
        yes_no=0.0,
        whole_list=0.0,
        instructs=0.0,
        lead=0.0,
    )


def test_an_answer_without_a_rival_has_the_greatest_gap():
    [only] = candidates(PAGE)
    best = Span(only, 56, 60, "1000", 3.0)
    assert features("How many?", Reading((best,), 0.0), (best,), 1).gap == MAX_GAP


def test_an_answer_behind_another_has_no_lead():
    [only] = candidates(PAGE)
    best, other = Span(only, 56, 60, "1000", 3.0), Span(only, 24, 28, "2004", 1.0)
    assert features("How many?", Reading((best, other), 0.0), (other,), 1).gap == 0.0


@pytest.mark.parametrize(("question", "yes_no"), [("Were mines destroyed?", 1.0), ("Which mines were destroyed?", 0.0)])
def test_whether_yes_or_no_is_asked(question: str, yes_no: float):
    [only] = candidates(PAGE)
    best = Span(only, 0, 29, "Mines were destroyed by 2004.", 1.0)
    assert features(question, Reading((best,), 0.0), (best,), 1).yes_no == yes_no


LIST = document("list.txt", "Doors\n\n- Open the door.\n- Go through it.")


@pytest.mark.parametrize(
    ("question", "length", "expected"),
    [
        ("How do I go out?", 31, (1.0, 1.0)),
        ("How do I go out?", 14, (0.0, 1.0)),
        ("How do I go out?", 4, (0.0, 1.0)),
        ("Which doors are there?", 31, (0.0, 0.0)),
    ],
)
def test_whether_what_to_do_is_asked_and_told(question: str, length: int, expected: tuple[float, float]):
    [only] = candidates(LIST)
    start = LIST.text.index("Open")
    best = Span(only, start, start + length, LIST.text[start : start + length], 1.0)
    found = features(question, Reading((best,), 0.0), (best,), 1)
    assert (found.whole_list, found.instructs) == expected


def test_the_lead_of_a_procedure_is_over_what_stands_under_other_headings():
    found = [
        dataclasses.replace(each, dense=dense)
        for each, dense in zip(candidates(LIST, document("b.txt", "Doors\n\nNothing.")), (0.7, 0.5), strict=True)
    ]
    spans = [Span(c, c.passage.start, c.passage.start + 4, c.passage.text[:4], 1.0) for c in found]
    both, one = Reading(tuple(spans), 0.0), Reading((spans[0],), 0.0)
    assert features("How do I go out?", both, (spans[0],), 1).lead == pytest.approx(0.2)
    assert features("How do I go out?", both, (spans[1],), 1).lead == pytest.approx(-0.2)
    assert features("How do I go out?", one, (spans[0],), 1).lead == MAX_LEAD
    assert features("Which doors are there?", both, (spans[0],), 1).lead == 0


def test_questions_of_what_to_do_have_coefficients_of_their_own():
    steps = Calibrator(1.0, FLAT)
    both = Calibrator(-1.0, FLAT, steps)
    assert both.for_question("How do I go out?") is steps
    assert both.for_question("When did it open?") is both
    assert Calibrator(-1.0, FLAT).for_question("How do I go out?").intercept == -1.0


def test_the_probability_is_the_logistic_of_the_weighted_sum():
    calibrator = Calibrator(-1.0, {**FLAT, "margin": 2.0})
    zero = Features(0.5, *[0] * 10)
    assert calibrator.confidence(zero) == pytest.approx(0.5)  # -1 + 2 × 0.5 = 0
    assert calibrator.confidence(Features(-1e9, *[0] * 10)) == 0.0


def test_coefficients_that_do_not_fit_the_features_are_refused():
    with pytest.raises(ModelMissing, match="expected are"):
        Calibrator(0.0, {"margin": 1.0})


def test_a_reader_without_calibration_is_refused_with_what_to_do():
    with pytest.raises(ModelMissing, match="training/calibrate.py"):
        Calibrator.load("nobody")


def test_every_reader_has_its_calibration(embedder: SentenceTransformerEmbedder):
    for name in READERS:
        calibrator = Calibrator.load(open_reader(name, embedder).name)
        assert calibrator.confidence(Features(5, 5, 1, 1, 1, 1, 1, 0, 0, 0, 0)) > 0.5
        assert calibrator.steps is not None
        assert calibrator.steps.confidence(Features(5, 5, 1, 1, 1, 1, 1, 0, 1, 1, 0.3)) > 0.5
