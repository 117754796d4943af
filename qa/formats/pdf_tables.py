"""The tables of a PDF's page, which knows no tables: lines below each other with gaps at the same places."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Protocol

from qa.formats.extraction import is_header
from qa.text import BULLET

CELL_GAP = 0.7
"""Between two cells, in heights of a line's letters. Spaces between words have a third, in justified text a half."""

CELL_LETTERS = 1.8
"""The same in letters of that line: in the type of programs, one space is as wide as a letter."""

WIDE_LINE = 0.5
"""A line with gaps takes more room for a character than this, in heights of its letters; prose takes .3 to .45."""

MIN_SPREAD = 4
"""So many gaps of one width are those of a line of words that is spread to the column's width."""

MIN_ROWS = 3
"""Of a table with its header; two lines with gaps at the same places may be a letterhead's."""

MAX_CELL = 40
"""Characters that the cells of a table have at the median: two columns of prose, read as one, have more."""

MAX_BETWEEN = 2
"""Lines of one cell between two rows: titles of a part of the table. What follows a table is a paragraph again."""

MAX_PAGE = 1_000
"""What counts up to less in a last column without a name is the pages of a table of contents."""

COUNTS_UP = 0.8
"""A heading that ends in a number, or a list of figures behind that of chapters, begins anew."""

ROW_GAP = 2.5
"""The space between two rows, in heights of their letters, is at most this."""

LINE_GAP = 1.0
"""The same between two lines of one cell."""

ALIGNED = 0.6
"""Cells below each other begin, end or have their middle at places so near, in heights of their letters."""


@dataclass(frozen=True)
class Cell:
    """A part of a line between gaps: its characters in the line's text, and its place in points."""

    start: int
    end: int
    left: float
    right: float


class Line(Protocol):
    """What is looked at of a page's line; one cell is a line without gaps."""

    @property
    def text(self) -> str: ...
    @property
    def cells(self) -> tuple[Cell, ...]: ...
    @property
    def bottom(self) -> float: ...
    @property
    def top(self) -> float: ...
    @property
    def size(self) -> float: ...


Row = tuple[tuple[tuple[int, Cell], ...], ...]
"""For each column the parts of lines that are its cell, with the places of the lines; none where it is empty."""


@dataclass(frozen=True)
class Table:
    """A table of a page, whose first row names the columns or not.

    `lines` are the places of its lines, `columns` the left and the right edge of each column, `size` the height of its
    letters, all in points.
    """

    rows: tuple[Row, ...]
    has_header: bool
    lines: tuple[int, ...]
    columns: tuple[tuple[float, float], ...]
    size: float

    def goes_on(self, above: Table) -> bool:
        """Whether its columns stand below those of a table above it, or on the page before, and have no names here."""
        if self.has_header or len(self.columns) != len(above.columns):
            return False
        near = ALIGNED * self.size
        pairs = zip(self.columns, above.columns, strict=True)
        return all(abs(a[0] - b[0]) <= near or abs(a[1] - b[1]) <= near for a, b in pairs)


def cells_of(words: Sequence[Cell], text: str, size: float) -> tuple[Cell, ...]:
    """A line's words put together where no gap is between them. A bullet or a number belongs to what it stands before.

    `size` is the height of the line's letters.
    """
    room = sum(word.right - word.left for word in words) / max(1, sum(word.end - word.start for word in words))
    gap = max(CELL_GAP * size, CELL_LETTERS * room)
    bullet = BULLET.match(text)
    cells: list[Cell] = []
    for word in words:
        is_bullet = bullet is not None and len(cells) == 1 and cells[0].end <= bullet.end()
        if cells and (is_bullet or word.left - cells[-1].right < gap):
            cells[-1] = Cell(cells[-1].start, word.end, cells[-1].left, word.right)
        else:
            cells.append(word)
    gaps = [other.left - one.right for one, other in itertools.pairwise(cells)]
    if len(gaps) >= MIN_SPREAD and max(gaps) - min(gaps) < 0.1 * size and not re.search(r"\d", text):
        return (Cell(0, len(text), cells[0].left, cells[-1].right),)
    return tuple(cells)


def tables(lines: Sequence[Line], is_running: Sequence[bool]) -> list[Table]:
    """The tables of a page, in its order. The line that names the columns may be drawn elsewhere on it."""
    found: list[Table] = []
    taken: set[int] = set()
    for rows in _runs(lines, is_running):
        has_header = _is_header(lines[rows[0][0]], lines[rows[:2][-1][0]])
        above = None if has_header else _header_above(lines, rows[0][0])
        if above is not None and above not in taken:
            rows, has_header = [[above], *rows], True
        if len(rows) >= MIN_ROWS and _is_table([lines[row[0]] for row in rows], has_header):
            columns = _columns([lines[row[0]].cells for row in rows], has_header)
            read = tuple(_in_columns([(place, lines[place].cells) for place in row], columns) for row in rows)
            places = tuple(place for row in rows for place in row)
            found.append(Table(read, has_header, places, tuple(columns), lines[rows[-1][0]].size))
            taken.update(found[-1].lines)
    return found


def _runs(lines: Sequence[Line], is_running: Sequence[bool]) -> Iterator[list[list[int]]]:
    """Rows below each other whose cells stand below each other, each as the places of its lines."""
    place = 0
    while place < len(lines):
        if is_running[place] or len(lines[place].cells) < 2:
            place += 1
            continue
        rows, between = [[place]], list[int]()
        named = lines[place].cells[1:]
        for following in range(place + 1, len(lines)):
            row, line = [lines[one] for one in rows[-1]], lines[following]
            if is_running[following] or abs(row[0].size - line.size) > 0.2 * line.size:
                break
            if not between and _goes_on(row, (*named, *row[0].cells[1:]), line):
                rows[-1].append(following)
            elif not _is_next([*row, *(lines[one] for one in between)], line):
                break
            elif len(line.cells) > 1 and _aligned(row[0], line) > 1:
                rows += [*([one] for one in between), [following]]
                between = []
            elif len(line.cells) == 1 and len(between) < MAX_BETWEEN:
                between.append(following)
            else:
                break
        yield rows
        place = max(rows[-1]) + 1


def _is_next(above: Sequence[Line], line: Line) -> bool:
    """Whether a line stands below all of others, and near."""
    return -0.6 * line.size < min(one.bottom for one in above) - line.top < ROW_GAP * line.size


def _goes_on(row: Sequence[Line], cells: Sequence[Cell], line: Line) -> bool:
    """Whether a line has more of some cells of a row, standing below these: its own and the first row's, but no first.

    Where a row's other cells stand in the middle of one with several lines, these are drawn above them, too.
    """
    near, most = ALIGNED * line.size, max(len(one.cells) for one in row)
    is_near = any(max(line.bottom - one.top, one.bottom - line.top) < LINE_GAP * line.size for one in row)
    is_part = 2 * len(line.cells) <= max(2, most)
    return is_near and is_part and all(any(abs(c.left - other.left) <= near for other in cells) for c in line.cells)


def _aligned(above: Line, line: Line) -> int:
    """How many cells of a line stand below one of another."""
    near = ALIGNED * line.size

    def is_below(cell: Cell, other: Cell) -> bool:
        edges = cell.left - other.left, cell.right - other.right
        return any(abs(distance) <= near for distance in (*edges, sum(edges) / 2))

    return sum(any(is_below(cell, other) for other in above.cells) for cell in line.cells)


def _is_header(line: Line, below: Line) -> bool:
    """Whether a line names the columns of the row below it."""
    corner = [""] if _has_corner(line.cells, below.cells) else []
    return is_header([*corner, *(line.text[cell.start : cell.end] for cell in line.cells)])


def _has_corner(header: Sequence[Cell], row: Sequence[Cell]) -> bool:
    """Whether the names of columns begin only over a row's second cell."""
    return len(header) + 1 == len(row) and row[0].right <= header[0].left


def _header_above(lines: Sequence[Line], first: int) -> int | None:
    """The line that names the columns, drawn before or after others, next above a table's first row on the page."""
    row = lines[first]
    above = [i for i, line in enumerate(lines) if 0 < line.bottom - row.top + 0.6 * row.size < ROW_GAP * row.size]
    named = [
        i
        for i in above
        if len(lines[i].cells) + _has_corner(lines[i].cells, row.cells) == len(row.cells) and _is_header(lines[i], row)
    ]
    return min(named, key=lambda i: lines[i].bottom, default=None)


def _is_table(lines: Sequence[Line], has_header: bool) -> bool:
    """Whether cells are short and the last ones no pages; of two columns, also whether the second holds figures: else
    it is a table of contents, a list, or two columns of prose."""
    rows = [[line.text[cell.start : cell.end] for cell in line.cells] for line in lines]
    rows = [row for row in rows if len(row) > 1]
    if median(len(cell) for row in rows for cell in row) > MAX_CELL:
        return False
    numbers = [int(row[-1]) for row in rows if row[-1].isdecimal() and int(row[-1]) < MAX_PAGE]
    steps_up = sum(a <= b for a, b in itertools.pairwise(numbers))
    if not has_header and len(numbers) > len(rows) / 2 and steps_up >= COUNTS_UP * (len(numbers) - 1):
        return False
    return max(map(len, rows)) > 2 or sum(bool(re.search(r"\d", row[-1])) for row in rows) > len(rows) / 2


def _columns(rows: Sequence[Sequence[Cell]], has_header: bool) -> list[tuple[float, float]]:
    """The columns' places: those of the cells of all rows that have as many as the header, else the usual number.

    Of a header that has no name for the first column, the others' cells belong to its names.
    """
    header = rows[0]
    cornered = [row for row in rows[1:] if has_header and _has_corner(header, row)]
    if len(cornered) > sum(len(row) == len(header) for row in rows[1:]):
        below = list(zip(*cornered, strict=True))
        return [_place(below[0]), *(_place([name, *cells]) for name, cells in zip(header, below[1:], strict=True))]
    usual = len(header) if has_header else Counter(len(row) for row in rows if len(row) > 1).most_common(1)[0][0]
    return [_place(column) for column in zip(*(row for row in rows if len(row) == usual), strict=True)]


def _place(column: Sequence[Cell]) -> tuple[float, float]:
    return min(cell.left for cell in column), max(cell.right for cell in column)


def _in_columns(lines: Sequence[tuple[int, Sequence[Cell]]], columns: Sequence[tuple[float, float]]) -> Row:
    """A row's cells, each in the column that it shares most room with; those of a row with more cells as they are.

    Columns that are empty at the row's end are left out.
    """
    count = max(len(columns), *(len(cells) for _, cells in lines))
    placed: list[list[tuple[int, Cell]]] = [[] for _ in range(count)]
    for number, (place, cells) in enumerate(lines):
        shared = [[min(c.right, right) - max(c.left, left) for left, right in columns] for c in cells]
        chosen = [max(range(len(columns)), key=row.__getitem__) for row in shared]
        is_title = number == 0 and len(cells) == 1
        if is_title or len(cells) >= count or len(set(chosen)) < len(chosen):
            chosen = list(range(len(cells)))
        for column, cell in zip(chosen, cells, strict=True):
            placed[column].append((place, cell))
    while not placed[-1]:
        del placed[-1]
    return tuple(map(tuple, placed))
