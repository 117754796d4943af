"""From a question to an answer that is cited, or silent with its reason."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Literal

from qa.abbreviations import asked_abbreviation, with_spelled_out
from qa.bylines import with_bylines
from qa.calibration import Calibrator, Features, features
from qa.cells import column_at, with_cells
from qa.datatypes import Absent, Alternative, Answer, Candidate, Citation, Document, Passage, Reading, Span
from qa.definitions import with_definitions
from qa.errors import IndexDamaged
from qa.faq import with_entries
from qa.lists import items_within, with_whole_lists, without_contents
from qa.numbered import without_other_numbers
from qa.question import asks_for_steps, clean_question, holds_words, plain_question
from qa.reader import Reader
from qa.retrieval import Retriever
from qa.text import names_as_written, normalise_answer

Strictness = Literal["lenient", "normal", "strict"]

THRESHOLDS: dict[Strictness, float] = {"lenient": 0.2, "normal": 0.5, "strict": 0.7}
"""The confidence from which an answer is given. Chosen on the `tune` questions: "normal" gives what is likelier right
than wrong and is rightly silent to 85 % of what has no answer; "strict" gave no wrong answer, "lenient" most right
ones."""

DEFAULT_K = 8
"""Passages found a question, and read where they are near enough: 97 % of the answerable `tune` questions have theirs
among so many."""

NEAR_COSINE = 0.25
"""Below this cosine, and without a word in common, even the best passage is about something else."""

FAR_COSINE = 0.1
FAR_WORDS = 0.4
"""A passage whose cosine is this much below the nearest one's, and whose BM25 score is below this share of the best
one's, is not read. Of the passages that 500 `tune` questions found (the program's and those on held-out articles)
nearly half are so far off; none of their 312 right answers stood there, and 22 of the 473 passages in which the reader
saw an answer. Of 551 other questions four in ten, and none of 316 right answers. From a share of 0.6 on one is lost."""

ALTERNATIVE_CONFIDENCE = 0.15
"""The least confidence of another answer to be shown beside the best."""

MAX_LABELLED_QUOTE = 600
"""A quote is stretched back to the label that its line belongs under, up to this many characters."""

MAX_ALTERNATIVES = 4
MAX_CITATIONS = 6
"""What a person still reads."""


@dataclasses.dataclass(frozen=True)
class Group:
    """Spans that give the same answer, best first, and how sure it is.

    `independent_documents` counts the documents that give it in words of their own.
    """

    spans: tuple[Span, ...]
    features: Features
    confidence: float
    independent_documents: int


class Answerer:
    """Answers questions from what a retriever finds and a reader reads, and from nothing else.

    `documents` gives a document by its id; every quote is checked against it when the answer is made.
    """

    def __init__(
        self,
        retriever: Retriever,
        reader: Reader,
        calibrator: Calibrator,
        documents: Callable[[str], Document],
        k: int = DEFAULT_K,
        strictness: Strictness = "normal",
        original: Callable[[str], str] = str,
        absence: Callable[[str], Absent | None] = lambda name: None,
        alike: Callable[[str, Sequence[str]], Sequence[float]] = lambda text, others: [0.0] * len(others),
    ) -> None:
        """`original` names the document that a near-duplicate is a copy of, and any other document itself.

        `absence` tells of a name or number that the documents asked have no word of it; None of all others. `alike`
        gives the cosines of a text with others.
        """
        if k < 1:
            raise ValueError(f"k is {k}: at least one passage must be read.")
        self.retriever = retriever
        self.reader = reader
        self.calibrator = calibrator
        self.documents = documents
        self.k = k
        self.strictness = strictness
        self.original = original
        self.absence = absence
        self.alike = alike

    def ask(
        self, question: str, carried: Sequence[Passage] = (), candidates: tuple[Candidate, ...] | None = None
    ) -> Answer:
        """The documents' answer, from these candidates where they have been retrieved already.

        `carried` are passages to be read besides those that the question finds. Raises QuestionError for a question
        that is too long.
        """
        started = time.perf_counter()
        question = clean_question(question)
        answer = self.answer(question, self.retrieve(question, carried) if candidates is None else candidates)
        absent = tuple(filter(None, map(self.absence, names_as_written(plain_question(question)))))
        return dataclasses.replace(answer, absent=absent, seconds=time.perf_counter() - started)

    def retrieve(self, question: str, carried: Sequence[Passage] = ()) -> tuple[Candidate, ...]:
        """The passages to be read, best first; none for a cleaned question without a word."""
        if not holds_words(question):
            return ()
        return tuple(self.retriever.retrieve(plain_question(question), self.k, carried=carried))

    def answer(self, question: str, candidates: tuple[Candidate, ...]) -> Answer:
        """What the candidates say to a cleaned question."""
        if not holds_words(question):
            return Answer(question, reason="empty_question")
        if not any(is_near(candidate) for candidate in candidates):
            return Answer(question, candidates=candidates, reason="nothing_near")
        reading = self.read(question, candidates)
        return self._cited_or_silent(question, with_scores(candidates, reading), self.groups(question, reading))

    def read(self, question: str, candidates: Sequence[Candidate]) -> Reading:
        """What the reader finds in those candidates that are worth reading, after what answers by its very form.

        That is the cell of a table, a text's byline, what an abbreviation stands for, what defines a term, what stands
        under the same question.
        """
        question = plain_question(question)
        reading = without_other_numbers(self.reader.read(question, worth_reading(candidates)), question)
        reading = with_whole_lists(without_contents(reading, question, self.documents), question, self.documents)
        reading = with_cells(reading, question, candidates, self.documents, self.alike)
        reading = with_bylines(reading, question, candidates, self.documents)
        if asked := asked_abbreviation(question):
            reading = with_spelled_out(reading, asked, candidates)
            if asked.only_words:
                return reading
        reading = with_definitions(reading, question, candidates, self.documents)
        return with_entries(reading, question, candidates, self.documents, self.alike)

    def groups(self, question: str, reading: Reading) -> list[Group]:
        """The different answers that a reading holds, in the reader's order.

        Where it is asked what to do, the surest comes first: how clearly a step is marked says little of whether it is
        one of the right procedure.
        """
        question, groups = plain_question(question), []
        calibrator = self.calibrator.for_question(question)
        for spans in group_spans(reading.spans):
            supported = _supported(spans, reading)
            documents = len({self.original(span.candidate.passage.document) for span in supported})
            found = features(question, reading, spans, documents)
            groups.append(Group(supported, found, calibrator.confidence(found), documents))
        return sorted(groups, key=lambda group: -group.confidence) if asks_for_steps(question) else groups

    def _cited_or_silent(self, question: str, candidates: tuple[Candidate, ...], groups: list[Group]) -> Answer:
        confidence = groups[0].confidence if groups else 0.0
        calibrator = self.calibrator.for_question(plain_question(question))
        grounds = calibrator.grounds(groups[0].features) if groups else ()
        if confidence < THRESHOLDS[self.strictness]:
            withheld = self.citations(groups[0].spans, first_number=1) if groups else ()
            return Answer(
                question,
                confidence=confidence,
                candidates=candidates,
                reason="not_in_documents",
                withheld=withheld,
                grounds=grounds,
            )
        best, *others = groups
        citations = self.citations(best.spans, first_number=1)
        number = len(citations) + 1
        alternatives = []
        for group in [g for g in others if g.confidence >= ALTERNATIVE_CONFIDENCE][:MAX_ALTERNATIVES]:
            cited = self.citations(group.spans, number)
            number += len(cited)
            alternatives.append(Alternative(group.confidence, cited))
        return Answer(
            question,
            confidence=confidence,
            citations=citations,
            alternatives=tuple(alternatives),
            candidates=candidates,
            independent_documents=best.independent_documents,
            grounds=grounds,
        )

    def citations(self, spans: Sequence[Span], first_number: int) -> tuple[Citation, ...]:
        """A citation for each place of an answer, copies of a passage included where they have all of it."""
        placed = [
            (span, passage)
            for span in spans
            for passage in (span.candidate.passage, *span.candidate.copies)
            if passage == span.candidate.passage or self._has_all(passage, span)
        ][:MAX_CITATIONS]
        return tuple(
            cite(span, passage, self.documents(passage.document), number)
            for number, (span, passage) in enumerate(placed, start=first_number)
        )

    def _has_all(self, copy: Passage, span: Span) -> bool:
        """Whether a copy of a span's passage goes on as a list does that was grown beyond the passage."""
        passage = span.candidate.passage
        if span.support is not None or (passage.start <= span.start and span.end <= passage.end):
            return True
        shift = copy.start - passage.start
        return self.documents(copy.document).text[span.start + shift : span.end + shift] == span.text


def with_scores(candidates: Sequence[Candidate], reading: Reading) -> tuple[Candidate, ...]:
    """The candidates, each with the score and the place of the best span that was read in it."""
    best: dict[Candidate, Span] = {}
    for span in reading.spans:
        best.setdefault(span.candidate, span)

    def scored(candidate: Candidate) -> Candidate:
        span = best.get(candidate)
        if span is None:
            return candidate
        marked = span.support or (span.start, span.end)
        return dataclasses.replace(candidate, read=span.score - reading.null, marked=marked)

    return tuple(map(scored, candidates))


def worth_reading(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Those that are not far behind the others in both searches, and those carried over, in their order."""
    cosine = max((candidate.dense for candidate in candidates), default=0.0)
    words = max((candidate.lexical for candidate in candidates), default=0.0)
    return tuple(
        candidate
        for candidate in candidates
        if candidate.carried or candidate.dense >= cosine - FAR_COSINE or candidate.lexical >= FAR_WORDS * words > 0
    )


def is_near(candidate: Candidate) -> bool:
    """Whether a passage has to do with the question at all, or with the one that it leans on."""
    return candidate.carried or candidate.dense >= NEAR_COSINE or candidate.lexical > 0


def group_spans(spans: Sequence[Span]) -> list[tuple[Span, ...]]:
    """Spans by the answer they give, best first, each place once.

    Two spans give the same answer when their words are the same once normalised, or when they overlap in the document:
    "in 2002" beside "2002" is one answer read twice.
    """
    groups: list[list[Span]] = []
    for span in spans:
        at_place = next((g for g in groups if any(_overlap(span, other) for other in g)), None)
        if at_place is not None:
            continue
        same_words = next((g for g in groups if normalise_answer(g[0].text) == normalise_answer(span.text)), None)
        if same_words is None:
            groups.append([span])
        else:
            same_words.append(span)
    return [tuple(group) for group in groups]


def _overlap(one: Span, other: Span) -> bool:
    """Whether two spans share characters, or answer from the same label for the same line."""
    return one.support == other.support and one.overlaps(other)


def _supported(spans: Sequence[Span], reading: Reading) -> tuple[Span, ...]:
    """The spans that the reader itself takes for answers; the best one in any case."""
    return (spans[0], *(span for span in spans[1:] if span.score > reading.null))


def cite(span: Span, passage: Passage, document: Document, number: int) -> Citation:
    """The citation of a span in a passage: the span's own, or a copy of it elsewhere.

    The quote is the sentence(s) around the answer and around what supports it, stretched back to the label they stand
    under: an undated line of a timeline is quoted with its year, but not what has it for a heading. Raises IndexDamaged
    when the document does not read at that place what the span says.
    """
    shift = passage.start - span.candidate.passage.start
    label_shift = _label_shift(span, passage)
    in_label = span.support is not None
    start = span.start + (label_shift if in_label else shift)
    end = start + len(span.text)
    covered = [(s.start, s.end) for s in passage.sentences if s.start < end and start < s.end]
    if span.support is not None:
        covered.append((span.support[0] + shift, span.support[1] + shift))
    quote_start = min([start, *(s for s, _ in covered)])
    quote_end = max([end, *(e for _, e in covered)])
    label = passage.label
    if label is not None and not document.is_in_heading(label) and quote_end - label.start <= MAX_LABELLED_QUOTE:
        quote_start = min(quote_start, label.start)
    if document.text[start:end] != span.text:
        raise IndexDamaged(
            f"{document.id} does not read {span.text!r} at characters {start} to {end}. Run `qa index --full` to build "
            "the index again."
        )
    column = column_at(passage, document, start, end)
    return Citation(
        number=number,
        document=document.id,
        sha256=document.sha256,
        title=document.title,
        date=document.date,
        headings=(*document.headings_at(start), *filter(None, [column])),
        page=document.page_at(start),
        line=document.line_at(start),
        start=quote_start,
        end=quote_end,
        quote=document.text[quote_start:quote_end],
        answer_start=start,
        answer_end=end,
        items=items_within(document, start, end),
    )


def _label_shift(span: Span, passage: Passage) -> int:
    own = span.candidate.passage.label
    return passage.label.start - own.start if passage.label is not None and own is not None else 0
