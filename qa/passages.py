"""Documents cut into passages: whole sentences inside one section, with the context they are read in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from qa.datatypes import Block, Document, Label, Passage, Sentence
from qa.text import sentences

PASSAGE_CHARACTERS = 700
"""Blocks are joined until a passage would grow beyond this: about 150 tokens, so that with its context it fits
the bundled embedder's window of 256 tokens."""

MAX_PASSAGE_CHARACTERS = 1_000
"""A block up to this stays whole; a longer one is cut between sentences. It still fits the window."""

OVERLAP_SENTENCES = 1
"""A cut block repeats its last sentence, so that what leans on the sentence before ("It was…") keeps it."""


def passages(document: Document) -> list[Passage]:
    """The passages of a document, in order.

    Each line of a timeline is a passage of its own, so that no event is read under another's year, and each item under
    a date; and so is each row of a table, which has its columns' names for a heading. What stands between two blocks
    and is in neither (a page's running header) is in no passage.
    """
    return [
        _passage(document, chunk)
        for _, blocks in groupby(document.blocks, key=lambda block: document.sections_at(block.start))
        for chunk in _chunks(document, list(blocks))
    ]


BETWEEN_BLOCKS = re.compile(r"[\W_]*(?:\w{1,3}[.)]\s+)?")
"""White space, rulers and a bullet: blocks may be joined over it. Words may not be taken into a passage unseen."""


@dataclass(frozen=True)
class _Chunk:
    sentences: tuple[Sentence, ...]
    label: Label | None
    is_row: bool = False

    @property
    def length(self) -> int:
        return self.sentences[-1].end - self.sentences[0].start


def _chunks(document: Document, blocks: Sequence[Block]) -> Iterator[_Chunk]:
    """Neighbouring blocks of one section, joined while they fit and cut where they do not."""
    open_chunk: _Chunk | None = None
    for block in blocks:
        found = sentences(document.text, block.start, block.end)
        if not found:
            continue
        joined = open_chunk and _joined(document, open_chunk, found)
        is_alone = block.kind in ("event", "row") or (block.kind == "item" and document.is_in_heading(block.label))
        if joined and not is_alone and joined.length <= PASSAGE_CHARACTERS:
            open_chunk = joined
            continue
        if open_chunk:
            yield open_chunk
            open_chunk = None
        *whole, last = _cut(found, block.label, block.kind == "row")
        yield from whole
        if is_alone:
            yield last
        else:
            open_chunk = last
    if open_chunk:
        yield open_chunk


def _joined(document: Document, chunk: _Chunk, found: Sequence[Sentence]) -> _Chunk | None:
    """A chunk with the sentences of the next block, where no words stand between them."""
    if not BETWEEN_BLOCKS.fullmatch(document.text, chunk.sentences[-1].end, found[0].start):
        return None
    return _Chunk((*chunk.sentences, *found), chunk.label)


def _cut(found: Sequence[Sentence], label: Label | None, is_row: bool) -> Iterator[_Chunk]:
    """The sentences of one block as chunks of at most `MAX_PASSAGE_CHARACTERS`, overlapping."""
    held: list[Sentence] = []
    for sentence in found:
        if held and sentence.end - held[0].start > MAX_PASSAGE_CHARACTERS:
            yield _Chunk(tuple(held), label, is_row)
            held = held[-OVERLAP_SENTENCES:]
            if sentence.end - held[0].start > MAX_PASSAGE_CHARACTERS:
                held = []
        held.append(sentence)
    yield _Chunk(tuple(held), label, is_row)


def _passage(document: Document, chunk: _Chunk) -> Passage:
    start, end = chunk.sentences[0].start, chunk.sentences[-1].end
    # Columns' names are context like a heading: they are the answer to no question about one row.
    columns = (chunk.label.text,) if chunk.is_row and chunk.label is not None else ()
    return Passage(
        document=document.id,
        start=start,
        end=end,
        text=document.text[start:end],
        sentences=chunk.sentences,
        title=document.title,
        headings=(*document.headings_at(start), *columns),
        label=None if chunk.is_row else chunk.label,
    )


@dataclass(frozen=True)
class PassageInContext:
    """A passage as it is embedded and read: its context, its label, its text.

    `text_start` is where the passage's text begins in `text`, `label_start` where its label does (None without one).
    """

    text: str
    text_start: int
    label_start: int | None


def in_context(passage: Passage) -> PassageInContext:
    """A passage's text after its title, headings and label, with the places of both.

    For the undated line of a timeline: "Relations with Tajikistan. Milestones in relations. 2003: President …". A
    heading that is the label is not said twice.
    """
    label = passage.label.text if passage.label is not None else None
    context = "".join(f"{part}. " for part in (passage.title, *passage.headings) if part and part != label)
    if passage.label is None:
        return PassageInContext(context + passage.text, len(context), None)
    separator = " " if passage.label.text.endswith(":") else ": "
    before = context + passage.label.text + separator
    return PassageInContext(before + passage.text, len(before), len(context))
