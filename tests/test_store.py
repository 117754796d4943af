"""Documents and passages in SQLite, as they went in."""

from __future__ import annotations

import dataclasses
import datetime
import sqlite3
import threading
from pathlib import Path

import pytest

from qa.datatypes import Block, Document, FileState, Label, Page, Passage, Section
from qa.errors import IndexDamaged
from qa.passages import passages
from qa.store import Store, StoreWriter

TEXT = "Bridge 🌉 notes\n2003: It 𝒐pened. ﬁne!\nThe mayor spoke 👩🏽‍🚀 e\u0301."
DOCUMENT = Document(
    id="a b/bridge #1 ünï?.txt",
    title="Bridge 🌉 notes",
    text=TEXT,
    sha256="ab" * 32,
    source="Asia-Plus",
    date=datetime.date(2011, 6, 23),
    sections=(Section("Bridge 🌉 notes", 1, 0, len(TEXT)),),
    blocks=(
        Block("event", 15, 36),
        Block("event", 37, len(TEXT), Label("2003", 15, 19)),
    ),
    pages=(Page(7, 0, 15), Page(8, 15, len(TEXT))),
)
PLAIN = Document("plain.txt", "Plain", "It rained.", "cd" * 32, blocks=(Block("paragraph", 0, 10),))
PASSAGES = [*passages(DOCUMENT), *passages(PLAIN)]
STATE = FileState("plain.txt", 10, 1_700_000_000_123_456_789, 1_800_000_000_000_000_000, "cd" * 32, None)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    folder = tmp_path / "in dex #?%41 ü"
    folder.mkdir()
    with StoreWriter(folder / "documents.sqlite") as writer:
        writer.add(DOCUMENT, 0, [(PASSAGES[0], b"\x00"), (PASSAGES[1], b"\x01")])
        writer.add(PLAIN, 2, [(PASSAGES[2], b"\x02")])
        writer.set_files([STATE])
    return Store(folder / "documents.sqlite")


def test_documents_come_out_as_they_went_in(store: Store) -> None:
    assert store.document(DOCUMENT.id) == DOCUMENT
    assert store.document("plain.txt") == PLAIN
    assert store.document_ids() == [DOCUMENT.id, "plain.txt"]
    assert (store.document_count, store.passage_count) == (2, 3)


def test_passages_come_in_the_order_in_which_they_are_named(store: Store) -> None:
    assert [p.text for p in PASSAGES] == ["2003: It 𝒐pened. ﬁne!", "The mayor spoke 👩🏽‍🚀 e\u0301.", "It rained."]
    assert store.passages([2, 0, 1]) == [PASSAGES[2], PASSAGES[0], PASSAGES[1]]
    assert store.passages([]) == []


def test_a_passage_keeps_its_label_headings_and_sentences(store: Store) -> None:
    (passage,) = store.passages([1])

    assert passage.label == Label("2003", 15, 19)
    assert passage.headings == ("Bridge 🌉 notes",)
    assert [s.text for s in passage.sentences] == ["The mayor spoke 👩🏽‍🚀 e\u0301."]


def test_the_passages_of_one_document_are_in_order(store: Store) -> None:
    assert store.passages_of(DOCUMENT.id) == PASSAGES[:2]
    assert store.passages_of("other.txt") == []


def test_documents_are_chosen_with_the_rows_of_their_passages(store: Store) -> None:
    both, plain, none = (
        store.chosen(frozenset(ids))
        for ids in (["plain.txt", DOCUMENT.id], ["plain.txt", "other.txt"], ["other.txt", "\udcff"])
    )

    assert (both.documents, both.rows.tolist()) == ((DOCUMENT.id, "plain.txt"), [0, 1, 2])
    assert (plain.documents, plain.rows.tolist(), none.rows.tolist()) == (("plain.txt",), [2], [])
    assert plain.holds([-1, 1, 2, 3]) == [False, False, True, False]
    assert none.holds([0]) == [False]
    assert [chosen.bits.tolist() for chosen in (both, plain, none)] == [[0b111], [0b100], []]


def test_passages_with_the_same_text_and_label_have_the_same_content(tmp_path: Path) -> None:
    text = "2003: It opens.\nHe comes.\n2007: It burns.\nHe comes.\nHe comes."
    labels = [None, Label("2003", 0, 4), None, Label("2007", 26, 30), Label("2007", 26, 30)]
    starts = [0, 16, 26, 42, 52]
    ends = [15, 25, 41, 51, 61]
    cut = [
        (Passage("a.txt", start, end, text[start:end], (), "A", (), label), b"")
        for start, end, label in zip(starts, ends, labels, strict=True)
    ]
    with StoreWriter(tmp_path / "documents.sqlite") as writer:
        writer.add(Document("a.txt", "A", text, "ab" * 32), 0, cut)
    opens, comes, burns, comes_later, again = Store(tmp_path / "documents.sqlite").contents([0, 1, 2, 3, 4])

    assert len({opens, comes, burns, comes_later}) == 4
    assert again == comes_later


def test_a_document_that_is_not_there_is_a_key_error(store: Store) -> None:
    with pytest.raises(KeyError, match="other.txt"):
        store.document("other.txt")


def test_many_threads_read_the_same(store: Store) -> None:
    found: list[list[Passage]] = []
    threads = [threading.Thread(target=lambda: found.append(store.passages([0, 1, 2]))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [PASSAGES] * 8


def test_the_file_reads_with_sqlite_alone(store: Store, tmp_path: Path) -> None:
    (path,) = tmp_path.rglob("documents.sqlite")
    connection = sqlite3.connect(path)
    try:
        row = connection.execute(
            'SELECT substr(text, "start" + 1, "end" - "start") FROM passages JOIN documents ON document = id '
            "ORDER BY row LIMIT 1"
        ).fetchone()
    finally:
        connection.close()

    assert row == ("2003: It 𝒐pened. ﬁne!",)


@pytest.mark.parametrize("content", [None, b"", b"not a database, whatever its name says" * 10])
def test_a_file_that_is_no_store_is_damaged(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "documents.sqlite"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(IndexDamaged, match="Run `qa index --full`"):
        Store(path)


def test_a_store_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="SQLite cannot write"):
        with StoreWriter(tmp_path / "missing" / "documents.sqlite"):
            pass


def test_what_a_block_that_fails_has_written_is_not_kept(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "documents.sqlite"
    with StoreWriter(path) as writer:
        writer.add(PLAIN, 0, [(PASSAGES[2], b"a")])
    with pytest.raises(RuntimeError), StoreWriter(path) as writer:
        writer.remove(["plain.txt"])
        raise RuntimeError

    assert Store(path).document("plain.txt") == PLAIN


def test_a_document_goes_with_its_passages_and_rows_are_not_given_twice(tmp_path: Path) -> None:
    path = tmp_path / "documents.sqlite"
    with StoreWriter(path) as writer:
        writer.add(PLAIN, 0, [(PASSAGES[2], b"a")])
        writer.add(DOCUMENT, 1, [(PASSAGES[0], b"b"), (PASSAGES[1], b"c")])
    with StoreWriter(path) as writer:
        assert writer.remove(["plain.txt"]) == [0]
    left = Store(path)

    assert (left.document_ids(), left.document_count, left.passage_count) == ([DOCUMENT.id], 1, 2)
    assert left.next_row() == 3
    assert (left.row_of_digest(b"c"), left.row_of_digest(b"a")) == (2, None)


def test_files_are_remembered_as_they_were(store: Store) -> None:
    assert store.files() == {"plain.txt": STATE}


def test_values_refuse_a_text_of_another_length() -> None:
    with pytest.raises(ValueError, match="cannot hold a text of 10 characters"):
        dataclasses.replace(PASSAGES[2], end=9)
