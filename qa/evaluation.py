"""Judging every stage on a fixed set of questions: retrieval, reading, abstaining, citing, confidence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from qa.datatypes import Answer, Candidate, Citation, Document, Passage
from qa.errors import QuestionsError
from qa.pipeline import Pipeline

RETRIEVAL_DEPTH = 10
"""Passages asked of the retriever for recall@k and MRR."""

RIGHT_F1 = 0.5
"""An answer that overlaps an accepted place, and shares at least this F1 of its words, is a fair wording of it."""

MAX_RIGHT_WORDS = 60
"""An answer that contains an accepted one is right up to this length, a long sentence: beyond it nothing is answered,
a passage is shown."""

CALIBRATION_BINS = 10


@dataclass(frozen=True)
class Place:
    """A range of characters of a document."""

    document: str
    start: int
    end: int


@dataclass(frozen=True)
class Accepted:
    """An accepted answer at its place; answers of different `variant` contradict or replace each other."""

    place: Place
    text: str
    variant: str = "A"


@dataclass(frozen=True)
class Example:
    """A question with all its accepted answers; with none, silence is right.

    `evidence` are further places that the citations together must cover.
    """

    id: str
    split: str
    kind: str
    tags: tuple[str, ...]
    question: str
    answers: tuple[Accepted, ...]
    evidence: tuple[Place, ...]

    @property
    def variants(self) -> frozenset[str]:
        """The different answers that the documents give; empty when they give none."""
        return frozenset(accepted.variant for accepted in self.answers)


@dataclass(frozen=True)
class Outcome:
    """What came of one question.

    `right` says whether the best answer found is right, given or withheld; `all_variants` whether every different
    answer that the documents give was shown. `relevant` says for each retrieved passage, best first, whether it
    answers. `exact_match` and `f1` are in [0, 1], and 0 for a silence that should not be, 1 for one that should.
    """

    example: Example
    answer: Answer
    right: bool
    all_variants: bool
    exact_match: float
    f1: float
    relevant: tuple[bool, ...]
    citations: int
    exact_citations: int

    @property
    def silent(self) -> bool:
        """Whether no answer was given."""
        return self.answer.text is None

    @property
    def good(self) -> bool:
        """Whether a person would be content: all right answers given, or silence where nothing is said."""
        return (not self.silent and self.right and self.all_variants) if self.example.answers else self.silent


@dataclass(frozen=True)
class Mark:
    """A bound that a figure must keep."""

    figure: str
    bound: Literal["at_least", "at_most"]
    value: float

    def kept(self, figures: dict[str, float]) -> bool:
        """Whether the figures keep it. Raises KeyError for a figure that is not there."""
        found = figures[self.figure]
        return found >= self.value if self.bound == "at_least" else found <= self.value


@dataclass(frozen=True)
class Report:
    """The outcomes of one split, the figures over them, and the marks that were missed."""

    split: str
    outcomes: tuple[Outcome, ...]
    figures: dict[str, float]
    missed: tuple[Mark, ...]


# Reading questions and marks


def read_examples(path: Path) -> list[Example]:
    """The examples of a JSON Lines file. Raises QuestionsError, naming the line, for one that is none."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionsError(f"The questions in {path} cannot be read: {error}.") from error
    examples = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                examples.append(_example(json.loads(line)))
            except (ValueError, TypeError, KeyError) as error:
                raise QuestionsError(
                    f"{path}, line {number}, is no example: {type(error).__name__} {error}."
                ) from error
    if not examples:
        raise QuestionsError(f"There are no questions in {path}.")
    return examples


def _example(data: dict[str, Any]) -> Example:
    return Example(
        id=str(data["id"]),
        split=data.get("split", "test"),
        kind=data.get("kind", ""),
        tags=tuple(data.get("tags", ())),
        question=data["question"],
        answers=tuple(
            Accepted(Place(a["document"], a["start"], a["end"]), a["text"], a.get("variant", "A"))
            for a in data["answers"]
        ),
        evidence=tuple(Place(e["document"], e["start"], e["end"]) for e in data.get("evidence", ())),
    )


def read_marks(questions: Path) -> list[Mark]:
    """The marks in `marks.json` beside a file of questions; none where there is no such file."""
    path = questions.with_name("marks.json")
    if not path.exists():
        return []
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return [Mark(figure, bound, value) for figure, kept in data.items() for bound, value in kept.items()]
    except (ValueError, AttributeError) as error:
        raise QuestionsError(f"The marks in {path} cannot be read: {error}.") from error


# Judging one question


def judge(example: Example, answer: Answer, retrieved: Sequence[Candidate], pipeline: Pipeline) -> Outcome:
    """Compare an answer, and the passages retrieved for its question, with what is accepted."""
    best = answer.citations or answer.withheld
    shown = [*answer.citations, *(c for other in answer.alternatives for c in other.citations)]
    exact_match, f1 = _word_scores(example, answer)
    return Outcome(
        example=example,
        answer=answer,
        right=is_right(example, best),
        all_variants=example.variants <= {v for c in shown for v in _variants(example, c)},
        exact_match=exact_match,
        f1=f1,
        relevant=tuple(_is_relevant(example, candidate) for candidate in retrieved),
        citations=len(shown),
        exact_citations=sum(_is_exact(citation, pipeline.document(citation.document)) for citation in shown),
    )


def is_right(example: Example, citations: Sequence[Citation]) -> bool:
    """Whether the first citation's answer is accepted at its place, and all of them cover the evidence."""
    return bool(citations and _variants(example, citations[0])) and all(
        any(_covers(c.document, c.start, c.end, place) for c in citations) for place in example.evidence
    )


def _variants(example: Example, citation: Citation) -> set[str]:
    """The variants that a citation's answer gives: at an accepted place, and fair as a wording."""
    given = Place(citation.document, citation.answer_start, citation.answer_end)
    return {
        accepted.variant
        for accepted in example.answers
        if _overlaps(given, accepted.place)
        and (
            squad_scores(citation.answer, [accepted.text])[1] >= RIGHT_F1
            or (
                _covers(given.document, given.start, given.end, accepted.place)
                and len(citation.answer.split()) <= MAX_RIGHT_WORDS
            )
        )
    }


def _overlaps(one: Place, other: Place) -> bool:
    return one.document == other.document and one.start < other.end and other.start < one.end


def _covers(document: str, start: int, end: int, place: Place) -> bool:
    return document == place.document and start <= place.start and place.end <= end


def _is_relevant(example: Example, candidate: Candidate) -> bool:
    """Whether the passage, with its label, holds an accepted answer and its evidence."""
    return any(_holds(passage, example) for passage in (candidate.passage, *candidate.copies))


def _holds(passage: Passage, example: Example) -> bool:
    ranges = [(passage.start, passage.end)]
    if passage.label is not None:
        ranges.append((passage.label.start, passage.label.end))

    def held(place: Place) -> bool:
        return any(_covers(passage.document, start, end, place) for start, end in ranges)

    return any(held(accepted.place) for accepted in example.answers) and all(map(held, example.evidence))


def _is_exact(citation: Citation, document: Document) -> bool:
    return document.text[citation.start : citation.end] == citation.quote and document.sha256 == citation.sha256


def _word_scores(example: Example, answer: Answer) -> tuple[float, float]:
    if not example.answers or answer.text is None:
        agree = float(bool(example.answers) is (answer.text is not None))
        return agree, agree
    return squad_scores(answer.text, [accepted.text for accepted in example.answers])


def squad_scores(text: str, accepted: Sequence[str]) -> tuple[float, float]:
    """Exact match and F1 in [0, 1] against the best of the accepted answers, as the official SQuAD script has them."""
    from torchmetrics.functional.text import squad

    scores = squad(
        [{"prediction_text": text, "id": ""}], [{"answers": {"text": list(accepted), "answer_start": [0]}, "id": ""}]
    )
    return float(scores["exact_match"]) / 100, float(scores["f1"]) / 100


# Judging a split


def evaluate(
    pipeline: Pipeline,
    examples: Sequence[Example],
    marks: Sequence[Mark] = (),
    split: str = "test",
    track: Callable[[Sequence[Example]], Iterable[Example]] = iter,
) -> Report:
    """Ask every question of a split and judge the answers; `track` may show progress over them."""
    chosen = [example for example in examples if example.split == split]
    if not chosen:
        raise QuestionsError(f"There is no question of the split {split!r}.")
    _check_places(chosen, pipeline)
    outcomes = tuple(
        judge(
            example,
            pipeline.ask(example.question),
            pipeline.search(example.question, RETRIEVAL_DEPTH),
            pipeline,
        )
        for example in track(chosen)
    )
    found = figures(outcomes)
    return Report(split, outcomes, found, tuple(mark for mark in marks if not mark.kept(found)))


def _check_places(examples: Sequence[Example], pipeline: Pipeline) -> None:
    """Raises QuestionsError where an accepted answer does not stand at its place in the indexed documents."""
    for example in examples:
        for accepted in example.answers:
            place = accepted.place
            try:
                text = pipeline.document(place.document).text
            except KeyError as error:
                raise QuestionsError(
                    f"Question {example.id} is about {place.document}, which is not in the index. Run `qa index`, or "
                    "name the questions that belong to these documents with --questions."
                ) from error
            if text[place.start : place.end] != accepted.text:
                raise QuestionsError(
                    f"Question {example.id} expects {accepted.text!r} at characters {place.start} to {place.end} of "
                    f"{place.document}; there stands {text[place.start : place.end]!r}."
                )


def figures(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """The figures of a split, shares in [0, 1]; a figure over nothing (no unanswerable question) is left out.

    Retrieval: recall@k is the share of answerable questions with a passage that answers among the first k, MRR the
    mean of one over the first such rank. ECE has ten bins of equal width over all questions; AURC is the mean, over all
    coverages, of the share of wrong answers among the questions answered with the highest confidence.
    """
    answerable = [o for o in outcomes if o.example.answers]
    unanswerable = [o for o in outcomes if not o.example.answers]
    answered = [o for o in answerable if not o.silent]
    several = [o for o in answerable if len(o.example.variants) > 1]
    seconds = [o.answer.seconds for o in outcomes]
    found: dict[str, float | None] = {
        **_retrieval_figures(answerable),
        "exact match": _mean(o.exact_match for o in answerable),
        "F1": _mean(o.f1 for o in answerable),
        "right answers": _mean(o.good for o in answerable),
        "wrong answers": _mean(not o.silent and not o.right for o in answerable),
        "disagreements shown": _mean(o.all_variants for o in several),
        "wrongly silent": _mean(o.silent for o in answerable),
        "rightly silent": _mean(o.silent for o in unanswerable),
        "good outcomes": _mean(o.good for o in outcomes),
        "exact citations": _ratio(sum(o.exact_citations for o in outcomes), sum(o.citations for o in outcomes)),
        "right document": _mean(
            o.answer.citations[0].document in {a.place.document for a in o.example.answers} for o in answered
        ),
        "ECE": calibration_error(outcomes),
        "AURC": risk_coverage_area(outcomes),
        "seconds, median": float(np.median(seconds)),
        "seconds, 95 %": float(np.percentile(seconds, 95)),
    }
    return {name: value for name, value in found.items() if value is not None}


def _retrieval_figures(answerable: Sequence[Outcome]) -> dict[str, float | None]:
    import torch
    from torchmetrics.functional.retrieval import retrieval_hit_rate, retrieval_reciprocal_rank

    ranked = [torch.tensor(o.relevant, dtype=torch.bool) for o in answerable if o.relevant]
    scores = [torch.arange(len(relevant), 0, -1, dtype=torch.float) for relevant in ranked]
    recall = {
        f"recall@{k}": _mean(float(retrieval_hit_rate(s, r, top_k=k)) for s, r in zip(scores, ranked, strict=True))
        for k in (1, 5, 10)
    }
    mrr = _mean(float(retrieval_reciprocal_rank(s, r)) for s, r in zip(scores, ranked, strict=True))
    return {**recall, "MRR": mrr}


def _mean(values: Iterable[float]) -> float | None:
    held = [float(value) for value in values]
    return sum(held) / len(held) if held else None


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _is_true_answer(outcome: Outcome) -> bool:
    """Whether the best answer found is right; to a question that has none, every answer is wrong."""
    return bool(outcome.example.answers) and outcome.right


def calibration_error(outcomes: Sequence[Outcome]) -> float:
    """Expected calibration error over equal bins (Naeini et al. 2015)."""
    import torch
    from torchmetrics.functional.classification import binary_calibration_error

    confidences = torch.tensor([o.answer.confidence for o in outcomes])
    true = torch.tensor([int(_is_true_answer(o)) for o in outcomes])
    return float(binary_calibration_error(confidences, true, n_bins=CALIBRATION_BINS, norm="l1"))


def risk_coverage_area(outcomes: Sequence[Outcome]) -> float:
    """Area under the risk-coverage curve (Geifman & El-Yaniv 2017): the mean risk over all coverages."""
    ordered = sorted(outcomes, key=lambda o: -o.answer.confidence)
    wrong = np.cumsum([not _is_true_answer(o) for o in ordered])
    return float(np.mean(wrong / np.arange(1, len(ordered) + 1)))


@dataclass(frozen=True)
class Bin:
    """A bar of the reliability diagram: questions with a confidence in `[low, high)`."""

    low: float
    high: float
    questions: int
    mean_confidence: float
    share_right: float


def reliability(outcomes: Sequence[Outcome]) -> list[Bin]:
    """The bars of the reliability diagram, empty ones left out."""
    bins = []
    for i in range(CALIBRATION_BINS):
        low, high = i / CALIBRATION_BINS, (i + 1) / CALIBRATION_BINS
        inside = [o for o in outcomes if low <= o.answer.confidence < high or (high == 1 == o.answer.confidence)]
        if inside:
            confidence = sum(o.answer.confidence for o in inside) / len(inside)
            bins.append(Bin(low, high, len(inside), confidence, sum(map(_is_true_answer, inside)) / len(inside)))
    return bins
