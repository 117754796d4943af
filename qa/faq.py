"""Questions that documents ask themselves: headings and lines of a FAQ that ask what a person asks.

What stands under such a question was written to answer it. A reader taught on encyclopaedia articles marks it seldom:
it may begin with "Yes." or "You should …", and say nothing of what was asked.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from qa.datatypes import Block, Candidate, Document, Reading, Span
from qa.lists import MAX_LIST_CHARACTERS
from qa.passages import BETWEEN_BLOCKS
from qa.question import asked_type, asks_for_definition, asks_yes_or_no, plain_question
from qa.text import content_stems, names_and_numbers, stems

ASKED = 10.0
"""The score, above that of "not in this passage", of what stands under the same question, or the reader's best where
that is higher; and one more is shared out by how near the question is."""

SAME_SHARE = 0.75
"""Of all words of two questions that say what they are about, so many must be in both: one word of four may be more,
none may stand in the place of another, as in "install" and "remove"."""

SAME_COSINE = 0.85
"""Or the bundled embedder's vectors must be so near. Of 34 questions of a FAQ put in other words 23 are as near to
theirs, and one to another that answers it, too; of twenty pairs that ask for different things two are, "Sundays" and
"Mondays", "enable" and "disable": names and opposites tell these apart."""

ANSWER_CHARACTERS = 700
"""Paragraphs under a question are quoted up to this length, as much as a passage has; the first one whole, and lists as
long as those that answer what to do."""

_QUESTION_LINE = re.compile(r"[^.!?\n]{6,250}\?[\"”’*_]*")
_ANSWER_MARK = re.compile(r"A(?:nswer)?\s*\d*\s*[:.)]\s+")
_PERSONS = frozenset({"i", "me", "my", "we", "us", "our", "you", "your", "one", "someon", "user"})
"""Whoever asks, or is asked: "How do I …?", "How can you …?"."""

_DENIES = re.compile(r"\b(?:not|no|never|without)\b|n[’']t\b", re.IGNORECASE)
_OPPOSITES = tuple(
    tuple(stem for word in pair.split() for stem in stems(word))
    for pair in (
        "enable disable,activate deactivate,install uninstall,install remove,add remove,open close,start stop,on off"
        ",import export,upload download,lock unlock,subscribe unsubscribe,increase decrease,before after,most least"
        ",minimum maximum,first last,buy sell,send receive,allow forbid,include exclude,connect disconnect,join leave"
        ",mount unmount,encrypt decrypt,register deregister,login logout,show hide,upgrade downgrade,create delete"
    ).split(",")
)
"""Words that stand in the same places and ask for the opposite; vectors hardly tell them apart."""

_NUMBER = re.compile(r"^(?:[QF]\s*\d*\s*[:.)]\s*|[\W\d_]+)")
"""What stands before a question: its number, a bullet, "Q:"."""


class Entry(NamedTuple):
    """A question in a document, without its number or mark, and the place of what stands under it."""

    question: str
    start: int
    end: int


def with_entries(
    reading: Reading,
    question: str,
    candidates: Sequence[Candidate],
    documents: Callable[[str], Document],
    alike: Callable[[str, Sequence[str]], Sequence[float]],
) -> Reading:
    """What stands in the candidates under the same question, nearest first, before what the reader found.

    `alike` gives the cosines of a text with others.
    """
    entries = {
        (document.id, entry.start): (candidate, document, entry)
        for candidate in candidates
        for document in [documents(candidate.passage.document)]
        for entry in entries_in(document, candidate.passage.start, candidate.passage.end)
    }
    if not entries:
        return reading
    cosines = alike(question, [plain_question(entry.question) for _, _, entry in entries.values()])
    best = max((span.score - reading.null for span in reading.spans), default=0.0)
    found = [
        Span(
            candidate,
            entry.start,
            entry.end,
            document.text[entry.start : entry.end],
            reading.null + max(ASKED, best) + near,
        )
        for (candidate, document, entry), cosine in zip(entries.values(), cosines, strict=True)
        if (near := nearness(question, entry.question, cosine, document.title))
    ]
    return reading.with_spans(found)


def nearness(question: str, other: str, cosine: float, title: str = "") -> float:
    """How near a question is to one in a document of this title that asks for the same, at most 1; 0 to any other.

    What it names must be named there, too.
    """
    if names_and_numbers(question) - {*stems(other), *stems(title)} or _opposed(question, other):
        return 0.0
    share = shared(question, other)
    return max(share if share >= SAME_SHARE else 0.0, min(cosine, 1.0) if cosine >= SAME_COSINE else 0.0)


def entries_in(document: Document, start: int, end: int) -> Iterator[Entry]:
    """The questions that stand in `[start, end)`, or right above as a heading, in order."""
    blocks = document.blocks
    first = bisect.bisect_left(blocks, start, key=lambda block: block.start)
    beyond = bisect.bisect_left(blocks, end, key=lambda block: block.start)
    for i in range(first, min(beyond + 1, len(blocks))):
        asked = _question_above(document, i)
        if asked is None or (i == beyond and (i == 0 or _question(document, blocks[i - 1]) is None)):
            continue
        sections, last = document.sections_at(blocks[i].start), i
        while (
            last + 1 < len(blocks)
            and blocks[last + 1].end - blocks[i].start
            <= (MAX_LIST_CHARACTERS if blocks[last + 1].kind == "item" else ANSWER_CHARACTERS)
            and document.sections_at(blocks[last + 1].start) == sections
            and BETWEEN_BLOCKS.fullmatch(document.text, blocks[last].end, blocks[last + 1].start)
            and _question(document, blocks[last + 1]) is None
        ):
            last += 1
        mark = _ANSWER_MARK.match(document.text, blocks[i].start, blocks[i].end)
        yield Entry(asked, mark.end() if mark else blocks[i].start, blocks[last].end)


def shared(one: str, other: str) -> float:
    """The share of the words of two questions that are in both, of those that say what they are about.

    1 where they are the same but for case and signs; 0 where they ask for different things ("where" and "when").

    >>> shared("How do I close a bug?", "how can bugs be closed"), shared("Where is it sold?", "When is it sold?")
    (1.0, 0.0)
    >>> shared("How do I install a package?", "How do I remove a package?")
    0.3333333333333333
    """
    one, other = plain_question(one), plain_question(other)
    if _kind(one) != _kind(other):
        return 0.0
    mine, theirs = content_stems(one) - _PERSONS, content_stems(other) - _PERSONS
    if not mine or not theirs:
        return float(stems(one) == stems(other))
    return len(mine & theirs) / len(mine | theirs)


def _kind(question: str) -> tuple[str, str, bool, bool]:
    manner = re.search(r"\b(?:why|how)\b", question, re.IGNORECASE)
    first = manner[0].lower() if manner else ""
    return asked_type(question), first, asks_yes_or_no(question), asks_for_definition(question)


def _opposed(one: str, other: str) -> bool:
    """Whether one question asks for what the other denies or undoes."""
    mine, theirs = set(stems(one)), set(stems(other))
    mine, theirs = mine - theirs, theirs - mine
    return bool(_DENIES.search(one)) != bool(_DENIES.search(other)) or any(
        (a in mine and b in theirs) or (b in mine and a in theirs) for a, b in _OPPOSITES
    )


def _question_above(document: Document, i: int) -> str | None:
    """The question that the block answers: the heading that it is the first block of, or the line before it."""
    block = document.blocks[i]
    if _question(document, block) is not None:
        return None
    before = document.blocks[i - 1] if i else None
    sections = document.sections_at(block.start)
    if before is not None and document.sections_at(before.start) == sections:
        return _question(document, before)
    heading = sections[-1].heading.rstrip() if sections else ""
    return _NUMBER.sub("", heading) if heading.endswith("?") else None


def _question(document: Document, block: Block) -> str | None:
    """The question that a block is, and nothing else."""
    line = _NUMBER.sub("", document.text[block.start : block.end].strip())
    return line if _QUESTION_LINE.fullmatch(line) else None
