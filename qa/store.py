"""Documents and passages in one SQLite file, open to anyone with the `sqlite3` command."""

from __future__ import annotations

import datetime
import hashlib
import json
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from qa.datatypes import Block, Document, FileState, Label, Page, Passage, Section, Sentence
from qa.duplicates import Signature, bands, originals, signature
from qa.errors import IndexDamaged

_SCHEMA = """
CREATE TABLE documents (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, text TEXT NOT NULL, sha256 TEXT NOT NULL, source TEXT, date TEXT,
    sections TEXT NOT NULL, blocks TEXT NOT NULL, pages TEXT NOT NULL, signature BLOB NOT NULL,
    first_row INTEGER NOT NULL, passages INTEGER NOT NULL
) STRICT;
CREATE INDEX rows_of_documents ON documents(id, first_row, passages);
CREATE TABLE bands (
    number INTEGER NOT NULL, content BLOB NOT NULL, document TEXT NOT NULL REFERENCES documents(id),
    PRIMARY KEY (number, content, document)
) STRICT, WITHOUT ROWID;
CREATE INDEX bands_by_document ON bands(document);
CREATE TABLE passages (
    row INTEGER PRIMARY KEY, document TEXT NOT NULL REFERENCES documents(id), "start" INTEGER NOT NULL,
    "end" INTEGER NOT NULL, headings TEXT NOT NULL, label TEXT, sentences TEXT NOT NULL, digest BLOB NOT NULL,
    content BLOB NOT NULL
) STRICT;
CREATE INDEX passages_by_document ON passages(document);
CREATE INDEX passages_by_digest ON passages(digest);
CREATE TABLE files (
    id TEXT PRIMARY KEY, size INTEGER NOT NULL, changed INTEGER NOT NULL, seen INTEGER NOT NULL, sha256 TEXT,
    reason TEXT
) STRICT;
CREATE TABLE counts (documents INTEGER NOT NULL, passages INTEGER NOT NULL) STRICT;
"""

Rows = npt.NDArray[np.int64]
"""Numbers of rows, each once."""

_CACHED_DOCUMENTS = 64
"""Documents kept parsed: more than one answer's citations ever name."""

_CACHED_CHOICES = 8
"""Choices of documents whose rows are kept: one person asks the same documents again and again."""


@dataclass(frozen=True)
class Chosen:
    """Some documents of an index, by their ids, and the rows of their passages, in order."""

    documents: tuple[str, ...]
    rows: Rows

    def holds(self, rows: Sequence[int]) -> list[bool]:
        """For each of these rows whether it is chosen."""
        after = np.searchsorted(self.rows, rows, side="right")
        return [bool(found) for found in after > np.searchsorted(self.rows, rows)]

    @cached_property
    def bits(self) -> npt.NDArray[np.uint8]:
        """One bit for each number up to the highest row, set for the rows that are chosen; lowest bits first."""
        chosen = np.zeros(int(self.rows.max(initial=-1)) + 1, dtype=bool)
        chosen[self.rows] = True
        return np.packbits(chosen, bitorder="little")


class StoreWriter:
    """A store being written, new or a copy of another; nothing is kept unless the `with` block ends well.

    Raises OSError when it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> StoreWriter:
        try:
            new = not self._path.exists()
            self._connection = sqlite3.connect(self._path)
            if new:
                self._connection.executescript(_SCHEMA)
        except sqlite3.OperationalError as error:
            raise OSError(f"SQLite cannot write {self._path}: {error}") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, raised: BaseException | None, _: object) -> None:
        try:
            if kind is None:
                self._count()
                self._connection.commit()
        except sqlite3.OperationalError as error:
            raise OSError(f"SQLite cannot write {self._path}: {error}") from error
        finally:
            self._connection.close()
        if isinstance(raised, sqlite3.OperationalError):
            raise OSError(f"SQLite cannot write {self._path}: {raised}") from raised

    def _count(self) -> None:
        """Write down how much there is, so that nobody has to count to open the file."""
        self._connection.execute("DELETE FROM counts")
        self._connection.execute(
            "INSERT INTO counts SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM passages)"
        )

    def remove(self, documents: Iterable[str]) -> list[int]:
        """Take documents and their passages out; gives the passages' rows."""
        rows: list[int] = []
        for document in documents:
            found = self._connection.execute("DELETE FROM passages WHERE document = ? RETURNING row", (document,))
            rows += [row for (row,) in found]
            self._connection.execute("DELETE FROM bands WHERE document = ?", (document,))
            self._connection.execute("DELETE FROM documents WHERE id = ?", (document,))
        return rows

    def add(self, document: Document, first_row: int, cut: Sequence[tuple[Passage, bytes]]) -> None:
        """Put a document in with its passages, under rows of their own from `first_row` on.

        With each passage goes the digest of what was embedded.
        """
        sketch = signature(document.text)
        row = (*_document_row(document), sketch.tobytes(), first_row, len(cut))
        self._connection.execute("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        self._connection.executemany(
            "INSERT INTO bands VALUES (?, ?, ?)",
            ((number, content, document.id) for number, content in enumerate(bands(sketch))),
        )
        self._connection.executemany(
            "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (_passage_row(row, passage, digest) for row, (passage, digest) in enumerate(cut, start=first_row)),
        )

    def near_duplicates(self) -> dict[str, str]:
        """For each document that says nearly the same as another the one it is taken for a copy of."""

        def sketch(document: str) -> Signature:
            ((content,),) = self._connection.execute("SELECT signature FROM documents WHERE id = ?", (document,))
            return np.frombuffer(content, dtype=np.uint32)

        pairs = self._connection.execute(
            "SELECT DISTINCT document, first FROM (SELECT document, min(document) OVER (PARTITION BY number, content) "
            "AS first FROM bands) WHERE document <> first"
        )
        return originals(pairs, sketch)

    def set_files(self, files: Iterable[FileState]) -> None:
        """Say which files the documents were read from, and which were refused.

        Of files that are shown under one name the first is the document, and the one that is remembered.
        """
        self._connection.execute("DELETE FROM files")
        self._connection.executemany(
            "INSERT OR IGNORE INTO files VALUES (?, ?, ?, ?, ?, ?)",
            ((f.id, f.size, f.changed, f.seen, f.sha256, f.reason) for f in files),
        )


_PASSAGE = 'document, "start", "end", headings, label, sentences'


class Store:
    """A store opened for reading; any thread may ask it."""

    def __init__(self, path: Path) -> None:
        try:
            self._connection = sqlite3.connect(
                f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1", uri=True, check_same_thread=False
            )
            weakref.finalize(self, self._connection.close)
            ((self.document_count, self.passage_count),) = self._connection.execute(
                "SELECT coalesce(sum(documents), 0), coalesce(sum(passages), 0) FROM counts"
            )
        except sqlite3.DatabaseError as error:
            raise IndexDamaged(f"SQLite cannot read {path}. Run `qa index --full` to build the index again.") from error
        self._lock = threading.Lock()
        self.document = lru_cache(maxsize=_CACHED_DOCUMENTS)(self._read_document)
        self.chosen = lru_cache(maxsize=_CACHED_CHOICES)(self._choose)

    def _rows(self, query: str, *parameters: object) -> list[Any]:
        with self._lock:
            return self._connection.execute(query, parameters).fetchall()

    def _read_document(self, identifier: str) -> Document:
        """A document by its id. Raises KeyError for an id that is not there."""
        rows = self._rows(
            "SELECT title, text, sha256, source, date, sections, blocks, pages FROM documents WHERE id = ?", identifier
        )
        if not rows:
            raise KeyError(identifier)
        title, text, sha256, source, date, sections, blocks, pages = rows[0]
        return Document(
            id=identifier,
            title=title,
            text=text,
            sha256=sha256,
            source=source,
            date=None if date is None else datetime.date.fromisoformat(date),
            sections=tuple(Section(*section) for section in json.loads(sections)),
            blocks=tuple(
                Block(kind, start, end, None if label is None else Label(*label))
                for kind, start, end, label in json.loads(blocks)
            ),
            pages=tuple(Page(*page) for page in json.loads(pages)),
        )

    def files(self) -> dict[str, FileState]:
        """The files the index was made from, refused ones among them, by their ids."""
        return {row[0]: FileState(*row) for row in self._rows("SELECT * FROM files ORDER BY id")}

    def row_of_digest(self, digest: bytes) -> int | None:
        """The row of a passage that was embedded from the text with this digest; None when there is none."""
        rows = self._rows("SELECT row FROM passages WHERE digest = ? LIMIT 1", digest)
        return rows[0][0] if rows else None

    def row_of(self, passage: Passage) -> int | None:
        """The row of a passage; None where it is not there, or reads otherwise by now."""
        rows = self._rows(
            'SELECT row FROM passages WHERE document = ? AND "start" = ? AND "end" = ?',
            *(passage.document, passage.start, passage.end),
        )
        return next((row for (row,) in rows if self.passages([row]) == [passage]), None)

    def next_row(self) -> int:
        """The first row above all that are taken."""
        return int(self._rows("SELECT coalesce(max(row) + 1, 0) FROM passages")[0][0])

    def _choose(self, documents: frozenset[str]) -> Chosen:
        """Those of the documents that are there."""
        query = (
            "SELECT id, first_row, passages FROM documents WHERE id IN (SELECT value FROM json_each(?)) "
            "ORDER BY first_row"
        )
        found = self._rows(query, json.dumps(list(documents)))
        first = np.array([row for _, row, _ in found], dtype=np.int64)
        count = np.array([passages for _, _, passages in found], dtype=np.int64)
        # Each document's first row, less the rows that stand before it here, and the place of each row here.
        rows = np.repeat(first - (np.cumsum(count) - count), count) + np.arange(count.sum())
        return Chosen(tuple(identifier for identifier, _, _ in found), rows)

    def contents(self, rows: Sequence[int]) -> list[bytes]:
        """For each of these rows what is the same for passages with the very same text and label."""
        return self._of_rows("content", rows)

    def document_ids(self) -> list[str]:
        """The ids of all documents, sorted."""
        return [row[0] for row in self._rows("SELECT id FROM documents ORDER BY id")]

    def passages(self, rows: Sequence[int]) -> list[Passage]:
        """The passages with these numbers, in the order in which they are named."""
        return [self._passage(values) for values in self._of_rows(_PASSAGE, rows)]

    def _of_rows(self, columns: str, rows: Sequence[int]) -> list[Any]:
        """Columns of passages, in the order of the rows; one column as it is, several as a tuple."""
        marks = ",".join("?" * len(rows))
        found = {
            row: values[0] if len(values) == 1 else values
            for row, *values in self._rows(f"SELECT row, {columns} FROM passages WHERE row IN ({marks})", *rows)
        }
        return [found[row] for row in rows]

    def first_rows(self, document: str, count: int) -> list[int]:
        """The rows of a document's first passages, in order."""
        query = "SELECT row FROM passages WHERE document = ? ORDER BY row LIMIT ?"
        return [row for (row,) in self._rows(query, document, count)]

    def passages_of(self, document: str) -> list[Passage]:
        """All passages of a document, in order."""
        return [
            self._passage(values)
            for values in self._rows(f"SELECT {_PASSAGE} FROM passages WHERE document = ? ORDER BY row", document)
        ]

    def _passage(self, values: Sequence[Any]) -> Passage:
        document_id, start, end, headings, label, sentences = values
        document = self.document(document_id)
        return Passage(
            document=document_id,
            start=start,
            end=end,
            text=document.text[start:end],
            sentences=tuple(Sentence(s, e, document.text[s:e]) for s, e in json.loads(sentences)),
            title=document.title,
            headings=tuple(json.loads(headings)),
            label=None if label is None else Label(*json.loads(label)),
        )


def _document_row(document: Document) -> tuple[object, ...]:
    return (
        document.id,
        document.title,
        document.text,
        document.sha256,
        document.source,
        None if document.date is None else document.date.isoformat(),
        json.dumps([[s.heading, s.level, s.start, s.end] for s in document.sections], ensure_ascii=False),
        json.dumps([[b.kind, b.start, b.end, _label_row(b.label)] for b in document.blocks], ensure_ascii=False),
        json.dumps([[p.number, p.start, p.end] for p in document.pages]),
    )


def _passage_row(row: int, passage: Passage, digest: bytes) -> tuple[object, ...]:
    return (
        row,
        passage.document,
        passage.start,
        passage.end,
        json.dumps(passage.headings, ensure_ascii=False),
        None if passage.label is None else json.dumps(_label_row(passage.label), ensure_ascii=False),
        json.dumps([[s.start, s.end] for s in passage.sentences]),
        digest,
        _content(passage),
    )


def _content(passage: Passage) -> bytes:
    """The digest of a passage's text and label: the same line under another year is another event."""
    text = passage.text if passage.label is None else f"{passage.text}\0{passage.label.text}"
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _label_row(label: Label | None) -> list[object] | None:
    return None if label is None else [label.text, label.start, label.end]
