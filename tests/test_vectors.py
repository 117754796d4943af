"""Nearest vectors, by hand-made ones."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import pytest

from qa.embedding import Vectors
from qa.errors import IndexDamaged
from qa.vectors import VectorIndex

ROWS = np.array([[1, 0, 0], [0.6, 0.8, 0], [0, 1, 0], [0, 0, -1]], dtype=np.float32)


def vector(*numbers: float) -> Vectors:
    return np.array(numbers, dtype=np.float32)


@pytest.fixture
def vectors() -> VectorIndex:
    return made(ROWS)


def made(rows: Vectors) -> VectorIndex:
    index = VectorIndex.empty(rows.shape[1])
    index.add(range(len(rows)), rows)
    return index


def test_the_nearest_rows_come_first_with_their_cosines(vectors: VectorIndex) -> None:
    assert vectors.nearest(vector(1, 0, 0), 2) == [(0, 1.0), (1, pytest.approx(0.6))]
    assert vectors.nearest(vector(0, 0, 1), 4)[-1] == (3, -1.0)


def test_equally_near_rows_are_in_their_order() -> None:
    same = made(np.array([[1, 0], [0, 1]] * 4, dtype=np.float32))

    assert [row for row, _ in same.nearest(vector(1, 0), 8)] == [0, 2, 4, 6, 1, 3, 5, 7]


@pytest.mark.parametrize("k", [0, 1, 4, 100])
def test_no_more_rows_are_given_than_asked_for_and_there_are(vectors: VectorIndex, k: int) -> None:
    assert [row for row, _ in vectors.nearest(vector(0.8, 0.6, 0), k)] == [1, 0, 2, 3][:k]


def test_only_the_rows_named_are_looked_through(vectors: VectorIndex) -> None:
    assert vectors.nearest(vector(1, 0, 0), 2, np.array([3, 1, 2])) == [(1, pytest.approx(0.6)), (2, 0.0)]
    assert vectors.nearest(vector(1, 0, 0), 9, np.array([2])) == [(2, 0.0)]
    assert vectors.nearest(vector(1, 0, 0), 9, np.array([], dtype=np.int64)) == []


def test_cosines_come_in_the_order_of_the_rows_named(vectors: VectorIndex) -> None:
    assert vectors.cosines(vector(0, 1, 0), [2, 3, 1]) == [1.0, 0.0, pytest.approx(0.8)]
    assert vectors.cosines(vector(0, 1, 0), []) == []


def test_it_is_opened_as_it_was_saved_and_by_anyone(vectors: VectorIndex, tmp_path: Path) -> None:
    path = tmp_path / "brückе ü.faiss"
    vectors.save(path)
    opened = VectorIndex.open(path)

    assert (len(opened), opened.dimension) == (4, 3)
    assert opened.nearest(vector(0.8, 0.6, 0), 4) == vectors.nearest(vector(0.8, 0.6, 0), 4)
    by_anyone = faiss.read_index(str(path))
    assert np.array_equal([by_anyone.reconstruct(row) for row in range(4)], ROWS)


def test_rows_keep_their_numbers_when_others_go(vectors: VectorIndex) -> None:
    vectors.remove([1, 3])
    vectors.add([9], vector(0, 0.6, 0.8).reshape(1, -1))

    assert len(vectors) == 3
    assert vectors.nearest(vector(0, 0, 1), 5) == [(9, pytest.approx(0.8)), (0, 0.0), (2, 0.0)]
    assert vectors.row(9).tolist() == pytest.approx([0, 0.6, 0.8])


def test_an_index_of_nothing_finds_nothing() -> None:
    assert made(np.zeros((0, 3), dtype=np.float32)).nearest(vector(1, 0, 0), 5) == []


@pytest.mark.parametrize("content", [b"", b"IxFI", b"no index at all"])
def test_a_file_that_is_no_index_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "vectors.faiss").write_bytes(content)
    with pytest.raises(IndexDamaged, match="Run `qa index --full`"):
        VectorIndex.open(tmp_path / "vectors.faiss")


def test_a_file_that_cannot_be_written_is_an_os_error(vectors: VectorIndex, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="FAISS cannot write"):
        vectors.save(tmp_path / "missing" / "vectors.faiss")
