"""Files that people send: under which names they may be kept, and what archives of them hold.

Nothing that a browser says is believed: a name is made safe for every file system, an archive is unpacked within the
limits of `qa.formats.limits`, and what cannot be read is not kept.
"""

from __future__ import annotations

import re
import shutil
import stat
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from qa.datatypes import Refused
from qa.documents import read_document, reader_of
from qa.errors import DocumentError, QAError
from qa.formats.archives import member, open_archive
from qa.formats.limits import MAX_UPLOAD_BYTES
from qa.indexing import Progress
from qa.text import shown_name

ARCHIVE = ".zip"

MAX_NAME_BYTES = 200
"""Of a file's name: file systems take 255, and a number may have to be added."""

_FORBIDDEN = re.compile(r'[<>:"|?*]')
"""Not allowed in names on Windows, to which a folder of documents may be copied one day."""

_RESERVED = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³])\s*(\.|$)", re.IGNORECASE)
"""Names that are devices on Windows, whatever their ending."""


@dataclass(frozen=True)
class Upload:
    """A file that was sent, or that an archive held: the name it had there, and where its bytes lie."""

    name: str
    path: Path


def safe_name(name: str) -> str:
    r"""A name under which a file can be kept in one folder, on any system. Raises DocumentError for a hidden file.

    >>> safe_name("C:\\papers\\annual\u202e report?.pdf")
    'annual report_.pdf'
    """
    base = re.split(r"[/\\]", name)[-1]
    shown = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in base)
    clean = _FORBIDDEN.sub("_", " ".join(unicodedata.normalize("NFC", shown).split())).rstrip(" .")
    if not clean or clean.startswith("."):
        raise DocumentError("its name begins with a dot or holds no letter: hidden files are not read")
    if _RESERVED.match(clean):
        clean = f"_{clean}"
    suffix = PurePosixPath(clean).suffix
    most = MAX_NAME_BYTES - len(suffix.encode())
    if most <= 0:
        raise DocumentError("its name is too long")
    return clean.removesuffix(suffix).encode()[:most].decode(errors="ignore").rstrip(" .") + suffix


def incoming(uploads: Sequence[Upload], folder: Path) -> list[Upload | Refused]:
    """What was sent, archives unpacked: each file that may be read, below `folder` under a safe name, or why not.

    Raises QAError where it is more than may be sent at once.
    """
    sent = sum(upload.path.stat().st_size for upload in uploads)
    if sent > MAX_UPLOAD_BYTES:
        raise QAError(
            f"These files have {sent:,} bytes; at most {MAX_UPLOAD_BYTES:,} are added at once (QA_MAX_UPLOAD_BYTES). "
            "Nothing was added: add them in several parts."
        )
    return [item for upload in uploads for item in _taken(upload, folder)]


def checked(uploads: Sequence[Upload], folder: Path, progress: Progress) -> Iterator[Upload | Refused]:
    """The same, each file read once: what cannot be read is refused too."""
    found = incoming(uploads, folder)
    for number, item in enumerate(found):
        if isinstance(item, Upload):
            progress(f"Reading {shown_name(item.name)}", number, len(found))
            item = _refusal(item) or item
        yield item


def _refusal(file: Upload) -> Refused | None:
    try:
        read_document(file.path, file.path.name)
    except DocumentError as reason:
        return Refused(file.name, str(reason))
    return None


def _taken(upload: Upload, folder: Path) -> Iterator[Upload | Refused]:
    try:
        if upload.name.lower().endswith(ARCHIVE):
            yield from _unpacked(upload, folder)
        else:
            path = _place(upload.name, folder)
            shutil.copyfile(upload.path, path)
            yield Upload(upload.name, path)
    except DocumentError as reason:
        yield Refused(upload.name, str(reason))


def _unpacked(upload: Upload, folder: Path) -> Iterator[Upload | Refused]:
    """The files of an archive, hidden ones left out without a word, for programs put these in by themselves.

    Raises DocumentError for an archive that must not be unpacked, or that holds no file.
    """
    empty = True
    with open_archive(upload.path.read_bytes()) as archive:
        for name in dict.fromkeys(archive.namelist()):
            info = archive.getinfo(name)
            if name.endswith("/") or _is_hidden(name):
                continue
            empty = False
            shown = f"{upload.name}/{name}"
            try:
                path = _place(_member_name(info), folder)
                path.write_bytes(member(archive, name))
                yield Upload(shown, path)
            except DocumentError as reason:
                yield Refused(shown, str(reason))
    if empty:
        raise DocumentError("there is no file in it")


def _is_hidden(name: str) -> bool:
    """
    >>> _is_hidden("papers/.DS_Store"), _is_hidden("__MACOSX/papers/a.txt"), _is_hidden("papers/a.txt")
    (True, True, False)
    """
    parts = re.split(r"[/\\]", name)
    return parts[0] == "__MACOSX" or any(part.startswith(".") for part in parts)


def _member_name(info: zipfile.ZipInfo) -> str:
    """Raises DocumentError for what is no file of its own."""
    if stat.S_ISLNK(info.external_attr >> 16):
        raise DocumentError("it is a link, and these are not followed")
    if info.filename.lower().endswith(ARCHIVE):
        raise DocumentError("it is an archive inside an archive: unpack it and add what it holds")
    return info.filename


def _place(name: str, folder: Path) -> Path:
    """A path under a safe name in a folder of its own. Raises DocumentError for a kind that is not read."""
    clean = safe_name(name)
    reader_of(clean)
    return Path(tempfile.mkdtemp(dir=folder), clean)
