"""Reading with any model that gives start and end logits: windows over a text, and the best span in them.

A passage is read as `[CLS] question [SEP] prefix text [SEP]`, or as another family of models writes that. A span's
score is its start and end logits less those at `[CLS]`: its log-odds against "not in this passage", which is what
compares across passages.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

MAX_TOKENS = 384  # of one window, question and all
STRIDE = 128  # tokens that two neighbouring windows share
QUESTION_TOKENS = 64  # a longer question is cut
ANSWER_TOKENS = 30  # no longer span is looked at
BATCH_TOKENS = 4096  # windows run together, counted with their padding

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
Model = Callable[[Ints, Ints, Ints], tuple[Floats, Floats]]
"""From ids, attention mask and segments, each (windows, tokens), to start and end logits of that shape."""


@dataclass(frozen=True)
class Layout:
    """How a family of models writes question and passage: the ids around them, and whether segments are given."""

    cls: int
    sep: int
    pad: int
    between: int
    segments: bool

    def head(self, question: Sequence[int]) -> list[int]:
        """All ids before the passage."""
        return [self.cls, *question, *[self.sep] * self.between]


def layout_of(tokenizer: Tokenizer) -> Layout:
    """BERT's layout, or that of MPNet and RoBERTa."""
    ids = tokenizer.get_vocab()
    if "<s>" in ids:
        return Layout(ids["<s>"], ids["</s>"], ids["<pad>"], between=2, segments=False)
    return Layout(ids["[CLS]"], ids["[SEP]"], ids["[PAD]"], between=1, segments=True)


@dataclass(frozen=True)
class Window:
    """A part of a passage as the model sees it; token `first + i` covers `offsets[i]` of the text."""

    passage: int
    ids: tuple[int, ...]
    segment: int
    first: int
    offsets: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Found:
    """The best span of a passage: its characters, and its log-odds against the null."""

    passage: int
    start: int
    end: int
    score: float


def windows(tokenizer: Tokenizer, question: str, passages: Sequence[tuple[str, str]]) -> Iterator[Window]:
    """All windows over the passages, each given as (prefix, text)."""
    layout = layout_of(tokenizer)
    asked = layout.head(tokenizer.encode(question, add_special_tokens=False).ids[:QUESTION_TOKENS])
    prefixes = tokenizer.encode_batch([p for p, _ in passages], add_special_tokens=False)
    texts = tokenizer.encode_batch([t for _, t in passages], add_special_tokens=False)
    for place, (prefix, text) in enumerate(zip(prefixes, texts, strict=True)):
        head = [*asked, *prefix.ids[:QUESTION_TOKENS]]
        room = MAX_TOKENS - len(head) - 1
        begin = 0
        while True:
            ids, offsets = text.ids[begin : begin + room], text.offsets[begin : begin + room]
            yield Window(place, (*head, *ids, layout.sep), len(asked), len(head), tuple(offsets))
            if begin + room >= len(text.ids):
                break
            begin += room - STRIDE


def logits(model: Model, batch: Sequence[Window], pad: int) -> list[tuple[Floats, Floats]]:
    """Start and end logits of each window, in the order given."""
    order = sorted(range(len(batch)), key=lambda i: len(batch[i].ids))
    found: dict[int, tuple[Floats, Floats]] = {}
    while order:
        longest = len(batch[order[-1]].ids)
        count = max(1, BATCH_TOKENS // longest)
        order, chosen = order[:-count], order[-count:]
        shape = (len(chosen), longest)
        ids, mask, types = (np.full(shape, fill, dtype=np.int64) for fill in (pad, 0, 0))
        for row, i in enumerate(chosen):
            length = len(batch[i].ids)
            ids[row, :length] = batch[i].ids
            mask[row, :length] = 1
            types[row, batch[i].segment : length] = 1
        starts, ends = model(ids, mask, types)
        for row, i in enumerate(chosen):
            length = len(batch[i].ids)
            found[i] = (starts[row, :length].astype(np.float32), ends[row, :length].astype(np.float32))
    return [found[i] for i in range(len(batch))]


def best_span(window: Window, start: Floats, end: Floats) -> Found:
    """The span with the highest score in one window."""
    inside = slice(window.first, window.first + len(window.offsets))
    starts, ends = start[inside] - start[0], end[inside] - end[0]
    scores = starts[:, None] + ends[None, :]
    allowed = np.triu(np.ones_like(scores, dtype=bool)) & ~np.triu(np.ones_like(scores, dtype=bool), ANSWER_TOKENS)
    scores = np.where(allowed, scores, -np.inf)
    i, j = np.unravel_index(int(np.argmax(scores)), scores.shape)
    return Found(window.passage, window.offsets[i][0], window.offsets[j][1], float(scores[i, j]))


def read(
    model: Model, tokenizer: Tokenizer, asked: Sequence[tuple[str, Sequence[tuple[str, str]]]]
) -> list[list[Found]]:
    """For each (question, passages) the best span of every non-empty passage, in the order of the passages."""
    groups = [[w for w in windows(tokenizer, q, passages) if w.offsets] for q, passages in asked]
    flat = [w for group in groups for w in group]
    scored = logits(model, flat, layout_of(tokenizer).pad)
    found = iter(best_span(w, *pair) for w, pair in zip(flat, scored, strict=True))
    result: list[list[Found]] = []
    for group in groups:
        best: dict[int, Found] = {}
        for _ in group:
            span = next(found)
            if span.passage not in best or span.score > best[span.passage].score:
                best[span.passage] = span
        result.append([best[place] for place in sorted(best)])
    return result
