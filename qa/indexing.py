"""Making an index and keeping it true to a folder: what changed is read, embedded and written, the rest carried over.

A new generation is made beside the live one, as a copy of it in which documents are taken out and put in, flushed to
disk, checked, and only then made live by one rename. Whatever happens before that rename, the old one answers.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import itertools
import json
import logging
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import filelock
import numpy as np
import watchfiles

from qa import passages as passage_settings
from qa.checksum import sha256_of
from qa.datatypes import Document, FileState, Passage, Refused
from qa.documents import READING, corpus_files, document_id, read_files
from qa.embedding import Embedder, Vectors
from qa.errors import CorpusError, IndexBusy, IndexMissing, QAError
from qa.formats import limits
from qa.index import FORMAT, DocumentEntry, Index, Manifest, live_name
from qa.lexical import LexicalIndex
from qa.passages import in_context, passages
from qa.store import StoreWriter
from qa.text import shown_name
from qa.vectors import write_vectors

ENCODE_AT_ONCE = 256
"""Texts given to the embedder in one call: enough to sort by length, few enough for the progress bar to move."""

GAPS_MOST = 0.25
"""Rows of passages that are gone, as a share of those that are there, up to which a generation is made from the one
before. Beyond it all is written anew: the lexical index counts words of passages that are gone until then."""

WATCH_MILLISECONDS = 10_000
"""How often a watched folder is looked at although nothing was reported: some network drives never report."""

REMOVED = ".removed"
"""The folder below the corpus to which removed files are moved: hidden, so not read, and nothing is lost."""

Progress = Callable[[str, int, int], None]
"""Called with the step ("reading", "embedding", "writing"), how much of it is done, and of how much."""

Status = Literal["new", "changed", "unchanged", "refused", "removed"]

_log = logging.getLogger(__name__)


def no_progress(step: str, done: int, total: int) -> None:
    """A `Progress` that shows nothing."""


@dataclass(frozen=True)
class FileStatus:
    """What became of a file. `reason` is None unless it was refused; `seconds` is the time it took to read."""

    id: str
    status: Status
    reason: str | None
    passages: int
    pages: int
    seconds: float


@dataclass(frozen=True)
class IndexReport:
    """What bringing an index up to date did.

    `built` is False when nothing had changed. `notes` say why more than the changed files was read or embedded.
    `embedded` counts the texts given to the embedder: passages that were there before cost nothing. `added` are the
    ids of the files given to `add_files`, in the order in which they were given.
    """

    manifest: Manifest
    built: bool
    files: tuple[FileStatus, ...]
    notes: tuple[str, ...]
    embedded: int
    added: tuple[str, ...] = ()

    def count(self, status: Status) -> int:
        """How many files have this status."""
        return sum(file.status == status for file in self.files)


def reading_settings() -> dict[str, int]:
    """The settings by which documents are read and cut; documents read with others are read again."""
    return {
        "reading": READING,
        **limits.SETTINGS,
        "passage_characters": passage_settings.PASSAGE_CHARACTERS,
        "max_passage_characters": passage_settings.MAX_PASSAGE_CHARACTERS,
        "overlap_sentences": passage_settings.OVERLAP_SENTENCES,
    }


def index_folder(
    corpus: Path,
    folder: Path,
    embedder: Embedder,
    full: bool = False,
    progress: Progress = no_progress,
    may_be_empty: bool = False,
) -> IndexReport:
    """Bring the index in `folder` up to date with the corpus, or with `full` make it anew from the files.

    The live index answers until the new one is complete. Raises CorpusError when not one document can be read (the live
    index then stays as it is) unless it `may_be_empty`, IndexBusy when another process is writing the index.
    """
    with _writing(folder):
        return _update(corpus, folder, embedder, _Live.open(folder, embedder, full), progress, may_be_empty)


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """The right to write the index and to change its documents. Raises IndexBusy while another has it."""
    try:
        (folder / "generations").mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / ".lock", timeout=0):
            yield
    except filelock.Timeout as error:
        raise IndexBusy(
            f"Another process is building the index in {folder}. Wait for it to end, then try again."
        ) from error
    except OSError as error:
        raise QAError(
            f"The index cannot be written to {folder}: {error.strerror or error}. Name another with --index."
        ) from error


def add_files(
    files: Sequence[Path], corpus: Path, folder: Path, embedder: Embedder, progress: Progress = no_progress
) -> IndexReport:
    """Copy files into the corpus and bring the index up to date.

    A file keeps its name, with a number where the corpus has another of that name; one that is there already, byte for
    byte, is not copied. Raises CorpusError for a file that cannot be copied, before any is, and IndexBusy when another
    process is writing the index.
    """
    for file in files:
        if not file.is_file() or not file.name.strip(".") or file.name.startswith("."):
            raise CorpusError(f"{shown_name(str(file))} cannot be added: expected is a file whose name is not hidden.")
    with _writing(folder):
        added = tuple(document_id(_put_in(file, corpus), corpus) for file in files)
        report = _update(corpus, folder, embedder, _Live.open(folder, embedder, full=False), progress)
        return replace(report, added=added)


def _put_in(file: Path, corpus: Path) -> Path:
    """Copy a file into the corpus, unless it is there; gives its path there."""
    part = corpus / f".{secrets.token_hex(8)}.part"
    try:
        corpus.mkdir(parents=True, exist_ok=True)
        place, is_free = _place(corpus / file.name, file)
        if is_free:
            shutil.copyfile(file, part)
            os.replace(part, place)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise CorpusError(
            f"{shown_name(file.name)} cannot be copied to {corpus}: {error.strerror or error}."
        ) from error
    return place


def _place(wanted: Path, file: Path) -> tuple[Path, bool]:
    """The path, or it with a number, where the very file stands or nothing does; and whether nothing does."""
    for number in itertools.count(1):
        place = wanted if number == 1 else wanted.with_name(f"{wanted.stem} ({number}){wanted.suffix}")
        if not os.path.lexists(place):
            return place, True
        if place.is_file() and sha256_of(place) == sha256_of(file):
            return place, False
    raise AssertionError("numbers do not end")


def remove_documents(
    documents: Sequence[str], corpus: Path, folder: Path, embedder: Embedder, progress: Progress = no_progress
) -> IndexReport:
    """Take files out of the corpus, by their ids, and bring the index up to date.

    They are moved to the hidden folder `.removed` below the corpus: nothing is deleted. Raises CorpusError for an id
    that is not there, before anything is moved, and IndexBusy when another process is writing the index.
    """
    paths = {document_id(path, corpus): path for path in corpus_files(corpus)}
    for document in documents:
        if document not in paths:
            raise CorpusError(f"There is no file {shown_name(document)} in {corpus}.")
    with _writing(folder):
        live = _Live.open(folder, embedder, full=False)
        for document in documents:
            _take_out(paths[document], corpus)
        return _update(corpus, folder, embedder, live, progress, may_be_empty=live.entries.keys() <= set(documents))


def _take_out(path: Path, corpus: Path) -> None:
    """Move a file to the folder of removed ones; it keeps its name, with some digits where that is taken."""
    target = corpus / REMOVED / path.relative_to(corpus)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(target):
            target = target.with_name(f"{target.stem} ({secrets.token_hex(4)}){target.suffix}")
        os.replace(path, target)
    except OSError as error:
        name = shown_name(document_id(path, corpus))
        raise CorpusError(f"{name} cannot be moved to {target.parent}: {error.strerror}.") from error


def watch_folder(
    corpus: Path,
    folder: Path,
    embedder: Embedder,
    progress: Progress = no_progress,
    stop: threading.Event | None = None,
) -> Iterator[IndexReport | QAError]:
    """Bring the index up to date now and whenever the folder changes, until `stop` is set.

    Gives the first report, each later one that built something, and each error that a person must see to, once.
    """

    def seen(_: watchfiles.Change, path: str) -> bool:
        parts = Path(path).relative_to(corpus.resolve()).parts
        return not any(part.startswith(".") for part in parts) and folder.resolve() not in Path(path).parents

    changes = watchfiles.watch(
        corpus.resolve(),
        watch_filter=seen,
        stop_event=stop,
        rust_timeout=WATCH_MILLISECONDS,
        yield_on_timeout=True,
        raise_interrupt=False,
    )
    told: str | None = None
    for first in itertools.chain([True], (False for _ in changes)):
        if stop is not None and stop.is_set():
            return
        try:
            report = index_folder(corpus, folder, embedder, progress=progress)
        except IndexBusy:
            continue  # the other process brings it up to date, or the next look does
        except QAError as error:
            if str(error) != told:
                told = str(error)
                yield error
            continue
        told = None
        if first or report.built:
            yield report


# What was there before


@dataclass(frozen=True)
class _Live:
    """What can be carried over: the live index, if any, and whether its documents and its vectors still hold."""

    index: Index | None
    documents_hold: bool
    vectors_hold: bool
    notes: tuple[str, ...]

    @classmethod
    def open(cls, folder: Path, embedder: Embedder, full: bool) -> _Live:
        if full:
            return cls(None, False, False, ())
        try:
            index = Index.open(folder)
        except IndexMissing:
            return cls(None, False, False, ())
        except QAError as error:
            return cls(None, False, False, (f"All is made anew, for the index could not be used. {error}",))
        notes = []
        documents_hold = index.manifest.settings == reading_settings()
        if not documents_hold:
            notes.append("Every file is read again: how documents are read or cut has changed.")
        made_with = index.manifest.embedder
        vectors_hold = bool(made_with["fingerprint"] == embedder.fingerprint)
        if not vectors_hold:
            notes.append(
                f"Every passage is embedded again: the index was made with the embedder {made_with['name']!r}, "
                f"{embedder.name!r} is in use."
            )
        return cls(index, documents_hold, vectors_hold, tuple(notes))

    @property
    def entries(self) -> dict[str, DocumentEntry]:
        return {} if self.index is None else {entry.id: entry for entry in self.index.manifest.documents}

    @property
    def refused(self) -> tuple[Refused, ...]:
        return () if self.index is None else self.index.manifest.refused

    def files(self) -> dict[str, FileState]:
        """The files as they were, where what was read of them still holds."""
        return self.index.store.files() if self.index is not None and self.documents_hold else {}

    def vector(self, digest: bytes) -> Vectors | None:
        """The vector of a text that was embedded before."""
        if self.index is None or not self.vectors_hold:
            return None
        row = self.index.store.row_of_digest(digest)
        return None if row is None else self.index.vectors.row(row)

    def base(self) -> Index | None:
        """The generation of which the next can be a copy; None where it is better written anew."""
        if self.index is None or not self.documents_hold or not self.vectors_hold:
            return None
        gaps = self.index.store.next_row() - self.index.manifest.passages
        return self.index if gaps <= GAPS_MOST * self.index.manifest.passages else None


# Bringing it up to date


@dataclass(frozen=True)
class _Read:
    """The corpus as it is now: every file's state, and the documents that were read anew."""

    states: tuple[FileState, ...]
    documents: dict[str, Document]
    seconds: dict[str, float]

    @property
    def refused(self) -> tuple[Refused, ...]:
        return tuple(Refused(state.id, state.reason) for state in self.states if state.reason is not None)

    @property
    def unchanged(self) -> list[str]:
        """The ids of documents that were not read, being as they were."""
        return [state.id for state in self.states if state.reason is None and state.id not in self.documents]


def _update(
    corpus: Path, folder: Path, embedder: Embedder, live: _Live, progress: Progress, may_be_empty: bool = False
) -> IndexReport:
    read = _read(corpus, live.files(), progress)
    unchanged = set(read.unchanged)
    gone = [identifier for identifier in live.entries if identifier not in unchanged]
    if live.index is not None and not live.notes and not read.documents and not gone and read.refused == live.refused:
        return IndexReport(live.index.manifest, False, _statuses(read, live, live.entries), (), 0)
    if not read.documents and not unchanged and not may_be_empty:
        reasons = "".join(f"\n  {shown_name(r.id)}: {shown_name(r.reason)}" for r in read.refused)
        raise CorpusError(
            f"Nothing in {corpus} could be read, so there is nothing to answer from. Put documents there (text, PDF, "
            f"Word, web pages, mail, …), or name another folder with --corpus.{reasons}"
        )
    started = time.monotonic()
    manifest, embedded = _write_generation(folder, embedder, live, read, gone, progress)
    entries = {entry.id: entry for entry in manifest.documents}
    report = IndexReport(manifest, True, _statuses(read, live, entries), live.notes, embedded)
    _log.info(
        "written",
        extra={
            "documents": len(entries),
            "passages": manifest.passages,
            "embedded": embedded,
            "seconds": round(time.monotonic() - started, 3),
        },
    )
    return report


def _read(corpus: Path, known: dict[str, FileState], progress: Progress) -> _Read:
    paths = corpus_files(corpus)
    states: list[FileState] = []
    documents: dict[str, Document] = {}
    seconds: dict[str, float] = {}
    progress("reading", 0, len(paths))
    last = time.monotonic()
    for state, item in read_files(paths, corpus, known):
        now = time.monotonic()
        states.append(state)
        seconds[state.id] = now - last
        if isinstance(item, Document):
            documents[item.id] = item
        if item is not None:
            what = {"document": state.id, "reason": state.reason, "seconds": round(now - last, 3)}
            _log.info("refused" if state.reason is not None else "read", extra=what)
        progress("reading", len(states), len(paths))
        last = time.monotonic()
    return _Read(tuple(states), documents, seconds)


def _statuses(read: _Read, live: _Live, entries: dict[str, DocumentEntry]) -> tuple[FileStatus, ...]:
    before = live.entries
    found = []
    for state in read.states:
        status: Status = "new"
        if state.reason is not None:
            status = "refused"
        elif state.id in before:
            status = "unchanged" if before[state.id].sha256 == state.sha256 else "changed"
        entry = entries.get(state.id) if state.reason is None else None
        counts = (0, 0) if entry is None else (entry.passages, entry.pages)
        found.append(FileStatus(state.id, status, state.reason, *counts, read.seconds[state.id]))
    there = {state.id for state in read.states}
    for identifier in sorted({*before, *(refused.id for refused in live.refused)} - there):
        found.append(FileStatus(identifier, "removed", None, 0, 0, 0.0))
    return tuple(found)


_NOT_CARRIED_OVER = shutil.ignore_patterns("*.lock", "manifest.json", "vectors.*")


def _write_generation(
    folder: Path, embedder: Embedder, live: _Live, read: _Read, gone: Sequence[str], progress: Progress
) -> tuple[Manifest, int]:
    """The new generation's manifest, and how many texts were embedded."""
    now = datetime.datetime.now(datetime.timezone.utc)
    name = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    generation = folder / "generations" / name
    base = live.base()
    before = live.entries
    entries = {identifier: before[identifier] for identifier in read.unchanged}
    try:
        if base is None:
            generation.mkdir()
            LexicalIndex.create(generation / "lexical")
            next_row = 0
            assert live.index is not None or not entries
            kept: Iterable[Document] = (live.index.store.document(i) for i in sorted(entries)) if live.index else ()
        else:
            shutil.copytree(base.generation, generation, ignore=_NOT_CARRIED_OVER)
            next_row = base.store.next_row()
            kept = ()
        added: list[_Added] = []
        with StoreWriter(generation / "documents.sqlite") as store:
            out = gone if base is not None else []
            removed = store.remove(out)
            for document in (*kept, *read.documents.values()):
                cut = passages(document)
                numbered = [_Added.numbered(row, passage) for row, passage in enumerate(cut, start=next_row)]
                store.add(document, next_row, [(p, a.digest) for p, a in zip(cut, numbered, strict=True)])
                added += numbered
                next_row += len(cut)
                entries[document.id] = _entry(document, cut)
            store.set_files(read.states)
            copies = store.near_duplicates()
        new_vectors, embedded = _encode(added, embedder, live, progress)
        progress("writing", 0, 2)
        held = write_vectors(
            generation,
            embedder.dimension,
            [a.row for a in added],
            new_vectors,
            None if base is None else base.generation,
            removed,
        )
        LexicalIndex.change(generation / "lexical", out, ((a.row, a.document, a.text) for a in added))
        progress("writing", 1, 2)
        manifest = Manifest(
            format=FORMAT,
            created=now.isoformat(timespec="seconds"),
            corpus_digest=_corpus_digest(read.states),
            embedder={"name": embedder.name, "fingerprint": embedder.fingerprint, "dimension": embedder.dimension},
            settings=reading_settings(),
            documents=tuple(replace(entries[i], near_duplicate_of=copies.get(i)) for i in sorted(entries)),
            refused=read.refused,
            passages=held,
            files=_checksums(generation),
        )
        _write(generation / "manifest.json", manifest.to_json())
        _flush(generation)
        Index.open_generation(generation)  # or the damage is told before anyone is led to it
        _swap(folder, name, generation / "manifest.json")
    except BaseException:
        if live_name(folder) != name:
            shutil.rmtree(generation, ignore_errors=True)
        raise
    progress("writing", 2, 2)
    return manifest, embedded


@dataclass(frozen=True)
class _Added:
    """A passage that is put in: its row, and the text to embed and to look words up in, with its digest."""

    row: int
    document: str
    text: str
    digest: bytes

    @classmethod
    def numbered(cls, row: int, passage: Passage) -> _Added:
        text = in_context(passage).text
        return cls(row, passage.document, text, _digest(text))


def _encode(added: Sequence[_Added], embedder: Embedder, live: _Live, progress: Progress) -> tuple[Vectors, int]:
    """One row for each passage, and how many texts were embedded; known and equal ones are not again."""
    rows = np.empty((len(added), embedder.dimension), dtype=np.float32)
    places: dict[str, list[int]] = {}
    for place, passage in enumerate(added):
        vector = live.vector(passage.digest)
        if vector is None:
            places.setdefault(passage.text, []).append(place)
        else:
            rows[place] = vector
    texts = sorted(places, key=len)
    for start in range(0, len(texts), ENCODE_AT_ONCE):
        progress("embedding", start, len(texts))
        part = texts[start : start + ENCODE_AT_ONCE]
        for text, vector in zip(part, embedder.encode(part), strict=True):
            rows[places[text]] = vector
    progress("embedding", len(texts), len(texts))
    return rows, len(texts)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _corpus_digest(states: Iterable[FileState]) -> str:
    """SHA-256 over the ids of all files, with their checksums or what kept them from being opened."""
    digest = hashlib.sha256()
    for state in states:
        digest.update(f"{state.id}\0{state.sha256 or state.reason}\0".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _entry(document: Document, cut: Sequence[Passage]) -> DocumentEntry:
    return DocumentEntry(
        id=document.id,
        title=document.title,
        sha256=document.sha256,
        date=None if document.date is None else document.date.isoformat(),
        characters=len(document.text),
        pages=len(document.pages),
        passages=len(cut),
    )


# Onto the disk


def _checksums(generation: Path) -> dict[str, dict[str, Any]]:
    """Of every file but the manifest; tantivy's lock files come and go and are no part of the index."""
    return {
        path.relative_to(generation).as_posix(): {"sha256": sha256_of(path), "bytes": path.stat().st_size}
        for path in sorted(generation.rglob("*"))
        if path.is_file() and path.name != "manifest.json" and path.suffix != ".lock"
    }


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    """Everything below a folder, and the folder itself, onto the disk."""
    for path in [*folder.rglob("*"), folder, folder.parent]:
        _flush_one(path)


def _flush_one(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _swap(folder: Path, name: str, manifest: Path) -> None:
    """Make a complete generation the live one; the one before is kept, older ones and remains of crashes go."""
    previous = live_name(folder)
    pointer = folder / "CURRENT.new"
    _write(pointer, json.dumps({"generation": name, "manifest_sha256": sha256_of(manifest)}))
    os.replace(pointer, folder / "CURRENT")
    _flush_one(folder)
    for old in (folder / "generations").iterdir():
        if old.name not in (name, previous):
            shutil.rmtree(old, ignore_errors=True)
