"""Tokenized texts put together for a network: texts of like length in one batch, so that little is padding."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tokenizers import Encoding

Ints = npt.NDArray[np.int64]

STEP = 16
"""Tokens by which batches differ in length. A network makes kernels for each shape that it has not seen of late, which
takes as long as 80 to 150 tokens; padding to the next 16 costs 8 a text. With 1 a question takes 10 % longer."""

BATCH_COST = 32
"""What running one batch more costs, in tokens: a batch is cut only where that saves more padding."""


@dataclass(frozen=True)
class Batch:
    """Texts by their places in the order given, and their ids, mask and types, each of shape (texts, longest)."""

    places: list[int]
    ids: Ints
    mask: Ints
    types: Ints


def batches(encodings: Sequence[Encoding], most: int, window: int, least: int = 0) -> Iterator[Batch]:
    """All texts in batches of `least` to `most` tokens, padding included; a longer text is a batch of its own.

    No text is longer than the network's `window`, nor is any padded beyond it.
    """
    order = sorted(range(len(encodings)), key=lambda i: len(encodings[i].ids))
    lengths = [min(window, STEP * math.ceil(len(encodings[i].ids) / STEP)) for i in order]
    for first, last in cuts(lengths, most):
        places = order[first:last]
        longest = max(lengths[last - 1], min(window, STEP * math.ceil(least / len(places) / STEP)))
        ids, mask, types = np.zeros((3, len(places), longest), dtype=np.int64)
        for row, i in enumerate(places):
            length = len(encodings[i].ids)
            ids[row, :length], mask[row, :length], types[row, :length] = encodings[i].ids, 1, encodings[i].type_ids
        yield Batch(places, ids, mask, types)


def cuts(lengths: Sequence[int], most: int) -> list[tuple[int, int]]:
    """Where to cut a row of lengths, shortest first, so that tokens with padding and `BATCH_COST` are the fewest.

    >>> cuts([50, 52, 200, 210], most=4_096)
    [(0, 2), (2, 4)]
    """
    least = [(0, 0)]  # for each end of a batch: tokens up to there, and where that batch begins
    for end, longest in enumerate(lengths, start=1):
        begins = range(max(0, end - max(1, most // max(1, longest))), end)
        least.append(min((least[begin][0] + (end - begin) * longest + BATCH_COST, begin) for begin in begins))
    ends = [len(lengths)]
    while ends[-1]:
        ends.append(least[ends[-1]][1])
    return list(itertools.pairwise(reversed(ends)))
