"""Workbooks: XLSX and ODS. A sheet is a section, a row a passage under its table's header; formulas are never computed,
only the values that were stored with them are read."""

from __future__ import annotations

import datetime
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from qa.datatypes import Label
from qa.errors import DocumentError
from qa.formats.archives import member, open_archive, refuse_entities, xml
from qa.formats.extraction import Extraction
from qa.formats.office import odf_facts, odf_text, refuse_unknown, stated_or
from qa.formats.tables import names_columns
from qa.structure import Structure

if TYPE_CHECKING:
    from lxml import etree

MAX_REPEATED = 100
"""Cells that an OpenDocument sheet says once for many columns. Wider ones fill a sheet with a colour, or with zeros."""

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"


def xlsx(content: bytes) -> tuple[str, Structure]:
    """An Excel workbook: the sheets that can be seen, with numbers and dates about as they are shown."""
    refuse_entities(open_archive(content))
    import openpyxl

    extraction = Extraction()
    try:
        workbook = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        for sheet in workbook.worksheets:
            if sheet.sheet_state == "visible":
                sheet.reset_dimensions()  # what the file states of its size may be a million empty rows
                rows = ([_shown(cell.value, cell.number_format) for cell in row] for row in sheet.iter_rows())
                _sheet(extraction, sheet.title, rows)
        properties = workbook.properties
    except (DocumentError, MemoryError, RecursionError):
        raise
    except Exception as error:  # what openpyxl raises for a damaged file is not one kind
        raise refuse_unknown(error, "XLSX") from error
    return extraction.result(properties.title, date=stated_or(properties.created, extraction))


def ods(content: bytes) -> tuple[str, Structure]:
    """An OpenDocument workbook: the sheets that can be seen, their cells as they are shown."""
    archive = open_archive(content)
    document = xml(member(archive, "content.xml"))
    body = document.find(".//{*}body/{*}spreadsheet")
    if body is None:
        raise DocumentError("it is no OpenDocument workbook, or it is encrypted")
    hidden = {
        style.get(f"{_STYLE}name")
        for style in document.iterfind(".//{*}style")
        if any(properties.get(f"{_TABLE}display") == "false" for properties in style.iterfind("{*}table-properties"))
    }
    extraction = Extraction()
    for sheet in body.iterfind("{*}table"):
        if sheet.get(f"{_TABLE}style-name") not in hidden:
            _sheet(extraction, sheet.get(f"{_TABLE}name", ""), map(_ods_cells, sheet.iterfind(".//{*}table-row")))
    facts = odf_facts(archive)
    date = stated_or(facts.get("creation-date") or facts.get("date"), extraction)
    return extraction.result(facts.get("title"), date=date)


def _ods_cells(row: etree._Element) -> list[str]:
    cells: Iterable[str] = ()
    for cell in row.iterfind("{*}table-cell"):
        text = " ".join(odf_text(paragraph) for paragraph in cell.iterfind("{*}p"))
        stated = cell.get(f"{_TABLE}number-columns-repeated", "1")
        cells = chain(cells, repeat(text, min(int(stated), MAX_REPEATED) if stated.isdecimal() else 1))
    return list(cells)


def _sheet(extraction: Extraction, name: str, rows: Iterable[Sequence[str]]) -> None:
    """A sheet's rows. Each table in it begins with its header, and a line of one cell is a title or a note."""
    is_named = False
    header: Label | None = None
    is_begin = True  # of a table
    for cells in _without_empty_columns(rows):
        filled = [cell for cell in cells if cell]
        if not filled:
            is_begin = True
            continue
        if not is_named:
            extraction.heading(name, 1)
            is_named = True
        if len(filled) == 1 and is_begin:
            extraction.paragraph(filled[0])
            continue
        label = extraction.row(cells, header)
        if is_begin and names_columns(filled, lone_year=True):
            header = label
        is_begin = False


def _without_empty_columns(rows: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    """The rows without columns that are empty before the first that is not, and without empty cells at their end."""
    kept = [[cell.strip() for cell in row] for row in rows]
    for row in kept:
        while row and not row[-1]:
            del row[-1]
    first = min((next(i for i, cell in enumerate(row) if cell) for row in kept if row), default=0)
    return (row[first:] for row in kept)


def _shown(value: Any, pattern: str) -> str:
    """A cell's value as its number format shows it: per cent, decimals and thousands; dates in the order of ISO 8601.

    >>> _shown(0.125, "0.0%"), _shown(1234567.891, "#,##0.00"), _shown(1234567.891, "General"), _shown(3.0, "General")
    ('12.5%', '1,234,567.89', '1234567.891', '3')
    >>> _shown(2.5, "0.##"), _shown(1234567, '#,##0.0,,"m"'), _shown(0.5, "0.00E+00")
    ('2.5', '1.2m', '0.5')
    >>> _shown(-1200, '#,##0 "t"'), _shown(1200, "[$€-407] #,##0"), _shown(datetime.datetime(2019, 5, 4), "d/m/yy")
    ('-1,200 t', '€ 1,200', '2019-05-04')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime.datetime):
        return _date_shown(value, pattern)
    if isinstance(value, (int, float)):
        return _number_shown(value, pattern)
    return str(value)


def _date_shown(moment: datetime.datetime, pattern: str) -> str:
    letters = re.sub(r"\"[^\"]*\"|\\.|\[[^\]]*\]", "", pattern).lower()
    if "d" not in letters and "h" not in letters and "y" in letters:
        return f"{moment:%B %Y}" if "m" in letters else f"{moment:%Y}"
    return f"{moment:%Y-%m-%d}" if moment.time() == datetime.time() else f"{moment:%Y-%m-%d %H:%M}"


def _number_shown(number: int | float, pattern: str) -> str:
    pattern = re.sub(r"\[\$([^\]-]*)[^\]]*\]", r'"\1"', pattern.split(";")[0])  # [$€-407] is € in German
    pattern = re.sub(r"\[[^\]]*\]|[_*].", "", pattern)  # colours, spaces as wide as a character, fillings
    unquoted = re.sub(r"\"[^\"]*\"", lambda quoted: " " * len(quoted[0]), pattern)
    digits = re.search(r"(?P<whole>[#0?][#0?,]*)(?:\.(?P<decimals>[#0?]+))?(?P<scale>,*)", unquoted)
    if digits is None or re.search(r"[Ee][+-]|/", unquoted):
        return f"{number:.15g}"
    before, after = (re.sub(r"[\"\\]", "", part) for part in (pattern[: digits.start()], pattern[digits.end() :]))
    whole, decimals = digits["whole"].rstrip(","), digits["decimals"] or ""
    shown = abs(number) * (100 if "%" in unquoted else 1)
    shown /= 1000 ** (len(digits["whole"]) - len(whole) + len(digits["scale"]))  # a comma behind it divides by 1,000
    text = f"{shown:{',' if ',' in whole else ''}.{len(decimals)}f}"
    for place in reversed(decimals):
        text = text.removesuffix("0") if place == "#" else text
    return f"{'-' if number < 0 else ''}{before}{text.removesuffix('.')}{after}".strip()
