"""The index on disk, opened for reading. `indexing.py` writes it.

index/
├── CURRENT                  one JSON object: the live generation and its manifest's SHA-256
└── generations/<name>/
    ├── manifest.json        what is in it: documents, models, settings, counts, checksums
    ├── vectors.faiss        one row a passage, readable by `faiss.read_index`
    ├── vectors.f16          the rows' exact vectors, where vectors.faiss has but one byte a number
    ├── documents.sqlite     documents, passages, and the files they were read from
    └── lexical/             tantivy's files
"""

from __future__ import annotations

import datetime
import difflib
import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from qa.checksum import sha256_of
from qa.datatypes import Absent, Refused
from qa.embedding import Embedder
from qa.errors import IndexDamaged, IndexMissing, IndexStale, QAError, QuestionError
from qa.lexical import LexicalIndex
from qa.passages import in_context
from qa.store import Chosen, Store
from qa.text import capitalised_words, stems
from qa.vectors import VectorIndex

FORMAT = 5
"""Raised whenever an older program could misread what a newer one writes, or the other way round."""

FULL_CHECK_BYTES = 100_000_000
"""An index up to this size is checked against its checksums whenever it is opened (a fraction of a second); a larger
one by its files' sizes, and by its checksums on `qa info --verify`."""

REBUILD = "Run `qa index --full` to build it again."


@dataclass(frozen=True)
class DocumentEntry:
    """What the manifest says of a document.

    `date` is ISO 8601 or None, `pages` 0 for formats without pages. `near_duplicate_of` is the document it says nearly
    the same as, None for one that speaks for itself: what the two agree on counts once.
    """

    id: str
    title: str
    sha256: str
    date: str | None
    characters: int
    pages: int
    passages: int
    near_duplicate_of: str | None = None


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


NAME_LETTERS = 4
"""Of a shorter stem every other is nearly the same."""

NEARLY = 0.8
"""Share of letters, in order, that two stems have in common at least to be taken for spellings of one name: of five
letters one may be another."""

SPELT_PASSAGES = 20
"""Passages looked through for a name that is spelt nearly as one that the documents lack."""

_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")


def documents_between(manifest: Manifest, since: str | None = None, until: str | None = None) -> frozenset[str]:
    """The ids of documents whose date is neither before `since` nor after `until`; none without a date.

    Both are YYYY, YYYY-MM or YYYY-MM-DD, and the whole year or month counts. Raises QuestionError for anything else.
    """
    for day in (since, until):
        if day is not None and not _is_date(day):
            raise QuestionError(f"{day!r} is no date: expected is YYYY, YYYY-MM or YYYY-MM-DD, as in 2011-06.")
    return frozenset(
        entry.id
        for entry in manifest.documents
        if entry.date is not None
        and (since is None or since <= entry.date)
        and (until is None or entry.date[: len(until)] <= until)
    )


def chosen_documents(
    manifest: Manifest, names: Sequence[str] | None = None, since: str | None = None, until: str | None = None
) -> frozenset[str] | None:
    """The ids of the documents to ask, by their ids, their dates, or both; None where nothing is chosen.

    Raises QuestionError for a document that is not there and for a date that is none.
    """
    if not names and since is None and until is None:
        return None
    chosen = frozenset(entry.id for entry in manifest.documents)
    for unknown in sorted(set(names or ()) - chosen):
        raise unknown_document(unknown)
    chosen = frozenset(names) if names else chosen
    return chosen if since is None and until is None else chosen & documents_between(manifest, since, until)


def unknown_document(identifier: str) -> QuestionError:
    """What to raise for a document that is not there."""
    return QuestionError(f"There is no document {identifier!r} in the index. `qa info` lists what there is.")


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text) and datetime.date.fromisoformat(text + "0000-01-01"[len(text) :]))
    except ValueError:
        return False


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


def live_name(folder: Path) -> str | None:
    """The name of the generation that a newcomer would open; None where there is no index, or no way to tell."""
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
        self.vectors = VectorIndex.open(generation)
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

    @cached_property
    def _originals(self) -> dict[str, str]:
        entries = self.manifest.documents
        return {entry.id: entry.near_duplicate_of for entry in entries if entry.near_duplicate_of is not None}

    def original(self, document: str) -> str:
        """The document that a near-duplicate is taken for a copy of; else the document itself."""
        return self._originals.get(document, document)

    def absence(self, name: str, documents: frozenset[str] | None = None) -> Absent | None:
        """That a name or number stands in no document, or in none of `documents`; None where it does."""
        chosen = None if documents is None else self.store.chosen(documents)
        return Absent(name, self._spelt_nearly(name, chosen)) if self.lexical.lacks(name, chosen) else None

    def _spelt_nearly(self, name: str, chosen: Chosen | None) -> str | None:
        """A name in the documents that may be meant; none for numbers, which are nearly all alike."""
        parts = stems(name)
        stem = parts[0]
        if len(parts) > 1 or len(stem) < NAME_LETTERS or any(map(str.isdigit, name)):
            return None
        passages = self.store.passages(self.lexical.spelt_like(stem, SPELT_PASSAGES, chosen))
        names = Counter(word for passage in passages for word in capitalised_words(in_context(passage).text))
        spellings = {" ".join(stems(word)): word for word, _ in reversed(names.most_common())}
        nearest = difflib.get_close_matches(stem, spellings, n=1, cutoff=NEARLY)
        return spellings[nearest[0]] if nearest else None

    def is_live(self) -> bool:
        """Whether this is still the generation that a newcomer would open."""
        return live_name(self.generation.parent.parent) in (self.generation.name, None)

    def verify(self) -> None:
        """Read every file again. Raises IndexDamaged, naming the first that is missing or not as it was written."""
        self._check_sizes()
        for name, file in self.manifest.files.items():
            if sha256_of(self.generation / name) != file["sha256"]:
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
