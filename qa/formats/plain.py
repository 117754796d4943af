"""Plain text and Markdown: the file's own characters, nothing added and nothing left out."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace

import charset_normalizer
import yaml

from qa.errors import DocumentError
from qa.formats.extraction import sane_date, sane_title
from qa.structure import Structure, markdown_structure, plain_text_structure

ENCODING_SAMPLE_BYTES = 200_000
"""Enough of a file, around its first byte that is no UTF-8, to guess the encoding by; guessing from all of a large
file takes minutes."""

LIKELIEST_ENCODING = "cp1252"
OLDER_ENCODINGS = (
    *(LIKELIEST_ENCODING, "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
)
"""What text files were saved in before UTF-8. A guess among all that Python knows is often a typesetter's of 1985."""

MAX_FRONT_MATTER_CHARACTERS = 20_000
"""A longer block between two dashed lines at the top is text."""

_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)


def plain_text(content: bytes) -> tuple[str, Structure]:
    """A text file: all of it, with the structure that its layout shows."""
    text = decode(content)
    return text, plain_text_structure(text)


def markdown(content: bytes) -> tuple[str, Structure]:
    """A Markdown file with its mark-up; title, date and source also from YAML front matter, which is in no passage."""
    text = decode(content)
    front = _FRONT_MATTER.match(text, 0, MAX_FRONT_MATTER_CHARACTERS)
    stated = None if front is None else _front_matter(front[1])
    if front is None or stated is None:
        return text, markdown_structure(text)
    blank = re.sub(r"[^\n]", " ", text[: front.end()])
    structure = markdown_structure(blank + text[front.end() :])
    return text, replace(
        structure,
        title=sane_title(_scalar(stated, "title")) or structure.title,
        date=sane_date(_scalar(stated, "date", "published", "updated")) or structure.date,
        source=_scalar(stated, "source", "publisher", "author") or structure.source,
    )


def _front_matter(text: str) -> dict[object, object] | None:
    """The pairs of a YAML mapping; None for what is no mapping: a text that stands between two rulers."""
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _scalar(stated: dict[object, object], *names: str) -> str | None:
    """The first of these that is a text or a date."""
    values = (stated.get(name, stated.get(name.capitalize())) for name in names)
    return next((str(v) for v in values if isinstance(v, (str, datetime.date)) and str(v).strip()), None)


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
