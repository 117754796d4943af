"""PDF: the text of each page, put back into paragraphs."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from qa.datatypes import Label
from qa.errors import DocumentError
from qa.formats.extraction import CELL_SEPARATOR, Extraction, sane_date
from qa.formats.limits import MAX_CHARACTERS, MAX_PAGES
from qa.formats.pdf_tables import WIDE_LINE, Cell, Table, cells_of, tables
from qa.formats.traced import Traced
from qa.structure import Structure, stated_date
from qa.text import BULLET

if TYPE_CHECKING:
    import pypdfium2

HEADING_SIZE = 1.15
"""Letters larger than the text's by this factor are a heading's."""

MAX_HEADING_CHARACTERS = 200
MAX_BOLD_HEADING_CHARACTERS = 90
"""A longer line in bold is emphasis."""

EDGE_LINES = 3
"""Running headers and footers are among this many lines at a page's top and bottom."""

SAME_HEIGHT = 4.0
"""In points: a running header stands at one height on every page."""

MIN_RUNNING_PAGES = 3
RUNNING_SHARE = 0.4
"""A line is a running header where it stands, but for its numbers, at the edge of this many pages and of this share of
the pages from its first to its last: a chapter's, or every second page's, too."""

HEADING_WORDS = 3
"""So many words of a heading are told again by a running header that names the section."""

_A_HEADING = "\n"
"""Stands for all lines that name a heading, where running headers are told by what they say: no line has it."""

MAX_UNREADABLE = 0.3
"""Beyond this share of characters without meaning, a file's fonts do not say which letters they show."""

_HYPHEN = "[\ufffe\x02]"
"""What PDFium puts for a hyphen at the end of a line; it joins the two lines."""

_PAGE_NUMBER = re.compile(
    r"[-–—\s|]*(?:page\s+)?(?:\d{1,5}|[ivxlc]{1,7})(?:\s*(?:/|of)\s*\d{1,5})?[-–—\s|]*", re.IGNORECASE
)

_DOT_LEADERS = re.compile(r"(?:\. ?){5,}")
"""A line of a table of contents, or of a price list."""

_FIRST = re.compile(r"(?:1|I|A)[.)]?\s+[^\W\d_]")
"""The beginning of the first of numbered sections."""

_WORD = re.compile(r"[^\W\d_]{2}")
"""What every heading has: a letter alone in large type belongs to a formula."""

Kind = Literal["paragraph", "item", "row", "heading", "running"]


@dataclass(frozen=True)
class _Line:
    """A line of a page with its box in points, from the page's lower left; `size` is the height of its letters.

    `first` is the number that PDFium gives to its first character on the page.
    """

    text: str
    first: int
    left: float
    right: float
    bottom: float
    top: float
    size: float
    bold: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class _Piece:
    """What becomes a block. A row of a table has its cells, and the first of them the table that it begins."""

    kind: Kind
    words: Traced
    size: float
    bold: bool
    cells: tuple[str, ...] = ()
    begins: Table | None = None

    @property
    def text(self) -> str:
        return self.words.text


@dataclass(frozen=True)
class Placed:
    """Words of a page (`page` counts from 1) as they were put into the text, white space tidied, up to `end`."""

    page: int
    words: Traced
    end: int


@dataclass(frozen=True)
class Reading:
    """What was read of a PDF, and from which characters of its pages."""

    text: str
    structure: Structure
    placed: tuple[Placed, ...]


def pdf(content: bytes) -> tuple[str, Structure]:
    """A PDF with its pages: paragraphs, headings by the size of their letters, tables, words at line ends put together.

    What stands at the edge of most pages is in the text but in no block.
    """
    reading = read_pdf(content)
    return reading.text, reading.structure


def read_pdf(content: bytes) -> Reading:
    """The same, with the way back to the pages."""
    with opened(content) as document:
        pages = _read_pages(document)
        facts = document.get_metadata_dict()
    _refuse_without_text(pages)
    return _put_together(pages, facts)


@contextlib.contextmanager
def opened(content: bytes) -> Iterator[pypdfium2.PdfDocument]:
    """A PDF opened by PDFium. Raises DocumentError for one that cannot be opened or has too many pages."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise DocumentError("it is encrypted; save it again without a password") from error
        raise DocumentError("it is damaged, or no PDF file") from error
    try:
        if len(document) > MAX_PAGES:
            raise DocumentError(f"it has {len(document):,} pages (at most {MAX_PAGES:,} are read; QA_MAX_PAGES)")
        yield document
    finally:
        document.close()


def _read_pages(document: pypdfium2.PdfDocument) -> list[list[_Line]]:
    pages, characters = [], 0
    for number in range(len(document)):
        lines = _page_lines(document, number)
        characters += sum(len(line.text) for line in lines)
        if characters > MAX_CHARACTERS:
            raise DocumentError(f"it has more than {MAX_CHARACTERS:,} characters (QA_MAX_CHARACTERS)")
        pages.append(lines)
    return pages


def _page_lines(document: pypdfium2.PdfDocument, number: int) -> list[_Line]:
    """The lines of a page in the order in which they are read; none for a page that is damaged."""
    import pypdfium2

    try:
        page = document[number]
        text_page = page.get_textpage()
    except pypdfium2.PdfiumError:
        return []
    count = text_page.count_chars()
    text = text_page.get_text_range() if count > 0 else ""
    if len(text) != count:  # characters beyond U+FFFF, or some that were left out
        text = "".join(chr(pypdfium2.raw.FPDFText_GetUnicode(text_page.raw, i)) for i in range(count))
    lines = [
        line
        for match in re.finditer(r"[^\r\n]+", text)
        if (line := _line(text_page.raw, match[0], match.start())) is not None
    ]
    text_page.close()
    page.close()
    return lines


def _line(page: Any, text: str, start: int) -> _Line | None:
    stripped = text.strip()
    if not stripped:
        return None
    first = start + text.index(stripped[0])
    last = first + len(stripped) - 1
    middle = next((i for i in range((first + last) // 2, last) if not text[i - start].isspace()), last)
    boxes = [_box(page, i) for i in (first, middle, last)]
    size = round(2 * median(top - bottom for _, _, bottom, top in boxes)) / 2
    left, right = boxes[0][0], boxes[2][1]
    whole = Cell(0, len(stripped), left, right)
    has_gaps = right - left > WIDE_LINE * size * len(stripped) or _DOT_LEADERS.search(stripped) is not None
    return _Line(
        text=stripped,
        first=first,
        left=left,
        right=right,
        bottom=boxes[2][2],
        top=boxes[0][3],
        size=size,
        bold=_is_bold(page, first) and _is_bold(page, last),
        cells=cells_of(_words_of(page, stripped, first), stripped, size) if has_gaps else (whole,),
    )


def _words_of(page: Any, text: str, first: int) -> list[Cell]:
    """The words of a line, without the dots that lead to a figure."""
    return [
        Cell(word.start(), word.end(), _box(page, first + word.start())[0], _box(page, first + word.end() - 1)[1])
        for word in re.finditer(r"\S+", _DOT_LEADERS.sub(lambda dots: " " * len(dots[0]), text))
    ]


def _box(page: Any, character: int) -> tuple[float, float, float, float]:
    """Left, right, bottom, top of the space that a character's font gives it."""
    import pypdfium2.raw as pdfium

    box = pdfium.FS_RECTF()
    pdfium.FPDFText_GetLooseCharBox(page, character, box)
    return box.left, box.right, min(box.bottom, box.top), max(box.bottom, box.top)


def _is_bold(page: Any, character: int) -> bool:
    import pypdfium2.raw as pdfium

    if pdfium.FPDFText_GetFontWeight(page, character) >= 600:
        return True
    name = ctypes.create_string_buffer(128)
    pdfium.FPDFText_GetFontInfo(page, character, name, 128, ctypes.c_int())
    return re.search(rb"bold|black|heavy|\b(?:cm|sf|lm|ec)bx", name.value.lower()) is not None  # "cmbx": TeX's


def _refuse_without_text(pages: Sequence[Sequence[_Line]]) -> None:
    text = "".join(line.text for lines in pages for line in lines)
    if not any(character.isalnum() for character in text):
        raise DocumentError(
            "it has no text, only pictures of it: a scan; make one with text recognition (OCR)"
            if pages
            else "it has no pages"
        )
    unreadable = sum(c == "\ufffd" or "\ue000" <= c <= "\uf8ff" or c < "\t" and c != "\x02" for c in text)
    if unreadable > MAX_UNREADABLE * len(text):
        raise DocumentError("its fonts do not say which letters they show; print it to a new PDF with text recognition")


def _put_together(pages: Sequence[Sequence[_Line]], facts: dict[str, str]) -> Reading:
    body_size = _body_size(pages)
    gap = _usual_gap(pages, body_size)
    running = _running_lines(pages, body_size, gap)
    compounds = {word.lower() for lines in pages for line in lines for word in re.findall(r"\w+(?:-\w+)+", line.text)}
    read = [
        list(_page_pieces(lines, [(n, i) in running for i in range(len(lines))], body_size, gap, compounds))
        for n, lines in enumerate(pages)
    ]
    title = _title(read, body_size)
    read = _without_bylines(read, title)
    levels = _heading_levels(read, title, body_size)
    extraction = Extraction()
    placed: list[Placed] = []
    unfinished = False  # the paragraph before goes on at the top of this page
    header: Label | None = None  # the names of the columns
    table: Table | None = None  # the last one under this heading
    for number, pieces in enumerate(read, start=1):
        extraction.page(number)
        for piece in pieces:
            before = extraction.length
            if piece.kind == "row":
                if piece.begins is not None:
                    header = header if table is not None and piece.begins.goes_on(table) else None
                    table = piece.begins
                label = extraction.row(piece.cells, header)
                header = label if piece.begins is not None and piece.begins.has_header else header
            elif unfinished and piece.kind == "paragraph" and piece.text[:1].islower():
                extraction.go_on(piece.text)
            elif piece.kind == "heading" and piece is not title:
                extraction.heading(piece.text, levels[_heading_key(piece, body_size)])
                table = None
            elif piece.kind in ("running", "heading"):
                extraction.aside(piece.text)
            elif piece.kind == "item":
                extraction.item(piece.text)
            else:
                extraction.paragraph(piece.text)
            if extraction.length > before:
                placed.append(Placed(number, piece.words, extraction.length))
            unfinished = piece.kind == "paragraph" and not re.search(r"[.!?:;][”\"')\]]*$", piece.text)
    date = stated_date(extraction.text[:2_000])[0] or sane_date(facts.get("CreationDate"))
    text, structure = extraction.result(facts.get("Title"), None if title is None else title.text, date=date)
    return Reading(text, structure, tuple(placed))


def _body_size(pages: Sequence[Sequence[_Line]]) -> float:
    """The height of most letters."""
    sizes: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            sizes[line.size] += len(line.text)
    return sizes.most_common(1)[0][0]


def _usual_gap(pages: Sequence[Sequence[_Line]], body_size: float) -> float:
    """The space between two lines of one paragraph: the lower quartile of that between lines of the text's size."""
    gaps = [
        one.bottom - other.top
        for lines in pages
        for one, other in itertools.pairwise(lines)
        if one.size == other.size == body_size and -body_size < one.bottom - other.top < 2 * body_size
    ]
    return sorted(gaps)[len(gaps) // 4] if gaps else 0.3 * body_size


def _running_key(line: _Line, body_size: float) -> str:
    """What is the same in a line that is repeated: all of it but page numbers; in a heading or a sentence, all."""
    text = line.text.lower()
    if line.size > 1.05 * body_size or text.endswith("."):
        return text
    return re.sub(r"\d+|^[ivxlc]+\b|\b[ivxlc]+$", "#", text)


def _running_lines(pages: Sequence[Sequence[_Line]], body_size: float, gap: float) -> set[tuple[int, int]]:
    """The lines, by page and place on it, that repeat at the edge of pages, or repeat the headings there."""
    seen: dict[str, list[tuple[int, int]]] = defaultdict(list)
    found: set[tuple[int, int]] = set()
    headings = {
        beginning
        for lines in pages
        for line in lines
        if _kind(line, False, False, body_size) == "heading" and (beginning := _words(line)[:HEADING_WORDS])[2:]
    }
    for n, lines in enumerate(pages):
        edge = sorted({*range(min(EDGE_LINES, len(lines))), *range(max(0, len(lines) - EDGE_LINES), len(lines))})
        for i in edge:
            at_end = i in (0, len(lines) - 1)
            if at_end and len(pages) > 1 and _PAGE_NUMBER.fullmatch(lines[i].text):
                found.add((n, i))
            if len(lines[i].text) <= MAX_HEADING_CHARACTERS:
                seen[_running_key(lines[i], body_size)].append((n, i))
            if at_end and _names_heading(lines[i], headings, body_size) and _is_apart(lines, i, gap):
                seen[_A_HEADING].append((n, i))
    for held in seen.values():
        height = median(pages[n][i].top for n, i in held)
        places = [(n, i) for n, i in held if abs(pages[n][i].top - height) <= SAME_HEIGHT]
        on = sorted({n for n, _ in places})
        if len(on) >= MIN_RUNNING_PAGES and len(on) >= RUNNING_SHARE * (on[-1] - on[0] + 1):
            found.update(places)
    return found


def _words(line: _Line) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", line.text.lower()))


def _names_heading(line: _Line, headings: Set[tuple[str, ...]], body_size: float) -> bool:
    """Whether a line that is no heading has how one begins: "CHAPTER 6. THE ARCHIVES 6.3. WHAT ABOUT…"."""
    words = _words(line)
    return _kind(line, False, False, body_size) != "heading" and any(
        words[i : i + HEADING_WORDS] in headings for i in range(len(words))
    )


def _is_apart(lines: Sequence[_Line], i: int, gap: float) -> bool:
    """Whether more space than between lines is left below a page's first line, or above its last."""
    above, below = (lines[0], lines[1:2]) if i == 0 else (lines[i - 1], [lines[i]])
    return all(above.bottom - line.top > 2 * gap for line in below)


def _page_pieces(
    lines: Sequence[_Line], is_running: Sequence[bool], body_size: float, gap: float, compounds: set[str]
) -> Iterator[_Piece]:
    """The pieces of a page, tables as rows at the place of their second line: the first may be drawn anywhere."""
    found = {table.lines[1]: table for table in tables(lines, is_running)}
    in_tables = {place for table in found.values() for place in table.lines}
    text: list[tuple[_Line, bool]] = []
    for place, line in enumerate(lines):
        if place in found:
            yield from _pieces(text, body_size, gap, compounds)
            text = []
            yield from _rows(lines, found[place], compounds)
        elif place not in in_tables:
            text.append((line, is_running[place]))
    yield from _pieces(text, body_size, gap, compounds)


def _rows(lines: Sequence[_Line], table: Table, compounds: set[str]) -> Iterator[_Piece]:
    for number, row in enumerate(table.rows):
        cells: list[Traced] = []
        for parts in row:
            words = [Traced.of(lines[p].text, lines[p].first).part(cell.start, cell.end) for p, cell in parts]
            cells.append(functools.reduce(lambda held, part: _joined(held, part, compounds), words, Traced("", ())))
        joined = functools.reduce(lambda held, cell: held + Traced(CELL_SEPARATOR, ()) + cell, cells)
        line = next(lines[place] for parts in row for place, _ in parts)
        texts = tuple(cell.text for cell in cells)
        yield _Piece("row", joined, line.size, line.bold, texts, None if number else table)


def _pieces(lines: Sequence[tuple[_Line, bool]], body_size: float, gap: float, compounds: set[str]) -> Iterator[_Piece]:
    """The lines of a page joined into paragraphs, items and headings."""
    held: _Piece | None = None
    before: _Line | None = None
    width = max((line.right for line, _ in lines), default=0.0)
    for line, is_running in lines:
        bullet = BULLET.match(line.text)
        words = Traced.of(line.text, line.first)
        if bullet and not is_running:
            words = words.part(bullet.end(), len(words.text))
        piece = _Piece(
            _kind(line, is_running, bool(bullet), body_size), _hyphens_joined(words, compounds), line.size, line.bold
        )
        if held is not None and before is not None and _goes_on(held, before, piece, line, gap, width):
            held = replace(held, words=_joined(held.words, piece.words, compounds))
        else:
            if held is not None:
                yield held
            held = piece
        before = line
    if held is not None:
        yield held


def _kind(line: _Line, is_running: bool, has_bullet: bool, body_size: float) -> Kind:
    if is_running:
        return "running"
    if _WORD.search(line.text) and not _DOT_LEADERS.search(line.text):
        if line.size >= HEADING_SIZE * body_size and len(line.text) <= MAX_HEADING_CHARACTERS:
            return "heading"
        is_short = len(line.text) <= MAX_BOLD_HEADING_CHARACTERS and line.text[-1] not in ".,;:!"
        if line.bold and is_short and line.size >= body_size and line.text[0].isalnum():
            return "heading"
    return "item" if has_bullet else "paragraph"


def _goes_on(held: _Piece, before: _Line, piece: _Piece, line: _Line, gap: float, width: float) -> bool:
    """Whether a line belongs to the piece that the line before it does."""
    space = before.bottom - line.top
    if piece.kind in ("running", "item") or held.kind == "running":
        return False
    if "heading" in (piece.kind, held.kind):
        same = piece.kind == held.kind and piece.size == held.size and piece.bold == held.bold
        return same and -line.size < space < line.size
    if abs(line.size - before.size) > 0.15 * before.size:
        return False
    has_ended = re.search(r"[.!?:][”\"')\]]*$", before.text) is not None
    if space < -line.size:  # further up: the next column
        return not has_ended
    if space > gap + 0.35 * line.size:
        return False
    if has_ended and space > 0.9 * line.size and line.text[0].isupper():
        return False  # an empty line's height, in a text where no paragraph has two lines
    is_short = before.right < width - 0.2 * (width - before.left)
    is_indented = line.left > before.left + 0.8 * line.size
    return not (has_ended and held.kind == "paragraph" and (is_indented or (is_short and line.text[0].isupper())))


def _hyphens_joined(line: Traced, compounds: set[str]) -> Traced:
    """A line in which PDFium has left its marks for the hyphens at line ends."""
    joined, done = Traced("", ()), 0
    for match in re.finditer(rf"(\w+){_HYPHEN}\s*(\w+)", line.text):
        joined += line.part(done, match.end(1))
        if _keeps_hyphen(match[1], match[2], compounds):
            joined += replace(line.part(match.end(1), match.end(1) + 1), text="-")
        done = match.start(2)
    return joined + line.part(done, len(line.text)) if done else line


def _joined(held: Traced, following: Traced, compounds: set[str]) -> Traced:
    """Two lines as one."""
    if not held.text:
        return following
    hyphened = re.search(r"(\w+)-$", held.text)
    first = re.match(r"\w+", following.text)
    if hyphened and first and first[0][0].islower():
        keeps = _keeps_hyphen(hyphened[1], first[0], compounds)
        return held.part(0, len(held.text) - (not keeps)) + following
    return held + Traced(" ", ()) + following


def _keeps_hyphen(one: str, other: str, compounds: set[str]) -> bool:
    """Whether a word that a line end divides has its hyphen also elsewhere: where it is found written so, or where a
    number or a name follows.

    >>> [_keeps_hyphen("well", "known", {"well-known"}), _keeps_hyphen("contro", "versy", set())]
    [True, False]
    >>> _keeps_hyphen("mid", "1990s", set())
    True
    """
    return f"{one}-{other}".lower() in compounds or not other[0].islower()


def _without_bylines(read: list[list[_Piece]], title: _Piece | None) -> list[list[_Piece]]:
    """The pieces with what stands below the title in large letters (authors, a publisher) taken for text.

    It is what stands there above another heading, in a size or weight that no heading further down has, or above the
    first of numbered sections.
    """
    if title is None:
        return read
    pieces = [piece for page in read for piece in page]
    first = next(i for i, piece in enumerate(pieces) if piece is title)
    text = next(
        (i for i, piece in enumerate(pieces) if i > first and piece.kind in ("paragraph", "item", "row")), len(pieces)
    )
    below = [piece for piece in pieces[first + 1 : text] if piece.kind == "heading"]
    styles = {(piece.size, piece.bold) for piece in [*below[-1:], *pieces[text:]] if piece.kind == "heading"}
    bylines = {id(piece) for piece in below[:-1] if (piece.size, piece.bold) not in styles}
    numbered = next((i for i in range(first + 1, min(text + 1, len(pieces))) if _FIRST.match(pieces[i].text)), first)
    bylines |= {id(piece) for piece in pieces[first + 1 : numbered] if piece.kind == "heading"}
    return [[replace(p, kind="paragraph") if id(p) in bylines else p for p in page] for page in read]


def _heading_key(piece: _Piece, body_size: float) -> float:
    """Headings with the same are of one level; bold ones of the text's size are below all others."""
    return max(piece.size, body_size)


def _heading_levels(read: Sequence[Sequence[_Piece]], title: _Piece | None, body_size: float) -> dict[float, int]:
    """The level of each size of heading, the largest being 1; the title is above them all."""
    keys = {_heading_key(p, body_size) for pieces in read for p in pieces if p.kind == "heading" and p is not title}
    return {key: min(level, 6) for level, key in enumerate(sorted(keys, reverse=True), start=1)}


def _title(read: Sequence[Sequence[_Piece]], body_size: float) -> _Piece | None:
    """The heading on the first page with the largest letters of all, if no other has them.

    Where only what comes later has larger ones, as a figure may, that heading has to be the first of all.
    """
    headings = [p for pieces in read for p in pieces if p.kind == "heading"]
    on_first = [p for p in read[0] if p.kind == "heading"]
    largest = max((p.size for p in on_first), default=0.0)
    candidates = [p for p in headings if p.size == largest]
    is_title = len(candidates) == 1 and largest >= HEADING_SIZE * body_size
    is_first = is_title and next(p for p in read[0] if p.kind != "running") is candidates[0]
    return candidates[0] if is_first or (is_title and largest == max(p.size for p in headings)) else None
