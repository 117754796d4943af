"""Nearest vectors, by hand-made ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import faiss
import numpy as np
import pytest

import qa.vectors
from qa.embedding import Vectors
from qa.errors import IndexDamaged
from qa.store import Chosen
from qa.vectors import VectorIndex, write_vectors

ROWS = np.array([[1, 0, 0], [0.6, 0.8, 0], [0, 1, 0], [0, 0, -1]], dtype=np.float32)


def vector(*numbers: float) -> Vectors:
    return np.array(numbers, dtype=np.float32)


def chosen(*rows: int) -> Chosen:
    return Chosen((), np.array(rows, dtype=np.int64))


def made(folder: Path, vectors: Vectors, rows: Sequence[int] | None = None) -> VectorIndex:
    folder.mkdir(exist_ok=True)
    rows = range(len(vectors)) if rows is None else rows
    assert write_vectors(folder, vectors.shape[1], rows, vectors) == len(vectors)
    return VectorIndex.open(folder)


def changed(
    before: Path, folder: Path, removed: Sequence[int], rows: Sequence[int] = (), vectors: Vectors | None = None
) -> VectorIndex:
    folder.mkdir()
    dimension = VectorIndex.open(before).dimension
    added = np.zeros((0, dimension), dtype=np.float32) if vectors is None else vectors
    held = write_vectors(folder, dimension, rows, added, before, removed)
    opened = VectorIndex.open(folder)
    assert held == len(opened)
    return opened


@pytest.fixture
def vectors(tmp_path: Path) -> VectorIndex:
    return made(tmp_path / "brückе ü", ROWS)


def test_the_nearest_rows_come_first_with_their_cosines(vectors: VectorIndex) -> None:
    assert vectors.nearest(vector(1, 0, 0), 2) == [(0, 1.0), (1, pytest.approx(0.6))]
    assert vectors.nearest(vector(0, 0, 1), 4)[-1] == (3, -1.0)


def test_equally_near_rows_are_in_their_order(tmp_path: Path) -> None:
    same = made(tmp_path, np.array([[1, 0], [0, 1]] * 4, dtype=np.float32))

    assert [row for row, _ in same.nearest(vector(1, 0), 8)] == [0, 2, 4, 6, 1, 3, 5, 7]


@pytest.mark.parametrize("k", [0, 1, 4, 100])
def test_no_more_rows_are_given_than_asked_for_and_there_are(vectors: VectorIndex, k: int) -> None:
    assert [row for row, _ in vectors.nearest(vector(0.8, 0.6, 0), k)] == [1, 0, 2, 3][:k]


def test_only_the_rows_chosen_are_looked_through(vectors: VectorIndex) -> None:
    assert vectors.nearest(vector(1, 0, 0), 2, chosen(1, 2, 3)) == [(1, pytest.approx(0.6)), (2, 0.0)]
    assert vectors.nearest(vector(1, 0, 0), 9, chosen(2)) == [(2, 0.0)]
    assert vectors.nearest(vector(1, 0, 0), 9, chosen()) == []


def test_cosines_come_in_the_order_of_the_rows_named(vectors: VectorIndex) -> None:
    assert vectors.cosines(vector(0, 1, 0), [2, 3, 1]) == [1.0, 0.0, pytest.approx(0.8)]
    assert vectors.cosines(vector(0, 1, 0), []) == []


def test_the_file_is_read_by_anyone(vectors: VectorIndex, tmp_path: Path) -> None:
    assert (len(vectors), vectors.dimension) == (4, 3)
    by_anyone = faiss.read_index(str(tmp_path / "brückе ü" / "vectors.faiss"))
    assert np.array_equal([by_anyone.reconstruct(row) for row in range(4)], ROWS)


def test_rows_keep_their_numbers_when_others_go(vectors: VectorIndex, tmp_path: Path) -> None:
    later = changed(tmp_path / "brückе ü", tmp_path / "later", [1, 3], [9], vector(0, 0.6, 0.8).reshape(1, -1))

    assert len(later) == 3
    assert later.nearest(vector(0, 0, 1), 5) == [(9, pytest.approx(0.8)), (0, 0.0), (2, 0.0)]
    assert later.row(9).tolist() == pytest.approx([0, 0.6, 0.8])
    assert vectors.nearest(vector(0, 0, -1), 1) == [(3, 1.0)]


def test_an_index_of_nothing_finds_nothing(tmp_path: Path) -> None:
    assert made(tmp_path, np.zeros((0, 3), dtype=np.float32)).nearest(vector(1, 0, 0), 5) == []


@pytest.mark.parametrize("content", [None, b"", b"IxFI", b"IxM2" + b"\xff" * 40, b"no index at all"])
def test_a_file_that_is_no_index_is_damaged(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "vectors.faiss").write_bytes(content)
    with pytest.raises(IndexDamaged, match="Run `qa index --full`"):
        VectorIndex.open(tmp_path)


def test_a_file_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="FAISS cannot write"):
        write_vectors(tmp_path / "missing", 3, range(4), ROWS)


# In lists


@pytest.fixture
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every index of more than 200 rows is made in lists, by one thread: two wait for one another on a busy machine."""
    monkeypatch.setattr(qa.vectors, "FLAT_MOST", 200)
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    yield
    faiss.omp_set_num_threads(threads)


def around(rng: np.random.Generator, centres: Vectors, count: int) -> Vectors:
    """Vectors of length 1, each near one of the centres, as passages lie near their topics."""
    spread = rng.standard_normal((count, centres.shape[1])) * 0.1
    found = centres[rng.integers(0, len(centres), count)] + spread
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)


RNG = np.random.default_rng(0)
CENTRES = around(RNG, np.zeros((1, 32), dtype=np.float32), 40)
MANY = around(RNG, CENTRES, 3_000)
QUESTIONS = around(RNG, CENTRES, 50)


def recall(index: VectorIndex, rows: Sequence[int], vectors: Vectors, within: Chosen | None = None) -> float:
    """The share of the true ten nearest rows that are found."""
    shares = []
    for question in QUESTIONS:
        nearest = np.argsort(-(vectors @ question))[:10]
        found = {row for row, _ in index.nearest(question, 10, within)}
        shares.append(len(found & {rows[place] for place in nearest}) / 10)
    return sum(shares) / len(shares)


@pytest.mark.usefixtures("few_are_many")
def test_a_large_index_finds_nearly_all_of_the_nearest_rows_with_their_cosines(tmp_path: Path) -> None:
    index = made(tmp_path, MANY)
    found = index.nearest(QUESTIONS[0], 10)

    assert recall(index, range(3_000), MANY) >= 0.98
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    assert [score for _, score in found] == pytest.approx([MANY[row] @ QUESTIONS[0] for row, _ in found], abs=1e-3)
    assert index.cosines(QUESTIONS[0], [row for row, _ in found]) == [score for _, score in found]
    assert np.abs(index.row(2_999) - MANY[2_999]).max() < 1e-3


@pytest.mark.usefixtures("few_are_many")
def test_a_large_index_is_read_by_anyone_and_its_exact_vectors_too(tmp_path: Path) -> None:
    made(tmp_path, MANY)
    by_anyone = faiss.read_index(str(tmp_path / "vectors.faiss"))
    exact = np.fromfile(tmp_path / "vectors.f16", dtype="<f2").reshape(-1, 32)

    assert (by_anyone.ntotal, by_anyone.nlist, exact.shape) == (3_000, 110, (3_000, 32))
    by_anyone.nprobe = by_anyone.nlist
    assert by_anyone.search(exact[7:8].astype(np.float32), 1)[1].tolist() == [[7]]


@pytest.mark.usefixtures("few_are_many")
def test_of_a_few_rows_chosen_in_a_large_index_none_is_missed_and_of_many_hardly_any(tmp_path: Path) -> None:
    index = made(tmp_path, MANY)
    few = np.sort(np.random.default_rng(1).choice(3_000, 30, replace=False))
    most = np.flatnonzero(MANY @ QUESTIONS[0] < 0.5)  # all but what lies near the first question

    assert recall(index, few.tolist(), MANY[few], chosen(*few)) == 1.0
    assert recall(index, most.tolist(), MANY[most], chosen(*most)) >= 0.98
    assert {row for row, _ in index.nearest(QUESTIONS[0], 100, chosen(*few))} == set(few.tolist())


@pytest.mark.usefixtures("few_are_many")
def test_a_small_index_grows_into_a_large_one_and_loses_rows_again(tmp_path: Path) -> None:
    made(tmp_path / "small", MANY[:200])
    grown = changed(tmp_path / "small", tmp_path / "grown", [3, 5], range(200, 3_000), MANY[200:])
    kept = [row for row in range(3_000) if row not in (3, 5)]

    assert not (tmp_path / "small" / "vectors.f16").exists()
    assert (tmp_path / "grown" / "vectors.f16").exists()
    assert recall(grown, kept, MANY[kept]) >= 0.98

    fewer = changed(tmp_path / "grown", tmp_path / "fewer", kept[2_400:])
    assert len(fewer) == 2_400
    assert recall(fewer, kept[:2_400], MANY[kept[:2_400]]) >= 0.98


@pytest.mark.usefixtures("few_are_many")
def test_a_large_index_stays_right_through_updates(tmp_path: Path) -> None:
    before = made(tmp_path / "0", MANY[:1_000])
    rows = list(range(1_000))
    for number in range(1, 5):
        gone, new = rows[:50], range(1_000 + 500 * (number - 1), 1_000 + 500 * number)
        index = changed(tmp_path / str(number - 1), tmp_path / str(number), gone, new, MANY[new.start : new.stop])
        rows = [*rows[50:], *new]

        assert recall(index, rows, MANY[rows]) >= 0.98
        assert not {row for question in QUESTIONS for row, _ in index.nearest(question, 50)} & set(gone)
        assert np.abs(index.row(rows[-1]) - MANY[rows[-1]]).max() < 1e-3
    assert recall(before, range(1_000), MANY[:1_000]) >= 0.98


@pytest.mark.usefixtures("few_are_many")
def test_lists_are_made_anew_when_the_index_has_outgrown_them(tmp_path: Path) -> None:
    made(tmp_path / "0", MANY[:500])
    changed(tmp_path / "0", tmp_path / "1", [], range(500, 1_000), MANY[500:1_000])
    anew = changed(tmp_path / "1", tmp_path / "2", [0], range(1_000, 3_000), MANY[1_000:])
    lists = [faiss.read_index(str(tmp_path / name / "vectors.faiss")).nlist for name in "012"]

    assert lists == [45, 45, 110]
    assert recall(anew, range(1, 3_000), MANY[1:]) >= 0.98


@pytest.mark.usefixtures("few_are_many")
@pytest.mark.parametrize("kept", [None, 1_000])
def test_exact_vectors_that_are_missing_or_cut_short_are_damage(tmp_path: Path, kept: int | None) -> None:
    made(tmp_path, MANY)
    content = (tmp_path / "vectors.f16").read_bytes()
    (tmp_path / "vectors.f16").unlink()
    if kept is not None:
        (tmp_path / "vectors.f16").write_bytes(content[:kept])

    with pytest.raises(IndexDamaged, match="Run `qa index --full`"):
        VectorIndex.open(tmp_path).nearest(QUESTIONS[0], 10)
