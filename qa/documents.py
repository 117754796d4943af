"""Reading a folder of files into documents.

One place says which files can be read: `READERS`. A reader takes a file's bytes and gives the text, and what the
format says of its structure; `read_document` makes the `Document` of it. Formats whose parsers are large programs of
others are read in a process of their own, which can be killed.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from qa.datatypes import Document, FileState, Refused
from qa.errors import CorpusError, DocumentError
from qa.formats.isolation import read_isolated
from qa.formats.limits import MAX_FILE_BYTES
from qa.formats.mail import eml
from qa.formats.office import docx, odt, rtf
from qa.formats.pdf import pdf
from qa.formats.plain import ENCODING_SAMPLE_BYTES, decode, markdown, plain_text
from qa.formats.sheets import ods, xlsx
from qa.formats.slides import pptx
from qa.formats.tables import comma_separated, tab_separated
from qa.formats.web import epub, html, mhtml
from qa.structure import Structure, under_dates

__all__ = [
    "ENCODING_SAMPLE_BYTES",
    "MAX_FILE_BYTES",
    "READERS",
    "READING",
    "corpus_files",
    "decode",
    "document_id",
    "original",
    "read_corpus",
    "read_document",
    "read_files",
]

READERS: dict[str, Callable[[bytes], tuple[str, Structure]]] = {
    ".txt": plain_text,
    ".text": plain_text,
    ".md": markdown,
    ".markdown": markdown,
    ".csv": comma_separated,
    ".tsv": tab_separated,
    ".pdf": pdf,
    ".docx": docx,
    ".pptx": pptx,
    ".odt": odt,
    ".xlsx": xlsx,
    ".ods": ods,
    ".rtf": rtf,
    ".html": html,
    ".htm": html,
    ".xhtml": html,
    ".mhtml": mhtml,
    ".mht": mhtml,
    ".epub": epub,
    ".eml": eml,
}
"""How each kind of file is read, by its ending. A further format is a further line here."""

READ_HERE = frozenset({".txt", ".text", ".md", ".markdown", ".csv", ".tsv"})
"""Formats simple enough to be read in this process; all others are read in one that can be killed."""

READING = 4
"""Raised whenever files are read in another way than before, so that an index made before is made again."""


SETTLED_NANOSECONDS = 2_000_000_000
"""A file that changed so shortly before it was read may have changed again within one tick of its clock (two seconds
on the coarsest file systems), so that its time proves nothing: its bytes are compared."""


def read_corpus(corpus: Path) -> Iterator[Document | Refused]:
    """Every file below a folder, in the order of its id: a document, or the reason why it is none.

    Hidden files and folders are passed over without a word. Raises CorpusError when the folder cannot be listed.
    """
    return (item for _, item in read_files(corpus_files(corpus), corpus, {}) if item is not None)


def read_files(
    paths: Iterable[Path], corpus: Path, known: Mapping[str, FileState]
) -> Iterator[tuple[FileState, Document | Refused | None]]:
    """Each file's state, and what was read of it: None when it is as `known` has it.

    A file whose size and time are as they were is not opened; one whose bytes are as they were is not parsed. `paths`
    are those of `corpus_files`, in its order.
    """
    before = None
    for path in paths:
        identifier = document_id(path, corpus)
        try:
            if identifier == before:
                raise DocumentError("its name is shown in the same way as that of another file")
            _refuse_outsiders(path, corpus)
            yield _read_file(path, identifier, known.get(identifier))
        except DocumentError as reason:
            state = FileState(identifier, 0, 0, time.time_ns(), None, str(reason))
            yield state, Refused(identifier, str(reason))
        before = identifier


def _read_file(path: Path, identifier: str, known: FileState | None) -> tuple[FileState, Document | Refused | None]:
    """Raises DocumentError for a file that cannot be opened; one whose content is no document is refused."""
    reader_of(identifier)
    seen = time.time_ns()
    size, changed = _size_and_time(path)
    if (
        known is not None
        and known.sha256 is not None
        and (known.size, known.changed) == (size, changed)
        and changed + SETTLED_NANOSECONDS < known.seen
    ):
        return known, None
    content = _file_bytes(path)
    sha256 = hashlib.sha256(content).hexdigest()
    if known is not None and known.sha256 == sha256:
        return FileState(identifier, size, changed, seen, sha256, known.reason), None
    try:
        document = document_of(identifier, content)
    except DocumentError as reason:
        return FileState(identifier, size, changed, seen, sha256, str(reason)), Refused(identifier, str(reason))
    return FileState(identifier, size, changed, seen, sha256, None), document


def _size_and_time(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise DocumentError(f"it cannot be opened: {error.strerror}") from error
    return status.st_size, status.st_mtime_ns


def corpus_files(corpus: Path) -> list[Path]:
    """The files below a folder that are not hidden and no part of an index, in the order of their ids.

    Links to folders are among them, to be refused with a reason; they are not followed.
    """
    if not corpus.is_dir():
        raise CorpusError(f"There is no folder of documents at {corpus}. Make it, or name another with --corpus.")

    def cannot_list(error: OSError) -> None:
        raise CorpusError(f"The folder {error.filename} cannot be listed: {error.strerror}.") from error

    found = []
    for folder, subfolders, names in os.walk(corpus, onerror=cannot_list):
        subfolders[:] = [n for n in subfolders if not n.startswith(".") and not _is_index(Path(folder, n))]
        linked = [name for name in subfolders if os.path.islink(os.path.join(folder, name))]
        found += [Path(folder, name) for name in (*names, *linked) if not name.startswith(".")]
    return sorted(found, key=lambda path: document_id(path, corpus))


def _is_index(folder: Path) -> bool:
    """Whether a folder is one that `qa index` writes to: what it holds is made from the documents."""
    return (folder / "generations").is_dir() and ((folder / "CURRENT").exists() or (folder / ".lock").exists())


def _refuse_outsiders(path: Path, corpus: Path) -> None:
    """Raises DocumentError for a link to a folder, and for one that leads out of the corpus."""
    if not path.is_symlink():
        return
    if path.is_dir():
        raise DocumentError("it is a link to a folder, and these are not followed")
    if not path.exists():
        raise DocumentError("it is a link that leads nowhere")
    if not path.resolve().is_relative_to(corpus.resolve()):
        raise DocumentError("it is a link that leads out of the folder of documents")


def document_id(path: Path, corpus: Path) -> str:
    """The path below the corpus with `/` between folders; bytes that are no UTF-8 are shown as `\\xNN`."""
    relative = PurePosixPath(*path.relative_to(corpus).parts)
    return os.fsencode(str(relative)).decode("utf-8", "backslashreplace")


def read_document(path: Path, identifier: str) -> Document:
    """One file as a document. Raises DocumentError, its message the reason shown to a person."""
    reader_of(identifier)
    return document_of(identifier, _file_bytes(path))


def original(document: Document, corpus: Path) -> bytes:
    """The bytes of the file that a document was read from.

    Raises DocumentError when they are no longer there, and CorpusError when the folder is not.
    """
    path = corpus / document.id
    if not path.exists():  # it is not there, or its name is no UTF-8 and shown in another way
        named = (path for path in corpus_files(corpus) if document_id(path, corpus) == document.id)
        found = next(named, None)
        if found is None:
            raise DocumentError("it is no longer in the folder of documents")
        path = found
    _refuse_outsiders(path, corpus)
    content = _file_bytes(path)
    if hashlib.sha256(content).hexdigest() != document.sha256:
        raise DocumentError("it has changed since it was read")
    return content


def reader_of(identifier: str) -> Callable[[bytes], tuple[str, Structure]]:
    """What reads a file of this name. Raises DocumentError for a kind that is not read."""
    suffix = PurePosixPath(identifier).suffix  # not the path's own, whose bytes may be no characters
    read = READERS.get(suffix.lower())
    if read is None:
        raise DocumentError(f"{f'files ending in {suffix}' if suffix else 'files without an ending'} are not read")
    return read


def document_of(identifier: str, content: bytes) -> Document:
    """A file's bytes as a document. Raises DocumentError, its message the reason shown to a person."""
    name = PurePosixPath(identifier)
    read, ending = reader_of(identifier), name.suffix.lower()
    text, structure = read(content) if ending in READ_HERE else read_isolated(ending, content)
    if not structure.blocks:
        raise DocumentError("there is no text in it" + (" but headings" if structure.title is not None else ""))
    structure = under_dates(text, structure)
    return Document(
        id=identifier,
        title=structure.title or _title_from_name(name.stem),
        text=text,
        sha256=hashlib.sha256(content).hexdigest(),
        source=structure.source,
        date=structure.date,
        sections=structure.sections,
        blocks=structure.blocks,
        pages=structure.pages,
    )


def _file_bytes(path: Path) -> bytes:
    """A regular file's bytes. What it is, is asked of the open file too: a name may lead elsewhere a moment later."""
    try:
        if not path.is_file():
            raise DocumentError("it is not a regular file")
        with open(path, "rb", opener=_open_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise DocumentError("it is not a regular file")
            if status.st_size == 0:
                raise DocumentError("it is empty")
            if status.st_size > MAX_FILE_BYTES:
                raise DocumentError(f"it has {status.st_size:,} bytes (at most {MAX_FILE_BYTES:,} are read)")
            return file.read(MAX_FILE_BYTES)
    except OSError as error:
        raise DocumentError(f"it cannot be opened: {error.strerror}") from error


def _open_without_waiting(path: str, flags: int) -> int:
    """A named pipe would else be waited for until someone writes into it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _title_from_name(stem: str) -> str:
    # The hyphens inside a date stay.
    words = " ".join(re.sub(r"_|(?<!\d)-|-(?!\d)", " ", stem).split())
    return words[:1].upper() + words[1:]
