"""From a reader's scores to the probability that an answer is right.

A logistic model over few features that can be explained. Its coefficients are readable JSON in `qa/models/`, one file a
reader; `training/calibrate.py` fits them on `tune` questions, never on those of the figures.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from importlib.resources import files

from qa.datatypes import Candidate, Ground, Reading, Span
from qa.errors import ModelMissing
from qa.lists import share_of_instructions
from qa.question import asked_type, asks_for_steps, asks_yes_or_no, expressions
from qa.text import content_stems, names_and_numbers, share, stems

MAX_GAP = 5.0
"""Beyond this a lead over the next answer says no more; it is also the lead of an answer that stands alone."""

MAX_LEAD = 0.3
"""The lead in cosine of a passage on what is asked over those that are not; one that stands alone has it."""


@dataclass(frozen=True)
class Features:
    """What an answer's confidence is computed from.

    margin: its best span's score less the score of there being no answer.
    gap: its best span's lead over the best different answer, from 0 (it is not ahead) to `MAX_GAP`.
    dense: the cosine between the question and its passage.
    words: the share of the question's content words in its passage, title, headings and label.
    names: the same for the question's names and numbers.
    agreement: 1 when more than one document gives the answer in words of its own, else 0.
    kind: 1 when it is, or holds, an expression of the kind asked for or no kind was asked for, else 0.
    yes_no: 1 when the question is one of yes or no, else 0. A reader trained on questions that a few words answer gives
        a sentence that decides such a question a lower score, and one that does not a much lower one.
    whole_list: 1 when it is asked what to do and the answer is a list, else 0.
    instructs: the share of an answer's lines that tell someone to do something; 0 when it is not asked what to do.
    lead: by how much its passage's cosine is above that of the nearest passage under other headings, at most `MAX_LEAD`
        to either side; 0 when it is not asked what to do.
    """

    margin: float
    gap: float
    dense: float
    words: float
    names: float
    agreement: float
    kind: float
    yes_no: float
    whole_list: float
    instructs: float
    lead: float


def features(question: str, reading: Reading, answer: Sequence[Span], independent_documents: int) -> Features:
    """The features of one answer: `answer` holds its spans, best first, all of them among the reading's."""
    best = answer[0]
    others = [span.score for span in reading.spans if span not in answer]
    passage = best.candidate.passage
    context = (passage.text, passage.title, *passage.headings, passage.label.text if passage.label else "")
    around = {stem for text in context for stem in stems(text)}
    kind = asked_type(question)
    what_to_do = asks_for_steps(question)
    whole_list = what_to_do and not _is_in_a_sentence(best)
    return Features(
        margin=best.score - reading.null,
        gap=min(max(best.score - max(others), 0.0), MAX_GAP) if others else MAX_GAP,
        dense=best.candidate.dense,
        words=share(content_stems(question), around),
        names=share(names_and_numbers(question), around),
        agreement=float(independent_documents > 1),
        kind=float(kind == "text" or any(True for _ in expressions(kind, best.text))),
        yes_no=float(asks_yes_or_no(question)),
        whole_list=float(whole_list),
        instructs=share_of_instructions(best.text.split("\n") if whole_list else [best.text]) if what_to_do else 0.0,
        lead=_lead(best.candidate, reading) if what_to_do else 0.0,
    )


def _lead(candidate: Candidate, reading: Reading) -> float:
    def place(of: Candidate) -> tuple[str, tuple[str, ...]]:
        return of.passage.document, of.passage.headings

    others = [s.candidate.dense for s in reading.spans if place(s.candidate) != place(candidate)]
    return min(max(candidate.dense - max(others, default=0.0), -MAX_LEAD), MAX_LEAD)


def _is_in_a_sentence(span: Span) -> bool:
    sentences = span.candidate.passage.sentences
    return span.support is not None or any(s.start <= span.start and span.end <= s.end for s in sentences)


@dataclass(frozen=True)
class Calibrator:
    """Probability = logistic(intercept + sum of coefficient × feature).

    `steps` is the same for questions of what to do, of whose answers the surest is given; None where these are judged
    like all others.
    """

    intercept: float
    coefficients: Mapping[str, float]
    steps: Calibrator | None = None

    @classmethod
    def load(cls, reader: str) -> Calibrator:
        """The coefficients shipped for a reader. Raises ModelMissing when there are none."""
        file = files("qa") / "models" / f"calibration-{reader}.json"
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ModelMissing(
                f"There is no calibration for the reader {reader!r}. Fit one with training/calibrate.py."
            ) from error
        steps = data.get("steps")
        return cls(
            data["intercept"],
            data["coefficients"],
            None if steps is None else cls(steps["intercept"], steps["coefficients"]),
        )

    def __post_init__(self) -> None:
        known = {field.name for field in fields(Features)}
        if set(self.coefficients) != known:
            raise ModelMissing(f"The calibration names {sorted(self.coefficients)}, expected are {sorted(known)}.")

    def for_question(self, question: str) -> Calibrator:
        """What judges the answers to a plain question."""
        return self.steps if self.steps is not None and asks_for_steps(question) else self

    def confidence(self, found: Features) -> float:
        """The probability, in [0, 1], that the answer is right."""
        score = self.intercept + sum(ground.effect for ground in self.grounds(found))
        return 1 / (1 + math.exp(-score)) if score > -500 else 0.0

    def grounds(self, found: Features) -> tuple[Ground, ...]:
        """What each feature adds to the log-odds, in the features' order."""
        return tuple(Ground(name, value, self.coefficients[name] * value) for name, value in asdict(found).items())
