"""Tables in text files: the file's own characters, a passage for each row, read under the columns' names."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence

from qa.datatypes import Block, Label
from qa.formats.plain import decode
from qa.structure import Structure, column_label
from qa.text import delimiter_of


def comma_separated(content: bytes) -> tuple[str, Structure]:
    """A CSV file, divided by commas, semicolons, tabs or bars."""
    text = decode(content)
    return text, _table(text, delimiter_of(text))


def tab_separated(content: bytes) -> tuple[str, Structure]:
    """A file of values divided by tabs."""
    text = decode(content)
    return text, _table(text, "\t")


def _table(text: str, delimiter: str) -> Structure:
    header: Label | None = None
    blocks: list[Block] = []
    for i, (start, end, cells) in enumerate(_rows(text, delimiter)):
        if i == 0 and names_columns(cells):
            header = column_label(text[start:end], start, delimiter)
        elif any(character.isalnum() for character in text[start:end]):
            blocks.append(Block("row", start, end, header))
    if not blocks and header is not None:
        blocks = [Block("row", header.start, header.end)]  # a single row is no header
    return Structure(None, None, None, (), tuple(blocks))


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, int, Sequence[str]]]:
    """The place and the cells of each row that is not empty. A quoted cell may go over several lines."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    reader = csv.reader(lines, delimiter=delimiter)
    first = 0
    while first < len(lines):
        try:
            cells = next(reader)
            last = reader.line_num
        except StopIteration:
            return
        except csv.Error:  # a quote that nothing closes: every line from here is a row
            yield from (
                (*_without_space(text, a, b), ()) for a, b in zip(starts[first:], starts[first + 1 :], strict=False)
            )
            return
        start, end = _without_space(text, starts[first], starts[last])
        if start < end:
            yield start, end, cells
        first = last


def _without_space(text: str, start: int, end: int) -> tuple[int, int]:
    row = text[start:end]
    stripped = row.strip()
    begin = start + len(row) - len(row.lstrip()) if stripped else start
    return begin, begin + len(stripped)


def names_columns(cells: Sequence[str], lone_year: bool = False) -> bool:
    """Whether a row names columns: all differ, and each holds a letter or is a year, of which there are several.

    The first may be empty, above the rows' names. With `lone_year`, one is enough: where a table is known to begin.
    """
    cells = cells[1:] if len(cells) > 2 and not cells[0].strip() else cells
    words = sum(bool(re.search(r"[^\W\d_]", cell)) for cell in cells)
    years = sum(bool(re.fullmatch(r"\s*(?:1[89]|20)\d\d\s*", cell)) for cell in cells)
    is_named = bool(cells) and words + years == len(cells) and len(set(cells)) == len(cells)
    return is_named and (lone_year or years != 1)
