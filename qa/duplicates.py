"""Documents that say nearly the same, found by MinHash (Broder 1997): what they agree on was said once.

A document's signature stands for the set of its runs of five words; the share of equal numbers in two signatures
estimates the share of runs that the documents have in common (their Jaccard similarity), with a standard error of
.035. Documents whose signatures agree in a whole band are looked at; those that are alike enough belong together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

Signature = npt.NDArray[np.uint32]
"""Shape (NUMBERS,)."""

NUMBERS = 128
"""Of a signature: an error of some hundredths, in half a kilobyte a document."""

BANDS = 16
"""Of eight numbers each: two documents of similarity .8 meet in one with a chance of 95 %, of .5 with 6 %."""

RUN = 5
"""Words of a run: long enough that two reports on one matter share few, short enough for an edited word to cost few."""

ALIKE = 0.8
"""From this share of common runs on, documents are near-duplicates: a reprint with another headline is one, a follow-up
that repeats half of the first report is not."""

_AT_ONCE = 10_000
"""Runs hashed in one call, which takes some kilobytes for each."""


def signature(text: str) -> Signature:
    """The signature of a text; upper case, punctuation and white space do not count."""
    from datasketch import MinHash

    words = re.findall(r"\w+", text.lower())
    sketch = MinHash(num_perm=NUMBERS, seed=1, scheme="affine32")
    runs = sorted({" ".join(words[i : i + RUN]) for i in range(max(1, len(words) - RUN + 1))})
    for start in range(0, len(runs), _AT_ONCE):
        sketch.update_batch([run.encode("utf-8", "surrogatepass") for run in runs[start : start + _AT_ONCE]])
    return np.asarray(sketch.hashvalues, dtype=np.uint32)


def bands(signature: Signature) -> list[bytes]:
    """The signature in `BANDS` parts."""
    return [part.tobytes() for part in np.split(signature, BANDS)]


def alike(one: Signature, other: Signature) -> bool:
    """Whether two documents are near-duplicates."""
    return float(np.mean(one == other)) >= ALIKE


def originals(pairs: Iterable[tuple[str, str]], signature_of: Callable[[str], Signature]) -> dict[str, str]:
    """For each near-duplicate the document that it is taken for a copy of: the first of its kind by id.

    `pairs` are the documents that share a band, each as (document, the first document by id with that band). A
    document is compared with those alone, so that a thousand copies of one text are a thousand comparisons.
    """
    found: dict[str, str] = {}
    for document, first in sorted(pairs, key=lambda pair: (pair[0], pair[1])):
        if document not in found and alike(signature_of(document), signature_of(first)):
            found[document] = found.get(first, first)
    return found
