"""The values that flow from document to answer.

All of them are frozen. Every place is a half-open range `[start, end)` of characters of `Document.text`, made
once and carried, never looked for again. What carries its text beside its place refuses, when it is made, a
text of another length.
"""

from __future__ import annotations

import bisect
import datetime
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Reason = Literal["not_in_documents", "nothing_near", "empty_question", "failed"]
"""Why an answer is silent: the documents do not say; nothing in them is near the question; the question holds no
word to look for; something failed (and the error says what)."""

BlockKind = Literal["paragraph", "item", "event", "row"]
"""A run of prose; an item of a list; a line of a timeline, which is read alone and under its date; a row of a table,
which is read alone and under its columns' names."""


def _check_length(kind: str, start: int, end: int, text: str) -> None:
    if not 0 <= start <= end or len(text) != end - start:
        raise ValueError(f"A {kind} at [{start}, {end}) cannot hold a text of {len(text)} characters.")


@dataclass(frozen=True, slots=True)
class Label:
    """What stands above a block and belongs to it: the year of an undated line, a list's lead-in, a table's header."""

    text: str
    start: int
    end: int

    def __post_init__(self) -> None:
        _check_length("label", self.start, self.end, self.text)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and all that stands under it, deeper sections included.

    `start` is where the heading's line begins; `level` is 1 for the outermost.
    """

    heading: str
    level: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a paged document; `number` is the one a reader would turn to, from 1."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Block:
    """A run of text that is read as one: a paragraph, a list item without its bullet, a timeline line."""

    kind: BlockKind
    start: int
    end: int
    label: Label | None = None


@dataclass(frozen=True)
class Document:
    """A document as it was read; its text never changes afterwards.

    `id` is the path below the corpus with `/` between folders. `text` is the decoded file (byte order mark
    dropped, every line end a single newline) or, for other formats, what was extracted from it. `sha256` is that of the
    file's bytes. `source` and `date` are None unless the document states them. `blocks` are in order and do not
    overlap; headings are not blocks. `sections` are in order and each is inside the
    one it belongs to. `pages` is empty for formats without pages.
    """

    id: str
    title: str
    text: str
    sha256: str
    source: str | None = None
    date: datetime.date | None = None
    sections: tuple[Section, ...] = ()
    blocks: tuple[Block, ...] = ()
    pages: tuple[Page, ...] = ()

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(i + 1 for i, character in enumerate(self.text) if character == "\n")]

    @cached_property
    def _nested(self) -> list[tuple[Section, ...]]:
        """For each section, the sections around it, outermost first, and itself."""
        found: list[tuple[Section, ...]] = []
        around: list[Section] = []
        for section in self.sections:
            while around and around[-1].end <= section.start:
                around.pop()
            around.append(section)
            found.append(tuple(around))
        return found

    def sections_at(self, offset: int) -> tuple[Section, ...]:
        """The sections in which a character stands, outermost first; empty above the first heading."""
        before = bisect.bisect_right(self.sections, offset, key=lambda section: section.start)
        return tuple(s for s in self._nested[before - 1] if offset < s.end) if before else ()

    def headings_at(self, offset: int) -> tuple[str, ...]:
        """The headings above a character, outermost first; empty above the first heading."""
        return tuple(section.heading for section in self.sections_at(offset))

    def is_in_heading(self, label: Label | None) -> bool:
        """Whether a label stands in a heading's line: the date of all that is under it."""
        above = self.sections_at(label.start) if label is not None else ()
        return label is not None and bool(above) and "\n" not in self.text[above[-1].start : label.start]

    def line_at(self, offset: int) -> int:
        """The line, from 1, on which a character stands."""
        return bisect.bisect_right(self._line_starts, offset)

    def page_at(self, offset: int) -> int | None:
        """The number of the page on which a character stands; None in a document without pages."""
        return next((p.number for p in self.pages if p.start <= offset < p.end), None)


@dataclass(frozen=True, slots=True)
class FileState:
    """A file of the corpus as it was when it was last looked at.

    `size` is in bytes; `changed` is the file's own time of its last change and `seen` the clock's when it was read,
    both in nanoseconds. `sha256` is None when it could not be opened, `reason` None when a document was made of it.
    """

    id: str
    size: int
    changed: int
    seen: int
    sha256: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A file of the corpus that is not indexed, and why."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, without the white space around it."""

    start: int
    end: int
    text: str

    def __post_init__(self) -> None:
        _check_length("sentence", self.start, self.end, self.text)


@dataclass(frozen=True, slots=True)
class Passage:
    """Whole sentences inside one section of a document: what is embedded, retrieved and read.

    `title`, `headings` and `label` are context: embedded and read with the text, never quoted as part of it. The
    label has a place of its own (outside the passage) and can be an answer there: the year of an undated line.
    """

    document: str
    start: int
    end: int
    text: str
    sentences: tuple[Sentence, ...]
    title: str = ""
    headings: tuple[str, ...] = ()
    label: Label | None = None

    def __post_init__(self) -> None:
        _check_length("passage", self.start, self.end, self.text)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A retrieved passage. `rank` counts from 1.

    `score` is the fused one by which candidates are ordered; `dense` is the cosine between question and passage;
    `lexical` the BM25 score, 0 when the passage shares no word with the question or many share more. `copies` are
    passages with the very same text elsewhere: read once, cited each, counted once. `read` is how far the reader's best
    span in it scores above "it does not say", and `marked` is where in the document that span stands, or the line that
    its label is for; both are None until it has been read, and where the reader found no span. `carried` is whether the
    question leans on one whose answer is cited from there.
    """

    passage: Passage
    rank: int
    score: float
    dense: float
    lexical: float
    copies: tuple[Passage, ...] = ()
    read: float | None = None
    marked: tuple[int, int] | None = None
    carried: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A possible answer: a place in a candidate's passage, or that of its label.

    `score` is in the reader's own unit, higher is better, comparable between the spans and the null of one
    reading only. `support`, when not None, is a further place that must be quoted with the span for the quote
    to prove the answer: the undated line that a timeline's year answers for.
    """

    candidate: Candidate
    start: int
    end: int
    text: str
    score: float
    support: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        _check_length("span", self.start, self.end, self.text)

    def overlaps(self, other: Span) -> bool:
        """Whether the two share characters of one document."""
        same = self.candidate.passage.document == other.candidate.passage.document
        return same and self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader found: spans, best first (empty when it found none), and the score of "it does not say"."""

    spans: tuple[Span, ...]
    null: float

    def with_spans(self, found: Sequence[Span]) -> Reading:
        """With further spans, each in the place of those that it overlaps; before others that score no higher."""
        others = [span for span in self.spans if not any(map(span.overlaps, found))]
        return Reading(tuple(sorted([*found, *others], key=lambda span: -span.score)), self.null)


@dataclass(frozen=True, slots=True)
class Citation:
    """The sentence(s) in which an answer stands, and where.

    `number` counts the citations of one answer from 1. `[start, end)` is the quote, `[answer_start, answer_end)`
    the answer inside it; `line` (from 1) and `page` are where the answer begins. `headings` are those that it stands
    under, outermost first, and of a table's cell the column's name last. `items` are the places of its items where the
    answer is a list with lines of their own, else empty.
    """

    number: int
    document: str
    sha256: str
    title: str
    date: datetime.date | None
    headings: tuple[str, ...]
    page: int | None
    line: int
    start: int
    end: int
    quote: str
    answer_start: int
    answer_end: int
    items: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        _check_length("citation", self.start, self.end, self.quote)
        if not self.start <= self.answer_start < self.answer_end <= self.end:
            raise ValueError(
                f"An answer at [{self.answer_start}, {self.answer_end}) is not inside its quote at "
                f"[{self.start}, {self.end})."
            )

    @property
    def answer(self) -> str:
        """The answer's words as they stand in this quote."""
        return self.quote[self.answer_start - self.start : self.answer_end - self.start]

    @property
    def lines(self) -> tuple[str, ...]:
        """The answer's words for people to read: on one line, or a line for each item with its bullet."""
        starts = (self.answer_start, *(end for _, end in self.items[:-1]))
        ends = (*(end for _, end in self.items[:-1]), self.answer_end)
        lines = (self.quote[a - self.start : b - self.start] for a, b in zip(starts, ends, strict=True))
        return tuple(" ".join(line.split()) for line in lines)


@dataclass(frozen=True, slots=True)
class Ground:
    """One feature of an answer, and how much it moves the answer's log-odds of being right."""

    name: str
    value: float
    effect: float


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another answer that the documents give to the same question; never without a citation."""

    confidence: float
    citations: tuple[Citation, ...]

    @property
    def text(self) -> str:
        """The words of its best citation."""
        return self.citations[0].answer


@dataclass(frozen=True, slots=True)
class Absent:
    """A name or number of a question, as written there, that stands nowhere in the documents asked.

    `nearest` is a name that does, and is spelt nearly so; None where there is none.
    """

    name: str
    nearest: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the documents say to a question: cited, or silent with a reason.

    The text is made from the first citation, so an answer without a citation cannot exist. `confidence` is the
    calibrated probability that the best answer found is right, also when it was too low to be given.
    `candidates` are the passages found, best first, those that were read with the reader's score.
    `independent_documents` counts the documents that give the answer in words of their own (copies count once).
    `withheld` cites the best answer found when it was too unsure to be given: for judging, not to be shown as one.
    `grounds` are what the confidence was computed from. `absent` are what the documents have no word of. `read_as` is
    the question as it was read where it leant on the one before, with `carried` taken from there; None where it stands
    alone. The passages carried over with them are those candidates that say so.
    """

    question: str
    confidence: float = 0.0
    citations: tuple[Citation, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    reason: Reason | None = None
    independent_documents: int = 0
    withheld: tuple[Citation, ...] = ()
    grounds: tuple[Ground, ...] = ()
    absent: tuple[Absent, ...] = ()
    read_as: str | None = None
    carried: tuple[str, ...] = ()
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if (self.reason is None) != bool(self.citations):
            raise ValueError("An answer has citations, or else a reason for being silent, and not both.")

    @property
    def respelt(self) -> str | None:
        """The question as it was read, with names spelt as they are in the documents; None where no spelling is known.

        >>> Answer("Who met Perou?", reason="nothing_near", absent=(Absent("Perou", "Peru"),)).respelt
        'Who met Peru?'
        """
        nearest = {each.name: each.nearest for each in self.absent if each.nearest is not None}
        names = rf"(?<!\w)(?:{'|'.join(map(re.escape, nearest))})(?!\w)"
        return re.sub(names, lambda m: nearest[m[0]], self.read_as or self.question) if nearest else None

    @property
    def closest(self) -> tuple[Candidate, ...]:
        """The candidates as they are shown when silent: by the reader's score, and those last that it did not read."""
        return tuple(sorted(self.candidates, key=lambda c: math.inf if c.read is None else -c.read))

    @property
    def text(self) -> str | None:
        """The answer's words as they stand in the document; None when silent."""
        return self.citations[0].answer if self.citations else None
