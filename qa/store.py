"""Documents and passages in one SQLite file, open to anyone with the `sqlite3` command."""

from __future__ import annotations

import datetime
import json
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from qa.datatypes import Block, Document, Label, Page, Passage, Section, Sentence
from qa.errors import IndexDamaged

_SCHEMA = """
CREATE TABLE documents (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, text TEXT NOT NULL, sha256 TEXT NOT NULL, source TEXT, date TEXT,
    sections TEXT NOT NULL, blocks TEXT NOT NULL, pages TEXT NOT NULL
) STRICT;
CREATE TABLE passages (
    row INTEGER PRIMARY KEY, document TEXT NOT NULL REFERENCES documents(id), "start" INTEGER NOT NULL,
    "end" INTEGER NOT NULL, headings TEXT NOT NULL, label TEXT, sentences TEXT NOT NULL
) STRICT;
CREATE INDEX passages_by_document ON passages(document);
"""

_CACHED_DOCUMENTS = 64
"""Documents kept parsed: more than one answer's citations ever name."""


def write_store(path: Path, documents: Iterable[Document], passages: Sequence[Passage]) -> None:
    """Write a new store; passages are numbered from 0 in their order, as are the vectors' rows.

    Raises OSError when it cannot be written.
    """
    try:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.executescript(_SCHEMA)
            connection.executemany(
                "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", map(_document_row, documents)
            )
            connection.executemany(
                "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?)",
                (_passage_row(row, passage) for row, passage in enumerate(passages)),
            )
    except sqlite3.OperationalError as error:
        raise OSError(f"SQLite cannot write {path}: {error}") from error


class Store:
    """A store opened for reading; any thread may ask it."""

    def __init__(self, path: Path) -> None:
        try:
            self._connection = sqlite3.connect(
                f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1", uri=True, check_same_thread=False
            )
            weakref.finalize(self, self._connection.close)
            self.passage_count = self._one("SELECT count(*) FROM passages")
            self.document_count = self._one("SELECT count(*) FROM documents")
        except sqlite3.DatabaseError as error:
            raise IndexDamaged(f"SQLite cannot read {path}. Run `qa index --full` to build the index again.") from error
        self._lock = threading.Lock()
        self.document = lru_cache(maxsize=_CACHED_DOCUMENTS)(self._read_document)

    def _one(self, query: str) -> int:
        return int(self._connection.execute(query).fetchone()[0])

    def _rows(self, query: str, *parameters: object) -> list[Any]:
        with self._lock:
            return self._connection.execute(query, parameters).fetchall()

    def _read_document(self, identifier: str) -> Document:
        """A document by its id. Raises KeyError for an id that is not there."""
        rows = self._rows("SELECT * FROM documents WHERE id = ?", identifier)
        if not rows:
            raise KeyError(identifier)
        _, title, text, sha256, source, date, sections, blocks, pages = rows[0]
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

    def document_ids(self) -> list[str]:
        """The ids of all documents, sorted."""
        return [row[0] for row in self._rows("SELECT id FROM documents ORDER BY id")]

    def passages(self, rows: Sequence[int]) -> list[Passage]:
        """The passages with these numbers, in the order in which they are named."""
        marks = ",".join("?" * len(rows))
        found = {
            row[0]: self._passage(row) for row in self._rows(f"SELECT * FROM passages WHERE row IN ({marks})", *rows)
        }
        return [found[row] for row in rows]

    def passages_of(self, document: str) -> list[Passage]:
        """All passages of a document, in order."""
        return [
            self._passage(row) for row in self._rows("SELECT * FROM passages WHERE document = ? ORDER BY row", document)
        ]

    def _passage(self, row: Sequence[Any]) -> Passage:
        _, document_id, start, end, headings, label, sentences = row
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


def _passage_row(row: int, passage: Passage) -> tuple[object, ...]:
    return (
        row,
        passage.document,
        passage.start,
        passage.end,
        json.dumps(passage.headings, ensure_ascii=False),
        None if passage.label is None else json.dumps(_label_row(passage.label), ensure_ascii=False),
        json.dumps([[s.start, s.end] for s in passage.sentences]),
    )


def _label_row(label: Label | None) -> list[object] | None:
    return None if label is None else [label.text, label.start, label.end]
