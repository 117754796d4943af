"""Nearest vectors, by FAISS. The only module that imports faiss.

Up to `FLAT_MOST` rows every one is compared. A larger index is divided into lists of rows that lie near one another:
only the lists nearest to a question are looked through, by one byte a number, and the best rows found there are
compared by their exact vectors. Both kinds are mapped into memory, so that opening reads next to nothing.

Lists rather than a graph (HNSW of 32 links): over 97,000 sentences a graph answered in 0.4 ms rather than 1 ms with the
same recall, but took nine times as long to build and two thirds more memory, and nothing can be taken out of it.
"""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from qa.embedding import Vectors
from qa.errors import IndexDamaged
from qa.store import Chosen, Rows

FLAT_MOST = 50_000
"""Comparing every row takes 0.1 ms a thousand: up to here 5 ms, which is little beside reading the passages."""

LISTS = 2
"""Lists, in units of the square root of the rows: 4 took four times as long to make and gained half a point of recall,
1 lost one."""

PROBED = 0.3
"""The share of the lists that is looked through: of 97,000 sentences it found 99 % of the ten nearest to a question, of
51,000 98.6 %; 0.2 found 98 % and 97 %."""

RESCORED = 2
"""How many rows, for each that is wanted, are compared by their exact vectors: one byte a number misplaces few."""

TRAINED_ON = 64
"""Rows a list that are drawn to find where the lists lie: FAISS asks for 39 at least."""

SEED = 1
"""Of what is drawn, so that the same rows make the same lists."""

OUTGROWN = 2
"""Lists are made anew when this many times as many would be right, which is when there are four times the rows."""

_FAISS_FILE = "vectors.faiss"
_EXACT_FILE = "vectors.f16"
_EXACT = np.dtype("<f2")
"""Half precision: a cosine differs by 0.00002 at most, less than between two processors."""

_AT_ONCE = 65_536
"""Rows held as float32 at a time when lists are made: 100 MB."""


class VectorIndex:
    """Rows of length 1, compared by their inner product, which is then the cosine. Any thread may ask it."""

    def __init__(self, index: Any, exact: _ExactRows | None) -> None:
        self._index = index
        self._exact = exact

    @classmethod
    def open(cls, generation: Path) -> VectorIndex:
        """Raises IndexDamaged when the files cannot be read."""
        path = generation / _FAISS_FILE
        try:
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
            return cls(index, _ExactRows(generation / _EXACT_FILE, index.d) if _has_lists(index) else None)
        except (RuntimeError, OSError) as error:
            raise IndexDamaged(f"FAISS cannot read {path}. Run `qa index --full` to build the index again.") from error

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return int(self._index.d)

    def nearest(self, vector: Vectors, k: int, within: Chosen | None = None) -> list[tuple[int, float]]:
        """The k rows nearest to a vector of shape (dimension,), best first, each with its cosine.

        Only rows `within` what is chosen, if anything is. Equally near rows are in their order. In a large index a row
        may be missed; the fewer are chosen the less so, and up to the share `PROBED` every one of them is compared.
        """
        k = min(k, len(self) if within is None else len(within.rows))
        if k < 1:
            return []
        wanted = k if self._exact is None else min(RESCORED * k, len(self))
        with _one_thread():
            scores, rows = self._index.search(vector.reshape(1, -1), wanted, params=self._parameters(within))
        found = [(int(row), float(score)) for row, score in zip(rows[0], scores[0], strict=True) if row >= 0]
        if self._exact is not None:
            numbers = [row for row, _ in found]
            found = list(zip(numbers, self.cosines(vector, numbers), strict=True))
        return sorted(found, key=lambda item: (-item[1], item[0]))[:k]

    def _parameters(self, within: Chosen | None) -> faiss.SearchParameters:
        options: dict[str, Any] = {} if within is None else {"sel": _selector(within.bits)}
        if self._exact is None:
            return faiss.SearchParameters(**options)
        chosen = 1.0 if within is None else len(within.rows) / len(self)
        options["nprobe"] = math.ceil(min(1.0, PROBED / chosen) * self._index.nlist)
        return faiss.SearchParametersIVF(**options)

    def row(self, number: int) -> Vectors:
        """The vector of a row, of shape (dimension,)."""
        if self._exact is not None:
            return np.asarray(self._exact.read([number])[0])
        return np.asarray(self._index.reconstruct(number), dtype=np.float32)

    def cosines(self, vector: Vectors, rows: Sequence[int]) -> list[float]:
        """The cosine between a vector and each of the named rows, in their order."""
        if self._exact is not None:
            return [float(cosine) for cosine in self._exact.read(rows) @ vector]
        return [float(np.dot(self.row(row), vector)) for row in rows]


def write_vectors(
    generation: Path,
    dimension: int,
    rows: Sequence[int],
    vectors: Vectors,
    base: Path | None = None,
    removed: Sequence[int] = (),
) -> int:
    """Write what `VectorIndex.open` reads: vectors of shape (rows, dimension), each under its row's number.

    With `base` they join the rows of that generation, without those removed. Gives the number of rows there are then.
    Raises OSError when the files cannot be written.
    """
    index = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension)) if base is None else faiss.read_index(_path(base))
    if removed:
        index.remove_ids(faiss.IDSelectorBatch(np.array(removed, dtype=np.int64)))
    numbers = np.array(rows, dtype=np.int64)
    total = int(index.ntotal) + len(numbers)
    if _has_lists(index) or total > FLAT_MOST:
        index = _with_lists(index, generation / _EXACT_FILE, numbers, vectors, base)
    elif total > index.ntotal:
        index.add_with_ids(vectors, numbers)
    try:
        faiss.write_index(index, _path(generation))
    except RuntimeError as error:
        raise OSError(f"FAISS cannot write {_path(generation)}") from error
    return total


def _with_lists(index: Any, path: Path, numbers: Rows, vectors: Vectors, base: Path | None) -> Any:
    """An index in lists of the rows of another and of new ones, whose exact vectors are all written to a file."""
    if _has_lists(index):
        assert base is not None
        shutil.copyfile(base / _EXACT_FILE, path)
        held = [faiss.rev_swig_ptr(index.invlists.get_ids(i), index.invlists.list_size(i)) for i in range(index.nlist)]
        before = np.concatenate(held)
    else:
        before = faiss.vector_to_array(index.id_map)
        _write_exact(path, before, faiss.downcast_index(index.index).reconstruct_n(0, len(before)))
    _write_exact(path, numbers, vectors)
    exact = _ExactRows(path, index.d)
    if _has_lists(index) and _lists(len(before) + len(numbers)) < OUTGROWN * index.nlist:
        made = index
    else:
        numbers = np.sort(np.concatenate([before, numbers]))
        made = _empty_lists(exact, numbers)
    for start in range(0, len(numbers), _AT_ONCE):
        part = numbers[start : start + _AT_ONCE]
        made.add_with_ids(exact.read(part.tolist()), part)
    return made


def _lists(rows: int) -> int:
    return round(LISTS * math.sqrt(rows))


def _empty_lists(exact: _ExactRows, numbers: Rows) -> Any:
    """Lists without rows, laid where a sample of these rows lies."""
    dimension, lists = exact.dimension, _lists(len(numbers))
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimension),
        dimension,
        lists,
        faiss.ScalarQuantizer.QT_8bit_uniform,  # the quickest to compare of those with one byte a number
        faiss.METRIC_INNER_PRODUCT,
        False,
    )
    index.cp.seed = SEED
    index.cp.max_points_per_centroid = TRAINED_ON
    drawn = np.random.default_rng(SEED).choice(numbers, min(len(numbers), TRAINED_ON * lists), replace=False)
    index.train(exact.read(np.sort(drawn).tolist()))
    return index


def _has_lists(index: Any) -> bool:
    return isinstance(index, faiss.IndexIVF)


def _path(generation: Path) -> str:
    return str(generation / _FAISS_FILE)


class _ExactRows:
    """A file of vectors in half precision, each at its row's place; only what is asked for is read."""

    def __init__(self, path: Path, dimension: int) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)
        self.dimension = dimension

    def read(self, rows: Sequence[int]) -> Vectors:
        """The vectors of rows in their order, of shape (rows, dimension). Raises IndexDamaged when one is missing."""
        size = self.dimension * _EXACT.itemsize
        content = b"".join(os.pread(self._file, size, row * size) for row in rows)
        if len(content) != len(rows) * size:
            raise IndexDamaged(f"{self._path} is cut short. Run `qa index --full` to build the index again.")
        return np.frombuffer(content, _EXACT).reshape(-1, self.dimension).astype(np.float32)


def _write_exact(path: Path, rows: Rows, vectors: Vectors) -> None:
    """Put the vectors of rows at their places in a file, new or not."""
    with path.open("r+b" if path.exists() else "xb") as file:
        for run in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(rows) != 1) + 1):
            if len(run):
                part = vectors[run[0] : run[-1] + 1]
                file.seek(int(rows[run[0]]) * part.shape[1] * _EXACT.itemsize)
                file.write(part.astype(_EXACT, order="C").data)


def _selector(bits: npt.NDArray[np.uint8]) -> faiss.IDSelector:
    return faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type]


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for what this one asks of FAISS: for a single question more of them wait for one another."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
