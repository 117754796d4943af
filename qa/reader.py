"""Reading candidates for the words that answer a question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from qa.datatypes import Candidate, Reading, Sentence, Span
from qa.embedding import Embedder
from qa.question import AnswerType, asked_type, expressions
from qa.text import content_stems, names_and_numbers, share, stems


class Reader(Protocol):
    """What finds answers in candidates. Pass in any object of this shape."""

    @property
    def name(self) -> str:
        """Which calibration belongs to its scores."""

    def read(self, question: str, candidates: Sequence[Candidate]) -> Reading:
        """Spans of all candidates, best first, with the score of there being no answer in any of them."""


MEANING_WEIGHT = 3.0
WORDS_WEIGHT = 2.0
NAMES_WEIGHT = 1.5
TYPE_WEIGHT = 1.0
"""What a sentence's likeness in meaning, its share of the question's words, of its names and numbers, and an expression
of the kind asked for add to its score: set by hand, meaning first. How sure to be of the score is the calibration's."""

NULL_SCORE = 3.6
"""About half of what a sentence can score. It decides which further places are cited as saying the same; whether an
answer is given at all is decided by its calibrated confidence."""


@dataclass(frozen=True)
class SentenceReader:
    """Picks the sentences that answer, without a model trained for it: any language the embedder knows.

    A sentence scores by its likeness to the question in meaning, by the question's words, names and numbers in it and
    in its headings, and by holding an expression of the kind asked for (a date for "when"). Such an expression is
    then the answer; without one the sentence is.
    """

    embedder: Embedder
    name: str = "sentence-reader"

    def read(self, question: str, candidates: Sequence[Candidate]) -> Reading:
        """One span a sentence, best first."""
        found = [(candidate, sentence) for candidate in candidates for sentence in candidate.passage.sentences]
        if not found:
            return Reading((), NULL_SCORE)
        vectors = self.embedder.encode([question, *(_in_label(c, s) for c, s in found)])
        likeness = vectors[1:] @ vectors[0]
        asked = _Asked.of(question)
        spans = [
            asked.span(candidate, sentence, float(like))
            for (candidate, sentence), like in zip(found, likeness, strict=True)
        ]
        return Reading(tuple(sorted(spans, key=lambda span: -span.score)), NULL_SCORE)


def _in_label(candidate: Candidate, sentence: Sentence) -> str:
    label = candidate.passage.label
    return sentence.text if label is None else f"{label.text}: {sentence.text}"


@dataclass(frozen=True)
class _Asked:
    """A question's words and kind, taken once for all sentences."""

    kind: AnswerType
    words: frozenset[str]
    names: frozenset[str]
    all_words: frozenset[str]

    @classmethod
    def of(cls, question: str) -> _Asked:
        return cls(
            asked_type(question),
            frozenset(content_stems(question)),
            frozenset(names_and_numbers(question)),
            frozenset(stems(question)),
        )

    def span(self, candidate: Candidate, sentence: Sentence, likeness: float) -> Span:
        passage = candidate.passage
        own = set(stems(_in_label(candidate, sentence)))
        around = own | {stem for text in (passage.text, passage.title, *passage.headings) for stem in stems(text)}
        place = self._expression(candidate, sentence)
        score = (
            MEANING_WEIGHT * likeness
            # Half the credit for words beside the sentence: in its passage, title and headings.
            + WORDS_WEIGHT * (share(self.words, own) + share(self.words, around)) / 2
            + NAMES_WEIGHT * share(self.names, around)
            + TYPE_WEIGHT * (place is not None)
        )
        if place is None:
            return Span(candidate, sentence.start, sentence.end, sentence.text, score)
        start, end, text = place
        outside = end <= sentence.start or start >= sentence.end
        return Span(candidate, start, end, text, score, (sentence.start, sentence.end) if outside else None)

    def _expression(self, candidate: Candidate, sentence: Sentence) -> tuple[int, int, str] | None:
        """The expression of the kind asked for that stands nearest to the question's words, the label's included."""
        label = candidate.passage.label
        found = [
            (sentence.start + start, sentence.start + end, sentence.text[start:end])
            for start, end in expressions(self.kind, sentence.text)
        ]
        new = [item for item in found if not self._repeats_question(item[2])]
        if new:
            return min(new, key=lambda item: self._distance(sentence, item[0], item[1]))
        if label is not None and self.kind == "date" and any(True for _ in expressions("date", label.text)):
            return label.start, label.end, label.text
        return None

    def _repeats_question(self, expression: str) -> bool:
        """Whether half or more of an expression's words stand in the question: it is asked about, not asked for."""
        words = set(stems(expression))
        return 2 * len(words & self.all_words) >= len(words)

    def _distance(self, sentence: Sentence, start: int, end: int) -> float:
        """The mean distance in characters between an expression and the question's words in its sentence."""
        places = [sentence.start + at for at in self._places(sentence.text)]
        if not places:
            return float(start)
        return float(np.mean([min(abs(at - start), abs(at - end)) for at in places]))

    def _places(self, text: str) -> Iterator[int]:
        at = 0
        for word in text.split(" "):
            if self.words & set(stems(word)):
                yield at
            at += len(word) + 1
