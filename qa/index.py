"""The index on disk: built beside the live one, checked, and swapped in by one rename.

index/
├── CURRENT                  one JSON object: the live generation and its manifest's SHA-256
└── generations/<name>/
    ├── manifest.json        what is in it: documents, models, settings, counts, checksums
    ├── vectors.faiss        one row a passage, readable by `faiss.read_index`
    ├── documents.sqlite     documents and passages
    └── lexical/             tantivy's files
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import filelock
import numpy as np

from qa import passages as passage_settings
from qa.datatypes import Document, Passage, Refused
from qa.documents import READING, corpus_files, document_id, read_corpus
from qa.embedding import Embedder, Vectors
from qa.errors import CorpusError, IndexBusy, IndexDamaged, IndexMissing, IndexStale, QAError
from qa.formats import limits
from qa.lexical import LexicalIndex
from qa.passages import in_context, passages
from qa.store import Store, write_store
from qa.text import shown_name
from qa.vectors import VectorIndex

FORMAT = 1
"""Raised whenever an older program could misread what a newer one writes, or the other way round."""

FULL_CHECK_BYTES = 100_000_000
"""An index up to this size is checked against its checksums whenever it is opened (a fraction of a second); a larger
one by its files' sizes, and by its checksums on `qa info --verify`."""

ENCODE_AT_ONCE = 256
"""Texts given to the embedder in one call: enough to sort by length, few enough for the progress bar to move."""

REBUILD = "Run `qa index --full` to build it again."

Progress = Callable[[str, int, int], None]
"""Called with the step ("reading", "embedding", "writing"), how much of it is done, and of how much."""


def no_progress(step: str, done: int, total: int) -> None:
    """A `Progress` that shows nothing."""


@dataclass(frozen=True)
class DocumentEntry:
    """What the manifest says of a document; `date` is ISO 8601 or None, `pages` 0 for formats without pages."""

    id: str
    title: str
    sha256: str
    date: str | None
    characters: int
    pages: int
    passages: int


@dataclass(frozen=True)
class Manifest:
    """What an index holds and how it was made.

    `corpus_digest` covers the names and bytes of all files, `files` gives the SHA-256 and the size in bytes of every
    other file of the generation, by its path below it.
    """

    format: int
    created: str
    corpus_digest: str
    embedder: dict[str, Any]
    settings: dict[str, int]
    documents: tuple[DocumentEntry, ...]
    refused: tuple[Refused, ...]
    passages: int
    files: dict[str, dict[str, Any]]

    def to_json(self) -> str:
        """The manifest as indented JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Raises IndexStale for another format, IndexDamaged for what is no manifest."""
        try:
            data = json.loads(text)
            if data["format"] != FORMAT:
                raise IndexStale(
                    f"The index is in format {data['format']}, this program reads format {FORMAT}. {REBUILD}"
                )
            return cls(
                **{
                    **data,
                    "documents": tuple(DocumentEntry(**entry) for entry in data["documents"]),
                    "refused": tuple(Refused(**entry) for entry in data["refused"]),
                }
            )
        except (ValueError, TypeError, KeyError) as error:
            raise IndexDamaged(f"The index's manifest cannot be read ({error}). {REBUILD}") from error


@dataclass(frozen=True)
class BuildReport:
    """What a build did: the live manifest, and whether anything had to be built."""

    manifest: Manifest
    built: bool


def passage_digest_settings() -> dict[str, int]:
    """The settings by which documents are read and cut; an index made with others is rebuilt."""
    return {
        "reading": READING,
        **limits.SETTINGS,
        "passage_characters": passage_settings.PASSAGE_CHARACTERS,
        "max_passage_characters": passage_settings.MAX_PASSAGE_CHARACTERS,
        "overlap_sentences": passage_settings.OVERLAP_SENTENCES,
    }


# Building


def build_index(
    corpus: Path, folder: Path, embedder: Embedder, full: bool = False, progress: Progress = no_progress
) -> BuildReport:
    """Bring the index in `folder` up to date with the corpus; without `full`, do nothing where nothing changed.

    The live index answers until the new one is complete. Raises CorpusError when not one document can be read (the live
    index then stays as it is), IndexBusy when another process is building.
    """
    digest = corpus_digest(corpus)
    try:
        (folder / "generations").mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / ".lock", timeout=0):
            live = None if full else _answering(folder, embedder)
            if live is not None and live.corpus_digest == digest and live.settings == passage_digest_settings():
                return BuildReport(live, built=False)
            return BuildReport(_build_generation(corpus, digest, folder, embedder, progress), built=True)
    except filelock.Timeout as error:
        raise IndexBusy(
            f"Another process is building the index in {folder}. Wait for it to end, then try again."
        ) from error
    except OSError as error:
        raise QAError(
            f"The index cannot be written to {folder}: {error.strerror or error}. Name another with --index."
        ) from error


def _answering(folder: Path, embedder: Embedder) -> Manifest | None:
    """The live manifest, where the index can be opened with this embedder."""
    try:
        index = Index.open(folder)
        index.check_embedder(embedder)
        return index.manifest
    except QAError:
        return None


def corpus_digest(corpus: Path) -> str:
    """SHA-256 over the ids and bytes of all files below a folder."""
    digest = hashlib.sha256()
    for path in corpus_files(corpus):
        digest.update(document_id(path, corpus).encode() + b"\0")
        try:
            digest.update(_sha256(path).encode() if path.is_file() else b"no regular file")
        except OSError:
            digest.update(b"unreadable")
    return digest.hexdigest()


def _build_generation(corpus: Path, digest: str, folder: Path, embedder: Embedder, progress: Progress) -> Manifest:
    documents, refused = _read(corpus, progress)
    cut = {document.id: passages(document) for document in documents}
    rows = [passage for document in documents for passage in cut[document.id]]
    if not rows:
        reasons = "".join(f"\n  {shown_name(r.id)}: {shown_name(r.reason)}" for r in refused)
        raise CorpusError(
            f"Nothing in {corpus} could be read, so there is nothing to answer from. Put documents there (text, PDF, "
            f"Word, web pages, mail, …), or name another folder with --corpus.{reasons}"
        )
    now = datetime.datetime.now(datetime.timezone.utc)
    name = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    generation = folder / "generations" / name
    generation.mkdir()
    try:
        texts = [in_context(passage).text for passage in rows]
        VectorIndex.build(_encode(texts, embedder, progress)).save(generation / "vectors.faiss")
        progress("writing", 0, 2)
        LexicalIndex.build(generation / "lexical", texts)
        progress("writing", 1, 2)
        write_store(generation / "documents.sqlite", documents, rows)
        manifest = Manifest(
            format=FORMAT,
            created=now.isoformat(timespec="seconds"),
            corpus_digest=digest,
            embedder={"name": embedder.name, "fingerprint": embedder.fingerprint, "dimension": embedder.dimension},
            settings=passage_digest_settings(),
            documents=tuple(_entry(document, cut[document.id]) for document in documents),
            refused=tuple(refused),
            passages=len(rows),
            files=_checksums(generation),
        )
        _write(generation / "manifest.json", manifest.to_json())
        _flush(generation)
        Index.open_generation(generation).verify()
        _swap(folder, name, generation / "manifest.json")
    except BaseException:
        if _live_name(folder) != name:
            shutil.rmtree(generation, ignore_errors=True)
        raise
    progress("writing", 2, 2)
    return manifest


def _read(corpus: Path, progress: Progress) -> tuple[list[Document], list[Refused]]:
    total = len(corpus_files(corpus))
    documents: list[Document] = []
    refused: list[Refused] = []
    for done, item in enumerate(read_corpus(corpus)):
        progress("reading", done, total)
        if isinstance(item, Document):
            documents.append(item)
        else:
            refused.append(item)
    progress("reading", total, total)
    return documents, refused


def _encode(texts: Sequence[str], embedder: Embedder, progress: Progress) -> Vectors:
    """One row a text; equal texts are embedded once."""
    unique = sorted(set(texts), key=len)
    rows = np.empty((len(unique), embedder.dimension), dtype=np.float32)
    for start in range(0, len(unique), ENCODE_AT_ONCE):
        progress("embedding", start, len(unique))
        part = unique[start : start + ENCODE_AT_ONCE]
        rows[start : start + len(part)] = embedder.encode(part)
    progress("embedding", len(unique), len(unique))
    place = {text: row for row, text in enumerate(unique)}
    return rows[[place[text] for text in texts]]


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


def _checksums(generation: Path) -> dict[str, dict[str, Any]]:
    """Of every file but the manifest; tantivy's lock files come and go and are no part of the index."""
    return {
        path.relative_to(generation).as_posix(): {"sha256": _sha256(path), "bytes": path.stat().st_size}
        for path in sorted(generation.rglob("*"))
        if path.is_file() and path.name != "manifest.json" and path.suffix != ".lock"
    }


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    """Everything below a folder, and the folder itself, onto the disk."""
    for path in [*folder.rglob("*"), folder, folder.parent]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _swap(folder: Path, name: str, manifest: Path) -> None:
    """Make a complete generation the live one; the one before is kept, older ones and remains of crashes go."""
    previous = _live_name(folder)
    pointer = folder / "CURRENT.new"
    _write(pointer, json.dumps({"generation": name, "manifest_sha256": _sha256(manifest)}))
    os.replace(pointer, folder / "CURRENT")
    _flush_folder(folder)
    for old in (folder / "generations").iterdir():
        if old.name not in (name, previous):
            shutil.rmtree(old, ignore_errors=True)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# Opening


def _pointer(folder: Path) -> dict[str, str]:
    """What CURRENT says. Raises IndexMissing, IndexDamaged."""
    try:
        text = (folder / "CURRENT").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise IndexMissing(f"There is no index in {folder}. Run `qa index` to build it.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise IndexDamaged(f"{folder / 'CURRENT'} cannot be read. {REBUILD}") from error
    try:
        data = json.loads(text)
        name, checksum = data["generation"], data["manifest_sha256"]
        if re.fullmatch(r"[0-9A-Za-z-]+", name) and isinstance(checksum, str):
            return {"generation": name, "manifest_sha256": checksum}
    except (ValueError, TypeError, KeyError):
        pass
    raise IndexDamaged(f"{folder / 'CURRENT'} names no generation of an index. {REBUILD}")


def _live_name(folder: Path) -> str | None:
    try:
        return _pointer(folder)["generation"]
    except QAError:
        return None


class Index:
    """One generation, opened for reading. It never changes; a later build makes another."""

    def __init__(self, generation: Path, manifest: Manifest) -> None:
        self.generation = generation
        self.manifest = manifest
        if sum(file["bytes"] for file in manifest.files.values()) <= FULL_CHECK_BYTES:
            self.verify()
        else:
            self._check_sizes()
        self.store = Store(generation / "documents.sqlite")
        self.vectors = VectorIndex.open(generation / "vectors.faiss")
        self.lexical = LexicalIndex.open(generation / "lexical")
        counts = {len(self.vectors), len(self.lexical), self.store.passage_count, manifest.passages}
        if len(counts) != 1 or self.store.document_count != len(manifest.documents):
            raise IndexDamaged(
                f"The index's parts do not agree: {manifest.passages} passages in the manifest, {len(self.vectors)} "
                f"vectors, {len(self.lexical)} in the lexical index, {self.store.passage_count} in the store. {REBUILD}"
            )

    @classmethod
    def open(cls, folder: Path) -> Index:
        """The live generation. Raises IndexMissing, IndexDamaged, IndexStale, each with the command that mends it."""
        pointer = _pointer(folder)
        try:
            return cls.open_generation(folder / "generations" / pointer["generation"], pointer["manifest_sha256"])
        except IndexDamaged:
            if _pointer(folder) == pointer:
                raise
            return cls.open(folder)  # newer generations came, and took this one away while it was being opened

    @classmethod
    def open_generation(cls, generation: Path, manifest_sha256: str | None = None) -> Index:
        """A generation by its folder; its manifest must have the SHA-256, where one is given."""
        try:
            content = (generation / "manifest.json").read_bytes()
            text = content.decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise IndexDamaged(f"The manifest in {generation} cannot be read. {REBUILD}") from error
        if manifest_sha256 is not None and hashlib.sha256(content).hexdigest() != manifest_sha256:
            raise IndexDamaged(f"The manifest in {generation} is not the one that was written. {REBUILD}")
        return cls(generation, Manifest.from_json(text))

    def is_live(self) -> bool:
        """Whether this is still the generation that a newcomer would open."""
        return _live_name(self.generation.parent.parent) in (self.generation.name, None)

    def verify(self) -> None:
        """Read every file again. Raises IndexDamaged, naming the first that is missing or not as it was written."""
        self._check_sizes()
        for name, file in self.manifest.files.items():
            if _sha256(self.generation / name) != file["sha256"]:
                raise IndexDamaged(f"{self.generation / name} is not as it was written. {REBUILD}")

    def _check_sizes(self) -> None:
        for name, file in self.manifest.files.items():
            path = self.generation / name
            if not path.is_file():
                raise IndexDamaged(f"{path} is missing. {REBUILD}")
            if path.stat().st_size != file["bytes"]:
                raise IndexDamaged(
                    f"{path} has {path.stat().st_size:,} bytes, {file['bytes']:,} were written. {REBUILD}"
                )

    def check_embedder(self, embedder: Embedder) -> None:
        """Raises IndexStale when the index was made with another embedder."""
        made_with = self.manifest.embedder
        if made_with["fingerprint"] != embedder.fingerprint:
            raise IndexStale(
                f"The index was made with the embedder {made_with['name']!r} ({made_with['fingerprint'][:12]}), but "
                f"{embedder.name!r} ({embedder.fingerprint[:12]}) is in use. Run `qa index` with the same --embedder."
            )
