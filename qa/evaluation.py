"""Judging every stage on a fixed set of questions: retrieval, reading, abstaining, citing, confidence."""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np

from qa.answering import Strictness
from qa.datatypes import Answer, Candidate, Citation, Document, Passage
from qa.errors import QAError, QuestionError, QuestionsError
from qa.pipeline import Pipeline
from qa.question import clean_question
from qa.render import MAX_CLOSEST, excerpt
from qa.text import normalise_answer

log = logging.getLogger(__name__)

T = TypeVar("T")

RETRIEVAL_DEPTH = 10
"""Passages asked of the retriever for recall@k and MRR."""

RIGHT_F1 = 0.5
"""An answer that overlaps an accepted place, and shares at least this F1 of its words, is a fair wording of it."""

MAX_RIGHT_WORDS = 60
"""An answer that contains an accepted one is right up to this length, a long sentence: beyond it nothing is answered,
a passage is shown."""

CALIBRATION_BINS = 10

JUDGED = "judged"
"""The kind of an example that a person made by judging an answer. It knows one place of the answer, or a few, where an
example of a fixed set knows them all."""

LOCATED = "located"
"""The tag of a judged example whose answer is a place that a person selected in a document."""

Verdict = Literal["right", "rightly silent", "incomplete", "wrong", "wrongly silent", "not judged"]
"""What came of a question, in a word or two. "incomplete": right, but where the documents give different answers not
all are shown; "not judged": all that is known is that another answer is wrong."""


@dataclass(frozen=True)
class Place:
    """A range of characters of a document; `sha256` is the document's when the place was chosen, if that is known."""

    document: str
    start: int
    end: int
    sha256: str | None = None


@dataclass(frozen=True)
class Accepted:
    """An accepted answer at its place; answers of different `variant` contradict or replace each other."""

    place: Place
    text: str
    variant: str = "A"


@dataclass(frozen=True)
class Rejected:
    """An answer that a person called wrong, at its place."""

    place: Place
    text: str


@dataclass(frozen=True)
class Example:
    """A question with all its accepted answers; with none, silence is right.

    `evidence` are further places that the citations together must cover. `rejected` is not None where all that is known
    is what is wrong: these answers, or, where it is empty, silence.
    """

    id: str
    split: str
    kind: str
    tags: tuple[str, ...]
    question: str
    answers: tuple[Accepted, ...]
    evidence: tuple[Place, ...]
    rejected: tuple[Rejected, ...] | None = None

    @property
    def named(self) -> tuple[Accepted | Rejected, ...]:
        """Every answer that it names, be it right or wrong."""
        return (*self.answers, *(self.rejected or ()))

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
    `again` says whether what a person rejected was given again.
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
    again: bool = False

    @property
    def silent(self) -> bool:
        """Whether no answer was given."""
        return self.answer.text is None

    @property
    def verdict(self) -> Verdict:
        """What came of it."""
        if self.example.rejected is not None:
            return "wrong" if self.again else "not judged"
        if self.silent:
            return "wrongly silent" if self.example.answers else "rightly silent"
        if not (self.example.answers and self.right):
            return "wrong"
        return "right" if self.all_variants else "incomplete"

    @property
    def good(self) -> bool:
        """Whether a person would be content: all right answers given, or silence where nothing is said."""
        return self.verdict in ("right", "rightly silent")

    @property
    def missed(self) -> bool:
        """Whether it is known that a person would not be content."""
        return self.verdict in ("incomplete", "wrong", "wrongly silent")


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
class LeftOut:
    """An example that is not asked, and why."""

    example: Example
    reason: str


@dataclass(frozen=True)
class Report:
    """The outcomes of one split, the figures over them, the marks that were missed of those that were set, and the
    examples that were not asked because their documents have changed."""

    split: str
    outcomes: tuple[Outcome, ...]
    figures: dict[str, float]
    missed: tuple[Mark, ...]
    marks: tuple[Mark, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


# Reading questions and marks


def read_examples(path: Path) -> list[Example]:
    """The examples of a JSON Lines file. Raises QuestionsError where there are none, and as `held_examples` does."""
    examples = held_examples(path)
    if not examples:
        raise QuestionsError(f"There are no questions in {path}.")
    return examples


def held_examples(path: Path) -> list[Example]:
    """The examples that hold at the end of a JSON Lines file. Raises QuestionsError, naming the line, for what is none.

    Of several judgements of one question the last holds, and `"undo"` takes the last one back. A last line that was cut
    short, as by a crash while it was written, is left out with a warning.
    """
    try:
        content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
        lines = whole_lines(content).decode("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionsError(f"The questions in {path} cannot be read: {error}.") from error
    if len(whole_lines(content)) < len(content):
        log.warning("The last line of %s is cut short and left out.", path)
    said: dict[str, list[Example]] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                _hear(said, json.loads(line))
            except (ValueError, RecursionError, QuestionError) as error:
                raise QuestionsError(f"{path}, line {number}, is no example: {error}") from error
    return [examples[-1] for examples in said.values() if examples]


def whole_lines(content: bytes) -> bytes:
    """The content of a JSON Lines file up to where it was cut short: all of it, unless its last line has no end.

    >>> whole_lines(b'{"id": 1}\\n{"id": 2}'), whole_lines(b'{"id": 1}\\n{"id"')
    (b'{"id": 1}\\n{"id": 2}', b'{"id": 1}\\n')
    """
    last = content.rfind(b"\n") + 1
    try:
        if content[last:].strip():
            json.loads(content[last:])
    except (ValueError, RecursionError):
        return content[:last]
    return content


def _hear(said: dict[str, list[Example]], data: object) -> None:
    """Take in one line of a file, after those before it."""
    if not isinstance(data, dict):
        raise ValueError("it is no JSON object.")
    if "id" not in data:
        raise ValueError('"id" is missing.')
    before = said.setdefault(str(data["id"]), [])
    if data.get("undo") is True:
        del before[-1:]
        return
    example = _example(data)
    if before and example.kind != JUDGED:
        raise ValueError(f'the "id" {_short(example.id)} is that of a line before it.')
    before.append(example)


def _example(data: Mapping[str, Any]) -> Example:
    rejected = _field(data, "rejected", list, None)
    question = _field(data, "question", str)
    clean_question(question)  # one that is too long to be asked is refused here
    return Example(
        id=str(data["id"]),
        split=_field(data, "split", str, "test"),
        kind=_field(data, "kind", str, ""),
        tags=tuple(str(tag) for tag in _field(data, "tags", list, [])),
        question=question,
        answers=tuple(
            Accepted(_place(a), _field(a, "text", str), _field(a, "variant", str, "A"))
            for a in _field(data, "answers", list)
        ),
        evidence=tuple(map(_place, _field(data, "evidence", list, []))),
        rejected=None if rejected is None else tuple(Rejected(_place(r), _field(r, "text", str)) for r in rejected),
    )


def _place(data: Mapping[str, Any]) -> Place:
    start, end = _field(data, "start", int), _field(data, "end", int)
    if not 0 <= start < end:
        raise ValueError(f"no characters stand from {start} to {end}.")
    return Place(_field(data, "document", str), start, end, _field(data, "sha256", str, None))


_REQUIRED: Any = object()


def _field(data: Mapping[str, Any], name: str, kind: type[T], default: Any = _REQUIRED) -> T:
    """A field of a line. Raises ValueError, with a sentence, where it is missing or not of its kind."""
    if not isinstance(data, Mapping):
        raise ValueError(f"{_short(data)} stands where an object with {name!r} should.")
    value = data.get(name, default)
    if value is _REQUIRED:
        raise ValueError(f'"{name}" is missing.')
    if value is not default and type(value) is not kind:
        expected = {str: "a string", int: "a whole number", list: "a list"}[kind]
        raise ValueError(f'"{name}" is {_short(value)}, and should be {expected}.')
    return value  # type: ignore[no-any-return]


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


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
        relevant=tuple(is_relevant(example, candidate) for candidate in retrieved),
        citations=len(shown),
        exact_citations=sum(_is_exact(citation, pipeline.document(citation.document)) for citation in shown),
        again=_is_rejected(example, answer),
    )


def is_right(example: Example, citations: Sequence[Citation]) -> bool:
    """Whether the first citation's answer is accepted at its place, and all of them cover the evidence.

    A judged example does not know every place of its answer: there any citation of the answer may be at one.
    """
    telling = citations if example.kind == JUDGED else citations[:1]
    return any(_variants(example, citation) for citation in telling) and all(
        any(_covers(c.document, c.start, c.end, place) for c in citations) for place in example.evidence
    )


def _variants(example: Example, citation: Citation) -> set[str]:
    """The variants that a citation's answer gives: at an accepted place, and fair as a wording.

    Whoever selects a place may select more than an answer needs to say; what stands inside is right.
    """
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
            or (LOCATED in example.tags and _covers(accepted.place.document, *_range(accepted.place), given))
        )
    }


def _is_rejected(example: Example, answer: Answer) -> bool:
    """Whether an answer is one that was called wrong, at its place; where silence was, whether it is silent."""
    if not answer.citations or not example.rejected:
        return example.rejected == () and not answer.citations
    given = answer.citations[0]
    place = Place(given.document, given.answer_start, given.answer_end)
    return any(
        _overlaps(place, rejected.place) and squad_scores(given.answer, [rejected.text])[1] >= RIGHT_F1
        for rejected in example.rejected
    )


def _range(place: Place) -> tuple[int, int]:
    return place.start, place.end


def _overlaps(one: Place, other: Place) -> bool:
    return one.document == other.document and one.start < other.end and other.start < one.end


def _covers(document: str, start: int, end: int, place: Place) -> bool:
    return document == place.document and start <= place.start and place.end <= end


def is_relevant(example: Example, candidate: Candidate) -> bool:
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
    """Exact match and F1 in [0, 1] against the best of the accepted answers, as the official SQuAD script has them.

    Only that typographic quotes and dashes are punctuation, too (`normalise_answer`).
    """
    given = normalise_answer(text)
    wanted = [normalise_answer(answer) for answer in accepted]
    return float(given in wanted), max(_f1(given.split(), answer.split()) for answer in wanted)


def _f1(given: Sequence[str], wanted: Sequence[str]) -> float:
    """The harmonic mean of precision and recall of words, each counted as often as it stands on both sides."""
    shared = sum((Counter(given) & Counter(wanted)).values())
    if not given or not wanted:
        return float(given == wanted)
    return 2 * shared / (len(given) + len(wanted))


# Judging a split


def evaluate(
    pipeline: Pipeline,
    examples: Sequence[Example],
    marks: Sequence[Mark] = (),
    split: str = "test",
    track: Callable[[Sequence[Example]], Iterable[Example]] = iter,
) -> Report:
    """Ask every question of a split and judge the answers; `track` may show progress over them."""
    chosen, left_out = choose(examples, split, pipeline)
    return summed(split, [ask(example, pipeline) for example in track(chosen)], marks, left_out)


def choose(
    examples: Sequence[Example], split: str, pipeline: Pipeline
) -> tuple[tuple[Example, ...], tuple[LeftOut, ...]]:
    """The examples of a split that can be asked, and those whose documents have changed since they were judged.

    Raises QuestionsError where there are none, and where the examples belong to other documents.
    """
    inside = [example for example in examples if example.split == split]
    if not inside:
        raise QuestionsError(f"There is no question of the split {split!r}.")
    outdated = [(example, _outdated(example, pipeline)) for example in inside]
    chosen = tuple(example for example, reason in outdated if reason is None)
    _check_places(chosen, pipeline)
    return chosen, tuple(LeftOut(example, reason) for example, reason in outdated if reason is not None)


def ask(example: Example, pipeline: Pipeline, strictness: Strictness | None = None) -> Outcome:
    """Ask the question of an example and judge the answer. Raises QAError when the documents change meanwhile."""
    try:
        answer = pipeline.ask(example.question, strictness)
        return judge(example, answer, pipeline.search(example.question, RETRIEVAL_DEPTH), pipeline)
    except KeyError as error:
        raise QAError(f"{error.args[0]} was taken out of the index during the evaluation. Run it again.") from error


def summed(
    split: str, outcomes: Sequence[Outcome], marks: Sequence[Mark] = (), left_out: Sequence[LeftOut] = ()
) -> Report:
    """The report on the outcomes of a split."""
    found = figures(outcomes)
    for mark in marks:
        if mark.figure not in found:
            raise QuestionsError(f"There is a mark for {mark.figure!r}, but these questions give no such figure.")
    missed = tuple(mark for mark in marks if not mark.kept(found))
    return Report(split, tuple(outcomes), found, missed, tuple(marks), tuple(left_out))


def _outdated(example: Example, pipeline: Pipeline) -> str | None:
    """Why an example no longer fits its documents; None where it does, or does not know how they were."""
    for place in (*(named.place for named in example.named), *example.evidence):
        if place.sha256 is not None:
            try:
                if pipeline.document(place.document).sha256 != place.sha256:
                    return f"{place.document} has changed since it was judged."
            except KeyError:
                return f"{place.document} is no longer in the index."
    return None


def _check_places(examples: Sequence[Example], pipeline: Pipeline) -> None:
    """Raises QuestionsError where an accepted answer does not stand at its place in the indexed documents."""
    for example in examples:
        for expected in example.named:
            place = expected.place
            try:
                text = pipeline.document(place.document).text
            except KeyError as error:
                raise QuestionsError(
                    f"Question {example.id} is about {place.document}, which is not in the index. Run `qa index`, or "
                    "name the questions that belong to these documents with --questions."
                ) from error
            if text[place.start : place.end] != expected.text:
                raise QuestionsError(
                    f"Question {example.id} expects {expected.text!r} at characters {place.start} to {place.end} of "
                    f"{place.document}; there stands {text[place.start : place.end]!r}."
                )


def figures(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """The figures of a split, shares in [0, 1]; a figure over nothing (no unanswerable question) is left out.

    Retrieval: recall@k is the share of answerable questions with a passage that answers among the first k, MRR the
    mean of one over the first such rank. ECE has ten bins of equal width over all questions; AURC is the mean, over all
    coverages, of the share of wrong answers among the questions answered with the highest confidence. Questions of
    which only a wrong answer is known count in "rejected again" and in the seconds.
    """
    known = _known(outcomes)
    answerable = [o for o in known if o.example.answers]
    unanswerable = [o for o in known if not o.example.answers]
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
        "shown when silent": _mean(map(_is_shown, (o for o in answerable if o.silent))),
        "rightly silent": _mean(o.silent for o in unanswerable),
        "good outcomes": _mean(o.good for o in known),
        "rejected again": _mean(o.again for o in outcomes if o.example.rejected is not None),
        "exact citations": _ratio(sum(o.exact_citations for o in outcomes), sum(o.citations for o in outcomes)),
        "right document": _mean(
            o.answer.citations[0].document in {a.place.document for a in o.example.answers} for o in answered
        ),
        "ECE": calibration_error(known) if known else None,
        "AURC": risk_coverage_area(known) if known else None,
        "seconds, median": float(np.median(seconds)) if seconds else None,
        "seconds, 95 %": float(np.percentile(seconds, 95)) if seconds else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _retrieval_figures(answerable: Sequence[Outcome]) -> dict[str, float | None]:
    ranks = [next((rank for rank, yes in enumerate(o.relevant, 1) if yes), math.inf) for o in answerable]
    recall = {f"recall@{k}": _mean(rank <= k for rank in ranks) for k in (1, 5, 10)}
    return {**recall, "MRR": _mean(1 / rank for rank in ranks)}


def _is_shown(outcome: Outcome) -> bool:
    """Whether an accepted answer is to be read in the closest passages that are shown for want of an answer."""
    shown = [(c.passage.document, *excerpt(c)) for c in outcome.answer.closest[:MAX_CLOSEST]]
    return any(_covers(*place, accepted.place) for place in shown for accepted in outcome.example.answers)


def _mean(values: Iterable[float]) -> float | None:
    held = [float(value) for value in values]
    return sum(held) / len(held) if held else None


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _known(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those of which it is known what is right."""
    return [outcome for outcome in outcomes if outcome.example.rejected is None]


def _is_true_answer(outcome: Outcome) -> bool:
    """Whether the best answer found is right; to a question that has none, every answer is wrong."""
    return bool(outcome.example.answers) and outcome.right


def calibration_error(outcomes: Sequence[Outcome]) -> float:
    """Expected calibration error over equal bins (Naeini et al. 2015)."""
    bins = reliability(outcomes)
    return sum(b.questions * abs(b.mean_confidence - b.share_right) for b in bins) / sum(b.questions for b in bins)


def risk_coverage_area(outcomes: Sequence[Outcome]) -> float:
    """Area under the risk-coverage curve (Geifman & El-Yaniv 2017): the mean risk over all coverages."""
    return float(np.mean([point.risk for point in risk_coverage(outcomes)]))


@dataclass(frozen=True)
class Risk:
    """A point of the risk-coverage curve: were only answers from `confidence` on given, `coverage` is the share of
    questions that would be answered, `risk` the share of those answers that would be wrong."""

    coverage: float
    risk: float
    confidence: float


def risk_coverage(outcomes: Sequence[Outcome]) -> list[Risk]:
    """The risk-coverage curve, a point a question, from the surest answer to the least sure."""
    ordered = sorted(_known(outcomes), key=lambda o: -o.answer.confidence)
    wrong = np.cumsum([not _is_true_answer(o) for o in ordered])
    return [
        Risk(given / len(ordered), float(wrong[given - 1] / given), outcome.answer.confidence)
        for given, outcome in enumerate(ordered, start=1)
    ]


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
        inside = [
            o for o in _known(outcomes) if low <= o.answer.confidence < high or (high == 1 == o.answer.confidence)
        ]
        if inside:
            confidence = sum(o.answer.confidence for o in inside) / len(inside)
            bins.append(Bin(low, high, len(inside), confidence, sum(map(_is_true_answer, inside)) / len(inside)))
    return bins
