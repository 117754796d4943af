"""The measures on outcomes one can check by eye, the question set against the files, and the pass marks."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from torchmetrics.functional.classification import binary_calibration_error
from torchmetrics.functional.text import squad

from qa.cli import main
from qa.datatypes import Answer, Candidate, Citation, Passage
from qa.documents import decode
from qa.embedding import SentenceTransformerEmbedder
from qa.errors import QuestionsError
from qa.evaluation import (
    Accepted,
    Example,
    Mark,
    Outcome,
    Place,
    calibration_error,
    evaluate,
    figures,
    is_right,
    read_examples,
    read_marks,
    reliability,
    risk_coverage_area,
    squad_scores,
)
from qa.pipeline import Pipeline
from qa.report import report_html, report_json, report_text
from qa.span_reader import SpanReader

QUESTIONS = Path(__file__).parent / "evaluation" / "questions.jsonl"
TEXT = "The treaty was signed in 1992 in Geneva. It was renewed in 2002."


def citation(answer: str, document: str = "a.txt", at: int | None = None) -> Citation:
    start = TEXT.index(answer) if at is None else at
    return Citation(1, document, "0" * 64, "A", None, (), None, 1, 0, len(TEXT), TEXT, start, start + len(answer))


def example(*answers: str, tags: tuple[str, ...] = (), evidence: tuple[Place, ...] = ()) -> Example:
    accepted = tuple(
        Accepted(Place("a.txt", TEXT.index(a), TEXT.index(a) + len(a)), a, "AB"[i] if "disagreement" in tags else "A")
        for i, a in enumerate(answers)
    )
    return Example("q", "test", "date", tags, "When?", accepted, evidence)


def outcome(
    asked: Example, given: str | None, right: bool, confidence: float, relevant: tuple[bool, ...] = ()
) -> Outcome:
    answer = (
        Answer("When?", confidence, reason="not_in_documents", seconds=0.1)
        if given is None
        else Answer("When?", confidence, citations=(citation(given),), independent_documents=1, seconds=0.3)
    )
    exact, f1 = (1.0, 1.0) if right or (given is None and not asked.answers) else (0.0, 0.0)
    return Outcome(asked, answer, right, True, exact, f1, relevant, int(given is not None), int(given is not None))


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ("1992", True),
        ("in 1992", True),  # shares half of its words and more
        ("The treaty was signed in 1992 in Geneva.", True),  # a sentence that contains it
        ("Geneva", False),
        ("2002", False),
    ],
)
def test_an_answer_is_right_at_an_accepted_place_in_fair_words(given: str, right: bool):
    assert is_right(example("1992"), [citation(given)]) is right


def test_the_same_words_elsewhere_are_not_right():
    assert not is_right(example("1992"), [citation("1992", document="b.txt")])
    assert not is_right(example("1992"), [])


def test_the_evidence_must_be_quoted_too():
    asked = example("1992", evidence=(Place("a.txt", 0, len(TEXT)),))
    whole, half = citation("1992"), Citation(1, "a.txt", "", "", None, (), None, 1, 0, 40, TEXT[:40], 25, 29)
    assert is_right(asked, [whole])
    assert not is_right(asked, [half])
    assert is_right(asked, [half, whole])  # the citations together


def test_exact_match_and_f1_by_eye():
    assert squad_scores("The Geneva.", ["geneva", "Bern"]) == (1.0, 1.0)
    exact, f1 = squad_scores("signed in 1992", ["1992"])
    assert (exact, f1) == (0.0, pytest.approx(0.5))  # precision 1/3, recall 1


words = st.lists(st.sampled_from(["the", "Geneva", "geneva,", "in", "1992", "a", "(mines)", "mines", "U.S.", ""]))


@given(words.map(" ".join), st.lists(words.map(" ".join), min_size=1, max_size=3))
def test_exact_match_and_f1_are_the_official_ones(text: str, accepted: list[str]):
    official = squad(
        {"prediction_text": text, "id": ""}, {"answers": {"text": accepted, "answer_start": [0]}, "id": ""}
    )
    assert squad_scores(text, accepted) == pytest.approx(
        (float(official["exact_match"]) / 100, float(official["f1"]) / 100)
    )


@given(st.lists(st.tuples(st.integers(0, 99), st.booleans()), min_size=1, max_size=30))
def test_the_calibration_error_is_that_of_the_fields_library(judged: list[tuple[int, bool]]):
    confidences = [(whole + 0.5) / 100 for whole, _ in judged]  # none on the edge of a bin
    outcomes = [
        outcome(example("1992"), "1992" if right else "Geneva", right, confidence)
        for confidence, (_, right) in zip(confidences, judged, strict=True)
    ]
    official = binary_calibration_error(
        torch.tensor(confidences, dtype=torch.float64), torch.tensor([int(right) for _, right in judged]), n_bins=10
    )
    assert calibration_error(outcomes) == pytest.approx(float(official), abs=1e-6)


def test_figures_by_eye():
    outcomes = [
        outcome(example("1992"), "1992", True, 0.9, (True, False)),
        outcome(example("1992"), "Geneva", False, 0.7, (False, True)),
        outcome(example("2002"), None, True, 0.4, (False, False)),
        outcome(example(), None, False, 0.2),
        outcome(example(), "Geneva", False, 0.6),
    ]
    found = figures(outcomes)
    assert found["recall@1"] == pytest.approx(1 / 3)
    assert found["recall@5"] == pytest.approx(2 / 3)
    assert found["MRR"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert found["right answers"] == pytest.approx(1 / 3)
    assert found["wrong answers"] == pytest.approx(1 / 3)
    assert found["wrongly silent"] == pytest.approx(1 / 3)
    assert found["rightly silent"] == pytest.approx(1 / 2)
    assert found["good outcomes"] == pytest.approx(2 / 5)
    assert found["exact citations"] == 1.0
    assert found["seconds, median"] == pytest.approx(0.3)
    assert "disagreements shown" not in found  # nothing to take a share of


def test_where_it_is_silent_the_answer_may_still_be_shown():
    whole = Passage("a.txt", 0, len(TEXT), TEXT, (), "", ())
    half = Passage("a.txt", 0, TEXT.index("1992"), TEXT[: TEXT.index("1992")], (), "", ())

    def silent(passage: Passage) -> Outcome:
        given = outcome(example("1992"), None, True, 0.4)
        return replace(given, answer=replace(given.answer, candidates=(Candidate(passage, 1, 0.1, 0.5, 1.0),)))

    assert figures([silent(whole), silent(half)])["shown when silent"] == pytest.approx(1 / 2)
    assert "shown when silent" not in figures([outcome(example("1992"), "1992", True, 0.9)])


def test_calibration_error_and_risk_coverage_by_eye():
    sure = outcome(example("1992"), "1992", True, 0.95)
    unsure = outcome(example("1992"), "Geneva", False, 0.15)
    # Two bins of one question each: |0.95 - 1| and |0.15 - 0|, half the weight each.
    assert calibration_error([sure, unsure]) == pytest.approx((0.05 + 0.15) / 2)
    # Ordered by confidence: right then wrong, so the risk is 0 at half coverage and 1/2 at full.
    assert risk_coverage_area([unsure, sure]) == pytest.approx((0 + 1 / 2) / 2)
    assert [(b.questions, b.share_right) for b in reliability([sure, unsure])] == [(1, 0.0), (1, 1.0)]


def test_an_evaluation_needs_no_torch_and_no_reader_of_files(pipeline: Pipeline, index_path: Path, tmp_path: Path):
    """Else the first one on the page would hold up everyone who asks meanwhile, and each answer cost more memory."""
    assert pipeline.search("Which council?")  # the embedder is exported now
    lines = QUESTIONS.read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "some.jsonl").write_text("".join(lines[::25]), encoding="utf-8")
    evaluating = (
        "import sys; from qa.cli import main; main(sys.argv[1:], standalone_mode=False); "
        "print([name for name in ('torch', 'qa.formats') if name in sys.modules])"
    )
    options = ["--questions", str(tmp_path / "some.jsonl"), "--index", str(index_path)]
    ran = subprocess.run([sys.executable, "-c", evaluating, "evaluate", *options], capture_output=True, text=True)

    assert "right answers" in ran.stdout, ran.stderr
    assert ran.stdout.endswith("\n[]\n")


@pytest.mark.parametrize(("reader", "told"), [("span", True), ("span-exact", False)])
def test_a_missed_mark_is_told_and_what_reader_the_marks_are_for(
    index_path: Path, tmp_path: Path, reader: str, told: bool
):
    asked = next(e for e in read_examples(QUESTIONS) if e.split == "test")
    lines = QUESTIONS.read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "one.jsonl").write_text(next(line for line in lines if json.loads(line)["id"] == asked.id), "utf-8")
    (tmp_path / "marks.json").write_text('{"good outcomes": {"at_least": 1.1}}')
    options = ["--questions", str(tmp_path / "one.jsonl"), "--index", str(index_path), "--reader", reader]
    ran = CliRunner().invoke(main, ["evaluate", *options])

    assert ran.exit_code == 1
    assert "MISSED: good outcomes is" in ran.stdout
    assert ("--reader span-exact computes anywhere" in ran.stderr) is told


@pytest.mark.parametrize(("value", "kept"), [(0.9, True), (0.8, True), (0.79, False)])
def test_a_mark_is_kept_at_its_value_and_missed_below(value: float, kept: bool):
    assert Mark("F1", "at_least", 0.8).kept({"F1": value}) is kept


def test_a_file_of_questions_that_is_none_is_refused_by_line(tmp_path: Path):
    path = tmp_path / "q.jsonl"
    path.write_text('{"id": 1, "question": "Q?", "answers": []}\n\n{"id": 2}\n')
    with pytest.raises(QuestionsError, match="line 3, is no example"):
        read_examples(path)
    path.write_text("\n")
    with pytest.raises(QuestionsError, match="no questions"):
        read_examples(path)


# The fixed set


def test_every_accepted_answer_stands_at_its_place_in_the_files(corpus: Path):
    texts = {path.name: decode(path.read_bytes()) for path in corpus.iterdir()}
    examples = read_examples(QUESTIONS)
    for asked in examples:
        for accepted in asked.answers:
            place = accepted.place
            assert texts[place.document][place.start : place.end] == accepted.text, asked.id
        for place in asked.evidence:
            assert texts[place.document][place.start : place.end].strip(), asked.id
    assert len({asked.id for asked in examples}) == len(examples)


def test_the_set_has_what_it_promises():
    examples = read_examples(QUESTIONS)

    def count(*, answerable: bool, tag: str = "") -> int:
        return sum(bool(e.answers) is answerable and (not tag or tag in e.tags) for e in examples)

    assert count(answerable=True) >= 70
    assert count(answerable=False) >= 40
    assert count(answerable=True, tag="paraphrase") >= 20
    assert count(answerable=False, tag="near_miss") >= 20
    assert min(count(answerable=True, tag=tag) for tag in ("timeline", "both_documents", "disagreement", "list")) >= 5
    assert {e.split for e in examples} == {"tune", "test"}


def test_every_line_of_the_documents_is_asked_about(pipeline: Pipeline):
    asked = [place for e in read_examples(QUESTIONS) for place in (*(a.place for a in e.answers), *e.evidence)]
    for entry in pipeline.manifest.documents:
        for block in pipeline.document(entry.id).blocks:
            text = pipeline.document(entry.id).text[block.start : block.end]
            if len(text.split()) > 3:
                assert any(p.document == entry.id and p.start < block.end and block.start < p.end for p in asked), text


def test_the_pass_marks_are_kept_on_the_test_questions(
    index_path: Path, embedder: SentenceTransformerEmbedder, tmp_path: Path
):
    exact = SpanReader.bundled(exact=True)  # in float32: the same on every processor
    pipeline = Pipeline(index_path, embedder, exact)
    report = evaluate(pipeline, read_examples(QUESTIONS), read_marks(QUESTIONS))
    assert report.missed == (), report_text(report)
    assert report.figures["exact citations"] == 1.0
    assert len(json.loads(json.dumps(report_json(report)))["outcomes"]) == len(report.outcomes)
    page = report_html(report)
    assert "All marks kept" in page
    assert page.count("<tr>") > len(report.figures)


@pytest.mark.parametrize(("split", "right", "wrong"), [("search", 0.5, 0.1), ("order", 0.6, 0.06)])
def test_the_same_questions_in_other_words(pipeline: Pipeline, split: str, right: float, wrong: float):
    found = evaluate(pipeline, read_examples(QUESTIONS.with_name("rewordings.jsonl")), split=split).figures
    assert found["right answers"] >= right
    assert found["wrong answers"] <= wrong
    assert found["rightly silent"] >= 0.78


def test_questions_about_other_documents_are_refused(pipeline: Pipeline):
    stranger = Example("q", "test", "", (), "Q?", (Accepted(Place("gone.txt", 0, 1), "x"),), ())
    with pytest.raises(QuestionsError, match=r"about gone\.txt, which is not in the index"):
        evaluate(pipeline, [stranger])


def test_the_processors_own_precision_costs_the_reader_nothing(pipeline: Pipeline) -> None:
    """Spans of the bundled reader in its usual precision and in float32 score the same, to .3 points of F1."""
    asked = [example for example in read_examples(QUESTIONS) if example.answers][::2]
    readers = [SpanReader.bundled(), SpanReader.bundled(exact=True)]
    scores: list[list[float]] = [[], []]
    for example in asked:
        candidates = pipeline.answerer(k=2).retriever.retrieve(example.question, 2)
        for reader, found in zip(readers, scores, strict=True):
            best = reader.spans(example.question, candidates)[0]
            found.append(squad_scores(best.text, [accepted.text for accepted in example.answers])[1])

    usual, exact = (sum(found) / len(found) for found in scores)
    assert exact > 0.4
    assert exact - usual < 0.003
