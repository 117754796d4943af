"""ZIP archives (DOCX, PPTX, ODT, EPUB) and the XML in them, opened as if made by an enemy."""

from __future__ import annotations

import io
import zipfile
from pathlib import PurePosixPath
from typing import Any

from lxml import etree

from qa.errors import DocumentError
from qa.formats.limits import (
    EXPANSION_FREE_BYTES,
    MAX_ARCHIVE_MEMBERS,
    MAX_EXPANDED_BYTES,
    MAX_EXPANSION,
)

_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def open_archive(content: bytes) -> zipfile.ZipFile:
    """An archive that may be unpacked in memory. Raises DocumentError for one that must not.

    What a member says of its unpacked size holds: `zipfile` never gives more than that.
    """
    if content.startswith(_OLD_OFFICE):
        raise DocumentError("it is encrypted, or saved in Office's format of before 2007; save it again without either")
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise DocumentError("it is damaged: the archive that it should be cannot be opened") from error
    members = archive.infolist()
    if len(members) > MAX_ARCHIVE_MEMBERS:
        raise DocumentError(f"it is an archive of {len(members):,} files (at most {MAX_ARCHIVE_MEMBERS:,})")
    if any(_leads_out(member.filename) for member in members):
        raise DocumentError("it is an archive with names that lead out of it; no program for documents makes these")
    if any(member.flag_bits & 0x1 for member in members):
        raise DocumentError("it is encrypted")
    expanded = sum(member.file_size for member in members)
    if expanded > MAX_EXPANDED_BYTES:
        raise DocumentError(f"it unpacks to {expanded:,} bytes (at most {MAX_EXPANDED_BYTES:,}; QA_MAX_EXPANDED_BYTES)")
    if expanded > max(EXPANSION_FREE_BYTES, MAX_EXPANSION * len(content)):
        raise DocumentError(
            f"it unpacks to {expanded // max(1, len(content)):,} times its size (at most {MAX_EXPANSION:,} times; "
            "QA_MAX_EXPANSION): a bomb"
        )
    return archive


def _leads_out(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or name[1:2] == ":"


def member(archive: zipfile.ZipFile, name: str) -> bytes:
    """A file of an archive. Raises DocumentError where it is missing or damaged."""
    try:
        return archive.read(name)
    except KeyError as error:
        raise DocumentError(f"it is damaged: {name} is missing in it") from error
    except Exception as error:  # zlib, lzma and bz2 each raise their own
        raise DocumentError(f"it is damaged: {name} cannot be unpacked") from error


def xml(content: bytes) -> etree._Element:
    """The root of an XML file, read without entities, without a DTD and without the network.

    Raises DocumentError for what is no XML, nests too deep, or declares entities.
    """
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise DocumentError("it is damaged: XML in it cannot be parsed") from error
    declared: Any = root.getroottree().docinfo.internalDTD  # whose stub lacks what it has
    if declared is not None and any(True for _ in declared.iterentities()):
        raise DocumentError("its XML declares entities, which no program for documents does")
    return root


def refuse_entities(archive: zipfile.ZipFile) -> None:
    """Raises DocumentError where the XML of an Office file has a document type: the format forbids it."""
    for name in archive.namelist():
        if name.endswith((".xml", ".rels")) and b"<!DOCTYPE" in member(archive, name):
            raise DocumentError("its XML declares a document type, which no program for documents does")
