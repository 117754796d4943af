"""Office files: DOCX, ODT and RTF. Macros are never run, pictures and links never fetched."""

from __future__ import annotations

import datetime
import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lxml import etree

from qa.datatypes import Label
from qa.errors import DocumentError
from qa.formats.archives import member, open_archive, refuse_entities, xml
from qa.formats.extraction import MAX_ROW_CHARACTERS, Extraction, is_header, sane_date
from qa.formats.plain import decode
from qa.structure import Structure, plain_text_structure, stated_date

if TYPE_CHECKING:
    import zipfile

MAX_TABLE_DEPTH = 20
"""Tables inside tables; real forms reach four."""

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
"""A second copy of a text box, for programs that cannot draw the first."""

_TEMPLATE_DATES = frozenset({datetime.date(2013, 12, 23), datetime.date(2013, 1, 27)})
"""When the empty files were made that python-docx and python-pptx start from."""


def refuse_unknown(error: Exception, kind: str) -> DocumentError:
    """What is said of a file at which the library that reads its kind gave up."""
    return DocumentError(f"it is damaged, or no {kind} file ({type(error).__name__})")


# DOCX


def docx(content: bytes) -> tuple[str, Structure]:
    """A Word file: headings by their styles, lists, tables, notes at the end; headers and footers left out."""
    refuse_entities(open_archive(content))
    import docx as python_docx

    try:
        document = python_docx.Document(io.BytesIO(content))
        properties = document.core_properties
        stated_title, created = properties.title, properties.created
        reader = _Word({style.style_id: style.name or "" for style in document.styles})
        reader.read(document.element.body)
        for relation in document.part.rels.values():
            if relation.reltype.endswith(("/footnotes", "/endnotes")) and not relation.is_external:
                reader.read_notes(xml(relation.target_part.blob))
    except (DocumentError, MemoryError, RecursionError):
        raise
    except Exception as error:  # what python-docx raises for a damaged file is not one kind
        raise refuse_unknown(error, "DOCX") from error
    extraction = reader.extraction
    return extraction.result(reader.title, stated_title, date=stated_or(created, extraction))


def stated_or(made: datetime.datetime | str | None, extraction: Extraction) -> datetime.date | None:
    """The date that the text states near its top, else that of the file's properties."""
    date = sane_date(made.isoformat() if isinstance(made, datetime.datetime) else made)
    return stated_date(extraction.text[:2_000])[0] or (None if date in _TEMPLATE_DATES else date)


class _Word:
    """Walks through WordprocessingML in order."""

    def __init__(self, styles: dict[str, str]) -> None:
        self.extraction = Extraction()
        self.title: str | None = None
        self._styles = styles

    def read(self, parent: etree._Element, depth: int = 0) -> None:
        """The paragraphs and tables in an element, also those in content controls and text boxes."""
        for element in parent:
            if element.tag == f"{_W}p":
                self._paragraph(element)
                for box in element.iter(f"{_W}txbxContent"):
                    if not _inside(box, f"{_W}txbxContent", element) and not _inside(box, _FALLBACK, element):
                        self.read(box, depth + 1)
            elif element.tag == f"{_W}tbl":
                self._table(element, depth)
            elif element.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}customXml", f"{_W}smartTag"):
                self.read(element, depth)

    def read_notes(self, root: etree._Element) -> None:
        """Footnotes or endnotes, without the lines that separate them."""
        for note in root:
            if note.get(f"{_W}type") is None:
                self.extraction.paragraph(" ".join(_word_text(p) for p in note.iter(f"{_W}p")))

    def _paragraph(self, element: etree._Element) -> None:
        text = _word_text(element)
        style = element.find(f"{_W}pPr/{_W}pStyle")
        name = self._styles.get(style.get(f"{_W}val", ""), "").lower() if style is not None else ""
        properties = element.find(f"{_W}pPr/{_W}outlineLvl")
        outline = "" if properties is None else properties.get(f"{_W}val", "")
        heading = re.fullmatch(r"heading (\d)", name)
        if name == "title" and self.title is None:
            self.title = text
            self.extraction.aside(text)
        elif heading:
            self.extraction.heading(text, int(heading[1]))
        elif re.fullmatch("[0-8]", outline):  # 9 is text
            self.extraction.heading(text, int(outline) + 1)
        elif name.startswith("list") or element.find(f"{_W}pPr/{_W}numPr") is not None:
            self.extraction.item(text)
        elif not name.startswith("toc "):
            self.extraction.paragraph(text)
        else:
            self.extraction.aside(text)

    def _table(self, table: etree._Element, depth: int) -> None:
        if depth > MAX_TABLE_DEPTH:
            raise DocumentError(f"its tables nest deeper than {MAX_TABLE_DEPTH}")
        header: Label | None = None
        for i, row in enumerate(table.findall(f"{_W}tr")):
            cells = list(_word_cells(row))
            texts = [" ".join(_word_text(p) for p in cell.iter(f"{_W}p")) for cell in cells]
            is_layout = any(cell.find(f".//{_W}tbl") is not None for cell in cells)
            if is_layout or sum(map(len, texts)) > MAX_ROW_CHARACTERS:
                for cell in cells:
                    self.read(cell, depth + 1)
                continue
            label = self.extraction.row(texts, header)
            if i == 0 and is_header(texts):
                header = label


def _inside(element: etree._Element, tag: str, root: etree._Element) -> bool:
    for above in element.iterancestors():
        if above is root:
            return False
        if above.tag == tag:
            return True
    return False


def _word_cells(row: etree._Element) -> Iterator[etree._Element]:
    for element in row:
        if element.tag == f"{_W}tc":
            yield element
        elif element.tag == f"{_W}sdt":
            yield from element.iter(f"{_W}tc")


def _word_text(paragraph: etree._Element) -> str:
    """The words of a paragraph: links and insertions included, deletions and text boxes not."""
    found: list[str] = []
    left_out = {f"{_W}txbxContent", f"{_W}del", f"{_W}moveFrom", _FALLBACK, f"{_W}pPr", f"{_W}rPr"}
    held = [iter([paragraph])]
    while held:
        element = next(held[-1], None)
        if element is None:
            held.pop()
        elif element.tag == f"{_W}t":
            found.append(element.text or "")
        elif element.tag == f"{_W}tab":
            found.append(" ")
        elif element.tag in (f"{_W}br", f"{_W}cr"):
            found.append("\n")
        elif element.tag == f"{_W}noBreakHyphen":
            found.append("-")
        elif element.tag not in left_out:
            held.append(iter(element))
    return "".join(found)


# ODT


def odt(content: bytes) -> tuple[str, Structure]:
    """An OpenDocument text: headings, lists, tables; title and date from its properties."""
    archive = open_archive(content)
    body = xml(member(archive, "content.xml")).find(".//{*}body/{*}text")
    if body is None:
        raise DocumentError("it is no OpenDocument text, or it is encrypted")
    extraction = Extraction()
    _odt_elements(extraction, body)
    facts = odf_facts(archive)
    date = stated_or(facts.get("creation-date") or facts.get("date"), extraction)
    return extraction.result(facts.get("title"), date=date)


def odf_facts(archive: zipfile.ZipFile) -> dict[str, str]:
    """What an OpenDocument file's properties say, by their names: "title", "date", "creation-date"."""
    meta = member(archive, "meta.xml") if "meta.xml" in archive.namelist() else None
    found = () if meta is None else xml(meta).iterfind(".//{*}meta/*")
    return {etree.QName(element).localname: element.text for element in found if element.text}


def _odt_elements(extraction: Extraction, parent: etree._Element, in_list: bool = False) -> None:
    for element in parent:
        tag = etree.QName(element).localname
        if tag == "h":
            level = element.get("{urn:oasis:names:tc:opendocument:xmlns:text:1.0}outline-level", "1")
            extraction.heading(odf_text(element), int(level) if level.isdecimal() else 1)
        elif tag == "p":
            (extraction.item if in_list else extraction.paragraph)(odf_text(element))
        elif tag == "table":
            header: Label | None = None
            for i, row in enumerate(element.iterfind(".//{*}table-row")):
                cells = [
                    " ".join(odf_text(p) for p in cell.iterfind(".//{*}p")) for cell in row.iterfind("{*}table-cell")
                ]
                label = extraction.row(cells, header)
                header = label if i == 0 and is_header(cells) else header
        elif tag in ("list", "list-item", "list-header"):
            _odt_elements(extraction, element, in_list=True)
        elif tag in ("section", "index-body"):
            _odt_elements(extraction, element, in_list)


def odf_text(element: etree._Element) -> str:
    """The words of a paragraph, without comments; notes are read where they stand."""
    found = [element.text or ""]
    for child in element:
        tag = etree.QName(child).localname
        if tag in ("s", "tab"):
            found.append(" ")
        elif tag == "line-break":
            found.append("\n")
        elif tag not in ("annotation", "tracked-changes"):
            found.append(odf_text(child))
        found.append(child.tail or "")
    return "".join(found)


# RTF


def rtf(content: bytes) -> tuple[str, Structure]:
    """A rich text file: its words, with the structure that their layout shows."""
    from striprtf.striprtf import rtf_to_text

    if not content.lstrip()[:5] == b"{\\rtf":
        raise DocumentError("it is damaged, or no RTF file")
    markup = content.decode("latin-1") if not content.isascii() else content.decode("ascii")
    title = re.search(r"\{\\info.{0,500}?\{\\title ([^{}\\]{1,200})\}", markup, re.DOTALL)
    try:
        text = str(rtf_to_text(markup, errors="replace"))  # type: ignore[no-untyped-call]
    except (MemoryError, RecursionError):
        raise
    except Exception as error:  # it raises whatever its look-ups and decoders do
        raise refuse_unknown(error, "RTF") from error
    text = decode(text.replace("\0", "").encode("utf-8", "replace")).strip("\n")
    structure = plain_text_structure(text)
    extraction = Extraction()
    extraction.insert(text, structure)
    titles = (title[1] if title else None, structure.title)
    return extraction.result(*titles, date=structure.date, source=structure.source)
