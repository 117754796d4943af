"""The cell of a table's row that a question asks for: in the column that it names, of the row whose cells it tells.

A reader taught on prose finds the right row, but often marks the cell beside, several, or the same cell of another row.
"""

from __future__ import annotations

import bisect
import dataclasses
import functools
import re
from collections import defaultdict
from collections.abc import Callable, Sequence, Set
from pathlib import PurePath
from typing import NamedTuple

from qa.datatypes import Candidate, Document, Passage, Reading, Span
from qa.question import AnswerType, asked_type, asks_for_sentence
from qa.text import YEAR, content_stems, delimiter_of, names_and_numbers

PROVED = 10.0
"""The score, above that of "not in this passage", of a cell where row and column leave no word of the question over:
that of what an abbreviation's letters prove."""

MIN_TOLD = 0.5
"""The share of a cell's words that a question has when it tells that cell and does not ask for it: "Sanna Marin" of
"Prime Minister Sanna Marin"."""

MIN_STEM = 5
MAX_ENDING = 2
"""A word of the question is one of a column's name, too, where one's stem goes on for so much: "weigh", "weight"."""

NEAR_COSINE = 0.35
NEAR_GAP = 0.1
"""Of several cells marked together, that is asked for whose column's name is so near the question in meaning, and so
much nearer than the others: "Population" to "How many people live in Mali?" (.53, and "Life expectancy" .24)."""

_BAR = "|"
_MARKDOWN = (".md", ".markdown")
_HEAD = re.compile(
    r"\b(?:which|what)\s+(?:(?:is|are|was|were)\s+)?(?:(?:the|an?)\s+)?(?P<head>.+?)"
    r"(?:\s+(?:of|for|in|on|at|to|by|with|from|does|do|did|is|are|was|were|has|have|had|will|can|could|should|would)\b"
    r"|\W*$)",
    re.IGNORECASE,
)
"""What "which" and "what" ask for: "status" in "What is the status of the flight?"."""

_COMPARES = re.compile(
    r"\b(?:before|after|since|until|till|between|more|less|fewer|over|under|above|below|most|least|than|not|never|no|nor"
    r"|except|without|other|else|first|last|all|every|total|average)\b|n[’']t\b",
    re.IGNORECASE,
)
"""Who asks so asks for several rows, for others than those told, or for what is reckoned from them."""

_TITLES = frozenset({"mr", "mrs", "ms", "miss", "dr", "prof", "sir", "madam"})


class Cell(NamedTuple):
    """A cell's words, without quotes, and where they stand in the document."""

    text: str
    start: int
    end: int


class Row(NamedTuple):
    """A table's row and the names of its columns. The last cells may be wanting: they are empty."""

    columns: tuple[str, ...]
    cells: tuple[Cell, ...]

    def words(self, column: int) -> str:
        return self.cells[column].text if column < len(self.cells) else ""


def with_cells(
    reading: Reading,
    question: str,
    candidates: Sequence[Candidate],
    documents: Callable[[str], Document],
    alike: Callable[[str, Sequence[str]], Sequence[float]],
) -> Reading:
    """The reading with the cells asked for, in place of what was marked in the rows of their tables.

    A row that says nothing in the column asked for gives no answer, and neither does a table of which no row tells a
    name or a number of the question. Rows whose column the question does not name are left as they were read, but that
    of several cells marked together one may mean what is asked for. `alike` gives the cosines of a text with others.
    """
    if asks_for_sentence(question):
        return reading
    tables: defaultdict[tuple[str, tuple[str, ...]], list[tuple[Candidate, Row, int]]] = defaultdict(list)
    left: dict[Candidate, Row] = {}  # rows whose column is not told
    cosines = functools.cache(lambda columns: alike(question, columns))
    for candidate in candidates:
        passage = candidate.passage
        row = row_of(passage, documents(passage.document))
        if row is None:
            continue
        column = asked_column(question, row)
        if column is None:
            left[candidate] = row
        else:
            tables[passage.document, passage.headings].append((candidate, row, column))
    asked = {candidate for rows in tables.values() for candidate, _, _ in rows}
    others = [
        _cut(span, left[span.candidate], cosines) if span.candidate in left else span
        for span in reading.spans
        if span.candidate not in asked
    ]
    found = [span for rows in tables.values() for span in _cells_asked_for(reading, question, rows)]
    return Reading(tuple(sorted([*found, *others], key=lambda span: -span.score)), reading.null)


def _cells_asked_for(reading: Reading, question: str, rows: Sequence[tuple[Candidate, Row, int]]) -> list[Span]:
    """The answers of the rows of one table, all with a column that is asked for."""
    marked: dict[Candidate, Span] = {}
    for span in reading.spans:
        marked.setdefault(span.candidate, span)
    told = {candidate: _told(question, row, column) for candidate, row, column in rows}
    most = max(told.values())
    compares = _COMPARES.search(question) is not None
    best = max((marked[candidate].score for candidate, _, _ in rows if candidate in marked), default=None)
    if any(candidate in marked and told[candidate] == most for candidate, _, _ in rows):
        best = None  # the row that is told is among those marked
    found = []
    for candidate, row, column in rows:
        passage, own = candidate.passage, marked.get(candidate)
        context = content_stems(" ".join((passage.title, passage.document, *passage.headings)))
        here = content_stems(passage.text) | context
        # Which row is meant where rows are compared, or none is told, only the reader can say.
        is_meant = own is not None if compares or most == (0, 0) else told[candidate] == most
        is_meant &= compares or not _is_of_another(question, here, is_told=most[0] > 0)
        is_proved = most[0] > 0 and not compares and content_stems(question) <= here
        score = reading.null + PROVED if is_proved else own.score if own else best
        if not is_meant or score is None or not row.words(column):
            continue
        cell = row.cells[column]
        if own is not None and cell.start <= own.start < own.end <= cell.end:
            found.append(dataclasses.replace(own, score=score))
        else:
            found.append(Span(candidate, cell.start, cell.end, cell.text, score))
    return found


def _is_of_another(question: str, here: Set[str], is_told: bool) -> bool:
    """Whether a question names what is not in a row of these stems, or in what stands above it: a year, or where no
    cell is told whole, any name or number."""
    missing = names_and_numbers(question) - here - _TITLES
    return any(YEAR.fullmatch(stem) for stem in missing) if is_told else bool(missing)


def _cut(span: Span, row: Row, cosines: Callable[[tuple[str, ...]], Sequence[float]]) -> Span:
    """A span of several cells cut to the one whose column's name is near the question; as it is where none is."""
    cells = [i for i, cell in enumerate(row.cells) if cell.text and cell.start < span.end and span.start < cell.end]
    if len(cells) < 2:
        return span
    near = cosines(row.columns)
    best, other, *_ = sorted(cells, key=lambda i: -near[i])
    if near[best] < NEAR_COSINE or near[best] - near[other] < NEAR_GAP:
        return span
    return _moved(span, row.cells[best])


def _moved(span: Span, cell: Cell) -> Span:
    return dataclasses.replace(span, start=cell.start, end=cell.end, text=cell.text)


def _told(question: str, row: Row, column: int) -> tuple[int, int]:
    """How many words of cells that are told whole, and how many of all, a question has beside those of the column."""
    asked, whole, some = content_stems(question), set[str](), set[str]()
    for place, cell in enumerate(row.cells):
        words = content_stems(cell.text)
        if place != column:
            whole |= words if words <= asked else set()
            some |= words & asked
    return len(whole), len(some)


def row_of(passage: Passage, document: Document) -> Row | None:
    """The cells of a passage that is a whole row of a table with a header; None for every other passage."""
    place = bisect.bisect_left(document.blocks, passage.start, key=lambda block: block.start)
    block = document.blocks[place] if place < len(document.blocks) else None
    if block is None or block.kind != "row" or block.label is None:
        return None
    if (block.start, block.end) != (passage.start, passage.end):  # a part of a long row
        return None
    kind = PurePath(document.id).suffix.lower()
    separator = delimiter_of(document.text) if kind == ".csv" else "\t" if kind == ".tsv" else _BAR
    is_framed = kind in _MARKDOWN and block.label.text.startswith(_BAR) and passage.text.startswith(_BAR)
    columns = tuple(cell.text for cell in _cells(block.label.text, 0, separator, is_framed))
    cells = tuple(_cells(passage.text, passage.start, separator, is_framed))
    return Row(columns, cells) if 1 < len(cells) <= len(columns) else None


def _cells(text: str, start: int, separator: str, is_framed: bool) -> list[Cell]:
    """A row's cells, also in quotes. `is_framed` is whether bars stand around it, as in Markdown."""
    if is_framed and text.startswith(_BAR):
        text, start = text.removeprefix(_BAR).removesuffix(_BAR), start + len(_BAR)
    quoted, plain = r'"(?P<quoted>(?:[^"]|"")*)"', rf"[^{re.escape(separator)}]*"
    cells: list[Cell] = []
    for found in re.finditer(rf" *(?:{quoted}|(?P<plain>{plain})) *(?:{re.escape(separator)}|$)", text):
        if cells and found.start() == len(text) and text[-1:] != separator:
            break  # the empty match behind the last cell
        name = "plain" if found["quoted"] is None else "quoted"
        words = found[name].strip()
        place = start + found.start(name) + (found[name].index(words) if words else 0)
        cells.append(Cell(words, place, place + len(words)))
    return cells


def column_at(passage: Passage, document: Document, start: int, end: int) -> str | None:
    """The name of the column in which all of a slice of the document stands; None where that is no row's cell."""
    row = row_of(passage, document)
    if row is None:
        return None
    names = (n for n, c in zip(row.columns, row.cells, strict=False) if c.start <= start and end <= c.end)
    return next(names, None) or None


def asked_column(question: str, row: Row) -> int | None:
    """The place of the column that a question asks for in a row; None where it does not tell, or tells several.

    That is a column whose name it has, and not the row's cell there: "Which country joined in 2004?" has the cell of
    the column "Joined", and asks for that of "Country". What "which" or "what" belongs to comes before other columns,
    and only they ask for the first one, right before its name: "the Exe bridge" only says what the Exe is.
    """
    asked, kind = content_stems(question), asked_type(question)
    head = _HEAD.search(question)
    head_stems = content_stems(head["head"]) if head else set()
    named: list[tuple[tuple[bool, int, float], int]] = []
    for place, name in enumerate(row.columns):
        words, stems = row.words(place), content_stems(name)
        told = content_stems(words)
        is_whole_head = bool(head_stems) and _shared(head_stems, stems) == head_stems
        is_told = bool(told) and not is_whole_head and len(told & asked) >= MIN_TOLD * len(told)
        if is_told or (words and not _may_be(words, kind)):
            continue
        matched, is_head = _shared(stems, asked), bool(_shared(stems, head_stems))
        if matched and (place > 0 or (head and _begins(head["head"], name))):
            named.append(((is_head, len(matched), len(matched) / len(stems)), place))
    if len(named) < 2:
        return named[0][1] if named else None
    (best, first), (other, _), *_ = sorted(named, reverse=True)
    # Without "which" and "what", a name that the question has whole comes before one that it has in part.
    is_told = best > other if best[0] else best[-1] == 1 > other[-1]
    return first if is_told else None


def _begins(head: str, name: str) -> bool:
    """Whether what is asked for begins with a column's name: "country joined" with "Country", "country's aim" not."""
    words = head.split()[: len(name.split())]
    return not words[-1].endswith(("'s", "’s", "s'", "s’")) and content_stems(" ".join(words)) == content_stems(name)


def _shared(some: set[str], others: set[str]) -> set[str]:
    """Those of some stems that are among others, or nearly."""
    return {one for one in some if one in others or any(_is_nearly(one, other) for other in others)}


def _is_nearly(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return len(short) >= MIN_STEM and long.startswith(short) and len(long) - len(short) <= MAX_ENDING


def _may_be(words: str, kind: AnswerType) -> bool:
    """Whether a cell may answer "when", "how many" or "who"; any cell may answer what asks for no such kind."""
    if kind == "date":
        return bool(re.match(r"\W*(?:\d|\w+\.?\s+\d)", words))
    has_digits = any(map(str.isdigit, words))
    return has_digits if kind == "number" else not has_digits if kind == "person" else True
