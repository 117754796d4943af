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
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from qa.datatypes import Document, Refused
from qa.errors import CorpusError, DocumentError
from qa.formats.isolation import read_isolated
from qa.formats.limits import MAX_FILE_BYTES
from qa.formats.mail import eml
from qa.formats.office import docx, odt, pptx, rtf
from qa.formats.pdf import pdf
from qa.formats.plain import ENCODING_SAMPLE_BYTES, decode, markdown, plain_text
from qa.formats.tables import comma_separated, tab_separated
from qa.formats.web import epub, html
from qa.structure import Structure

__all__ = [
    "ENCODING_SAMPLE_BYTES",
    "MAX_FILE_BYTES",
    "READERS",
    "READING",
    "corpus_files",
    "decode",
    "document_id",
    "read_corpus",
    "read_document",
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
    ".rtf": rtf,
    ".html": html,
    ".htm": html,
    ".xhtml": html,
    ".epub": epub,
    ".eml": eml,
}
"""How each kind of file is read, by its ending. A further format is a further line here."""

READ_HERE = frozenset({".txt", ".text", ".md", ".markdown", ".csv", ".tsv"})
"""Formats simple enough to be read in this process; all others are read in one that can be killed."""

READING = 2
"""Raised whenever files are read in another way than before, so that an index made before is made again."""


def read_corpus(corpus: Path) -> Iterator[Document | Refused]:
    """Every file below a folder, in the order of its id: a document, or the reason why it is none.

    Hidden files and folders are passed over without a word. Raises CorpusError when the folder cannot be listed.
    """
    before = None
    for path in corpus_files(corpus):
        identifier = document_id(path, corpus)
        try:
            if identifier == before:
                raise DocumentError("its name is shown in the same way as that of another file")
            _refuse_outsiders(path, corpus)
            yield read_document(path, identifier)
        except DocumentError as reason:
            yield Refused(identifier, str(reason))
        before = identifier


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
    if path.exists() and not path.resolve().is_relative_to(corpus.resolve()):
        raise DocumentError("it is a link that leads out of the folder of documents")


def document_id(path: Path, corpus: Path) -> str:
    """The path below the corpus with `/` between folders; bytes that are no UTF-8 are shown as `\\xNN`."""
    relative = PurePosixPath(*path.relative_to(corpus).parts)
    return os.fsencode(str(relative)).decode("utf-8", "backslashreplace")


def read_document(path: Path, identifier: str) -> Document:
    """One file as a document. Raises DocumentError, its message the reason shown to a person."""
    name = PurePosixPath(identifier)  # not the path's own, whose bytes may be no characters
    read = READERS.get(name.suffix.lower())
    if read is None:
        kind = f"files ending in {name.suffix}" if name.suffix else "files without an ending"
        raise DocumentError(f"{kind} are not read")
    content = _file_bytes(path)
    ending = name.suffix.lower()
    text, structure = read(content) if ending in READ_HERE else read_isolated(ending, content)
    if not structure.blocks:
        raise DocumentError("there is no text in it" + (" but headings" if structure.title is not None else ""))
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
