"""Nearest vectors, by FAISS. The only module that imports faiss."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt

from qa.embedding import Vectors
from qa.errors import IndexDamaged

Rows = npt.NDArray[np.int64]
"""Numbers of rows, each once."""


class VectorIndex:
    """Rows of length 1, compared by their inner product, which is then the cosine."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @classmethod
    def empty(cls, dimension: int) -> VectorIndex:
        """An exact index without rows."""
        return cls(faiss.IndexIDMap2(faiss.IndexFlatIP(dimension)))

    def remove(self, rows: Sequence[int]) -> None:
        """Take rows out; the others keep their numbers."""
        if rows:
            self._index.remove_ids(faiss.IDSelectorBatch(np.array(rows, dtype=np.int64)))

    def add(self, rows: Sequence[int], vectors: Vectors) -> None:
        """Put vectors of shape (rows, dimension) in, under these numbers."""
        if rows:
            self._index.add_with_ids(vectors, np.array(rows, dtype=np.int64))

    def row(self, number: int) -> Vectors:
        """The vector of a row, of shape (dimension,)."""
        return np.asarray(self._index.reconstruct(number), dtype=np.float32)

    @classmethod
    def open(cls, path: Path) -> VectorIndex:
        """Raises IndexDamaged when FAISS cannot read the file."""
        try:
            return cls(faiss.read_index(str(path)))
        except RuntimeError as error:
            raise IndexDamaged(f"FAISS cannot read {path}. Run `qa index --full` to build the index again.") from error

    def save(self, path: Path) -> None:
        """Write the file that `open` reads. Raises OSError when it cannot be written."""
        try:
            faiss.write_index(self._index, str(path))
        except RuntimeError as error:
            raise OSError(f"FAISS cannot write {path}") from error

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return int(self._index.d)

    def nearest(self, vector: Vectors, k: int, within: Rows | None = None) -> list[tuple[int, float]]:
        """The k rows nearest to a vector of shape (dimension,), best first, each with its cosine.

        Only rows `within`, where any are named. Equally near rows are in their order.
        """
        k = min(k, len(self) if within is None else len(within))
        if k < 1:
            return []
        chosen = None if within is None else faiss.SearchParameters(sel=_selector(within))  # type: ignore[call-arg]
        scores, rows = self._index.search(vector.reshape(1, -1), k, params=chosen)
        found = [(int(row), float(score)) for row, score in zip(rows[0], scores[0], strict=True) if row >= 0]
        return sorted(found, key=lambda item: (-item[1], item[0]))

    def cosines(self, vector: Vectors, rows: Sequence[int]) -> list[float]:
        """The cosine between a vector and each of the named rows, in their order."""
        return [float(np.dot(self.row(row), vector)) for row in rows]


def _selector(rows: Rows) -> faiss.IDSelector:
    """One bit for each number up to the highest, set for those named."""
    named = np.zeros(int(rows.max()) + 1, dtype=bool)
    named[rows] = True
    return faiss.IDSelectorBitmap(np.packbits(named, bitorder="little"))  # type: ignore[call-arg, arg-type]
