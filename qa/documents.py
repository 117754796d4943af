"""Reading a folder of files into documents.

One place says which files can be read: `READERS`. A reader takes a file's bytes and gives the text, and what the
format says of its structure; `read_document` makes the `Document` of it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import charset_normalizer

from qa.datatypes import Document, Refused
from qa.errors import CorpusError, DocumentError
from qa.structure import Structure, markdown_structure, plain_text_structure

MAX_FILE_BYTES = 50_000_000
"""A larger text file is data, not a document; reading it would hold everything else up."""

ENCODING_SAMPLE_BYTES = 200_000
"""Enough of a file, around its first byte that is no UTF-8, to guess the encoding by; guessing from all of a large
file takes minutes."""

LIKELIEST_ENCODING = "cp1252"
OLDER_ENCODINGS = (
    *(LIKELIEST_ENCODING, "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
)
"""What text files were saved in before UTF-8. A guess among all that Python knows is often a typesetter's of 1985."""


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
            yield read_document(path, identifier)
        except DocumentError as reason:
            yield Refused(identifier, str(reason))
        before = identifier


def corpus_files(corpus: Path) -> list[Path]:
    """The files below a folder that are not hidden and no part of an index, in the order of their ids."""
    if not corpus.is_dir():
        raise CorpusError(f"There is no folder of documents at {corpus}. Make it, or name another with --corpus.")

    def cannot_list(error: OSError) -> None:
        raise CorpusError(f"The folder {error.filename} cannot be listed: {error.strerror}.") from error

    found = []
    for folder, subfolders, names in os.walk(corpus, onerror=cannot_list):
        subfolders[:] = [n for n in subfolders if not n.startswith(".") and not _is_index(Path(folder, n))]
        found += [Path(folder, name) for name in names if not name.startswith(".")]
    return sorted(found, key=lambda path: document_id(path, corpus))


def _is_index(folder: Path) -> bool:
    """Whether a folder is one that `qa index` writes to: what it holds is made from the documents."""
    return (folder / "generations").is_dir() and ((folder / "CURRENT").exists() or (folder / ".lock").exists())


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
        raise DocumentError(f"{kind} are not read (only {', '.join(READERS)})")
    content = _file_bytes(path)
    text, structure = read(content)
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
    )


def _file_bytes(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise DocumentError("it is not a regular file")
        size = path.stat().st_size
        if size == 0:
            raise DocumentError("it is empty")
        if size > MAX_FILE_BYTES:
            raise DocumentError(f"it has {size:,} bytes (at most {MAX_FILE_BYTES:,} are read)")
        return path.read_bytes()
    except OSError as error:
        raise DocumentError(f"it cannot be opened: {error.strerror}") from error


def _title_from_name(stem: str) -> str:
    # The hyphens inside a date stay.
    words = " ".join(re.sub(r"_|(?<!\d)-|-(?!\d)", " ", stem).split())
    return words[:1].upper() + words[1:]


def decode(content: bytes) -> str:
    """A text file's characters: UTF-8, UTF-16 with a byte order mark, else the likeliest older encoding.

    The byte order mark is dropped, every line end becomes a single newline. Raises DocumentError for what is no text.
    """
    return _decoded(content).replace("\r\n", "\n").replace("\r", "\n")


def _decoded(content: bytes) -> str:
    try:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            text = content.decode("utf-16")
        else:
            text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = _guessed(content, error.start)
    if "\0" in text:
        raise DocumentError("it holds NUL bytes: a binary file, or text in an encoding that is not marked")
    return text


def _guessed(content: bytes, first_wrong: int) -> str:
    if b"\0" in content:
        raise DocumentError("it holds NUL bytes and is no UTF-8: a binary file")
    half = ENCODING_SAMPLE_BYTES // 2
    sample = content[max(0, first_wrong - half) : first_wrong + half]
    guesses = list(charset_normalizer.from_bytes(sample, cp_isolation=list(OLDER_ENCODINGS)))
    if not guesses:
        raise DocumentError("its text is in no encoding that could be recognised; save it as UTF-8")
    as_likely = [g for g in guesses if (g.chaos, g.coherence) == (guesses[0].chaos, guesses[0].coherence)]
    is_likeliest = any(LIKELIEST_ENCODING in g.could_be_from_charset for g in as_likely)
    encoding = LIKELIEST_ENCODING if is_likeliest else guesses[0].encoding
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise DocumentError(f"it is neither UTF-8 nor {encoding} throughout; save it as UTF-8") from error


def _plain_text(content: bytes) -> tuple[str, Structure]:
    text = decode(content)
    return text, plain_text_structure(text)


def _markdown(content: bytes) -> tuple[str, Structure]:
    text = decode(content)
    return text, markdown_structure(text)


READERS: dict[str, Callable[[bytes], tuple[str, Structure]]] = {
    ".txt": _plain_text,
    ".text": _plain_text,
    ".md": _markdown,
    ".markdown": _markdown,
}
"""How each kind of file is read, by its ending. A further format is a further line here."""
