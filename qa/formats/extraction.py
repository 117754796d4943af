"""A text put together from what a format holds, with the place of each piece."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from dateutil import parser as dates

from qa.datatypes import Block, BlockKind, Label, Page
from qa.errors import DocumentError
from qa.formats.limits import MAX_CHARACTERS, MAX_PAGES
from qa.structure import Heading, Structure, column_label, lead_in_label, sections_under

MAX_HEADING_CHARACTERS = 300
"""What is marked as a heading and is longer is a paragraph in large letters."""

MAX_ROW_CHARACTERS = 800
"""A table's row with more is a page's layout, not data: its cells are read as text."""

CELL_SEPARATOR = " | "
"""Between the cells of a table's row, as in Markdown."""

EARLIEST_YEAR = 1900
"""Dates in a file's properties before this, or after tomorrow, are a program's default or a clock that was wrong."""

_NO_TITLES = re.compile(
    r"(?:untitled|document|dokument|presentation|powerpoint presentation|powerpoint-präsentation|word document|slide)"
    r"\W*\d*|microsoft (?:word|powerpoint|excel) - .*|.*\.(?:docx?|pptx?|pdf|html?|indd|tex|dvi|qxd|rtf|odt|xlsx?)",
    re.IGNORECASE,
)
"""What programs put for a title when nobody has given one."""

_CHARACTERS = {
    **{code: None for code in range(32) if chr(code) not in "\t\n\r\f\v"},
    **dict.fromkeys((0x7F, 0xAD, 0x200B, 0x2060, 0xFEFF, 0xFFFE, 0xFFFF), None),
    **{0x85: "\n", 0x2028: "\n", 0x2029: "\n", 0xA0: " ", 0x2007: " ", 0x202F: " "},
    **dict(zip(range(0xFB00, 0xFB07), ("ff", "fi", "fl", "ffi", "ffl", "st", "st"), strict=True)),
}
"""Control characters, soft hyphens and spaces without width go, other spaces become one, ligatures letters."""


_YEARS = re.compile(r"\D{0,12}(?:1[89]|20)\d\d(?:\s?[-–/]\s?\d\d(?:\d\d)?)?\D{0,12}")
"""A year, or two: "2019", "2019/20", "FY 2019", "2020 (estimate)"."""


class Extraction:
    """Takes the pieces of a document in reading order; `result` is its text and structure.

    Pieces stand on lines of their own, an empty line between them except between items and rows.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._headings: list[Heading] = []
        self._blocks: list[Block] = []
        self._pages: list[tuple[int, int]] = []  # number, start
        self._opened_pages: list[int] = []  # whose first piece is still to come
        self._lead_in: Label | None = None
        self._after: BlockKind | None = None

    def page(self, number: int) -> None:
        """What follows stands on this page. Raises DocumentError where there are too many."""
        if len(self._pages) + len(self._opened_pages) >= MAX_PAGES:
            raise DocumentError(f"it has more than {MAX_PAGES:,} pages (QA_MAX_PAGES)")
        self._opened_pages.append(number)

    def heading(self, text: str, level: int) -> None:
        """A heading, and so the beginning of a section; 1 is the outermost level."""
        text = one_line(text)
        if len(text) > MAX_HEADING_CHARACTERS:
            self.paragraph(text)
        elif text:
            start, _ = self._add(text)
            self._headings.append(Heading(text, max(1, level), start))

    def paragraph(self, text: str) -> None:
        """A run of prose; single newlines in it are kept."""
        text = lines(text)
        if text:
            start, end = self._add(text)
            self._blocks.append(Block("paragraph", start, end))
            self._lead_in = lead_in_label(text, start)

    def item(self, text: str) -> None:
        """An item of a list, without its bullet. It belongs under the paragraph before it, if that ends in a colon."""
        text = lines(text)
        if text:
            lead_in = self._lead_in
            start, end = self._add(text, "item")
            self._blocks.append(Block("item", start, end, lead_in))
            self._lead_in = lead_in

    def row(self, cells: Iterable[str], header: Label | None = None) -> Label | None:
        """A table's row, under the row that names its columns. Gives the label that it is for others."""
        written = [one_line(cell) for cell in cells]
        text = one_line(CELL_SEPARATOR.join(written))
        if not any(written):
            return None
        start, end = self._add(text, "row")
        self._blocks.append(Block("row", start, end, header))
        return column_label(text, start, CELL_SEPARATOR)

    def aside(self, text: str) -> None:
        """What belongs to the document but is never to be found by a question: a page's running header."""
        text = one_line(text)
        if text:
            self._add(text)

    def go_on(self, text: str) -> None:
        """The rest of the paragraph before, which began on another page. Only right after a paragraph."""
        text = lines(text)
        if text:
            block = self._blocks[-1]
            _, end = self._add(text, separator=" ")
            self._blocks[-1] = replace(block, end=end)

    def insert(self, text: str, structure: Structure) -> None:
        """A text whose structure is known already: the body of a mail."""
        if not text.strip():
            return
        shift, _ = self._add(text)
        self._headings += [Heading(s.heading, s.level, s.start + shift) for s in structure.sections]
        self._blocks += [
            replace(
                block,
                start=block.start + shift,
                end=block.end + shift,
                label=block.label and Label(block.label.text, block.label.start + shift, block.label.end + shift),
            )
            for block in structure.blocks
        ]

    def _add(self, text: str, kind: BlockKind | None = None, separator: str | None = None) -> tuple[int, int]:
        if separator is None:
            separator = "\n" if kind is not None and kind == self._after else "\n\n"
        if not self._parts:
            separator = ""
        start = self._length + len(separator)
        if start + len(text) > MAX_CHARACTERS:
            raise DocumentError(f"it has more than {MAX_CHARACTERS:,} characters (QA_MAX_CHARACTERS)")
        self._pages += [(number, start if self._parts else 0) for number in self._opened_pages]
        self._opened_pages.clear()
        self._parts += [separator, text]
        self._length = start + len(text)
        self._after = kind
        self._lead_in = None
        return start, self._length

    @property
    def length(self) -> int:
        """The number of characters of all that was added up to now."""
        return self._length

    @property
    def text(self) -> str:
        """All that was added up to now."""
        return "".join(self._parts)

    @property
    def first_heading(self) -> str | None:
        """The heading above all else, if there is one."""
        if self._headings and not any(b.start < self._headings[0].start for b in self._blocks[:1]):
            return self._headings[0].text
        return None

    def result(
        self, *titles: str | None, date: datetime.date | None = None, source: str | None = None
    ) -> tuple[str, Structure]:
        """The text with its structure, and the first of the titles that says something ("Untitled-1" does not)."""
        text = self.text
        title = next((title for title in map(sane_title, titles) if title is not None), None)
        is_above_all = title is not None and self.first_heading == title  # it is no section then, as it heads them all
        headings = self._headings[1:] if is_above_all else self._headings
        pages = [*self._pages, *((number, len(text)) for number in self._opened_pages)]
        ends = [*(start for _, start in pages[1:]), len(text)][: len(pages)]
        return text, Structure(
            title=title,
            date=date,
            source=one_line(source or "") or None,
            sections=sections_under(headings, len(text)),
            blocks=tuple(self._blocks),
            pages=tuple(Page(number, start, end) for (number, start), end in zip(pages, ends, strict=True)),
        )


def is_header(cells: Sequence[str]) -> bool:
    """Whether a table's first row names its columns, of which the first and the last may have no name.

    A name holds no digit, or is one of several like "2019", "FY 2020" or "Year 1"; beside an empty corner also the one.

    >>> [is_header(cells.split()) for cells in ("Bridge Opened", "Town 2019 2020", "Exe 1905", "Exe 1905 210")]
    [True, True, False, False]
    >>> [is_header(cells) for cells in (("", "Year 1", "Year 2", ""), ("", "2019", "Change"), ("Income", "", ""))]
    [True, True, False]
    """
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        del names[-1]
    has_corner = names[:1] == [""]
    names = names[has_corner:]
    words = sum(bool(name) and not re.search(r"\d", name) for name in names)
    alike = Counter(re.sub(r"\d+", "0", name) for name in set(names) if re.match(r"[^\W\d_].*\d", name))
    numbered = sum(bool(_YEARS.fullmatch(name)) or alike[re.sub(r"\d+", "0", name)] > 1 for name in names)
    return len(names) > 1 and words + numbered == len(names) and (has_corner or numbered != 1)


def lines(text: str) -> str:
    """A text without control characters and ligatures, white space within its lines made single, no line empty."""
    if any("\ud800" <= c <= "\udfff" for c in text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    found = (" ".join(line.split()) for line in text.translate(_CHARACTERS).splitlines())
    return "\n".join(line for line in found if line)


def traced_lines(text: str) -> tuple[str, list[int | None]]:
    """The same text as `lines` gives, and for each of its characters the one of `text` that it was made of.

    None is for the space between two words.

    >>> traced_lines("\\ufb01sh  is")
    ('fish is', [0, 0, 1, 2, None, 5, 6])
    """
    kept = [(character, i) for i, original in _characters(text) for character in original.translate(_CHARACTERS)]
    tidied = "".join(character for character, _ in kept)
    found: list[str] = []
    places: list[int | None] = []
    end = 0
    for word in re.finditer(r"\S+", tidied):
        if found:
            found.append("\n" if re.search(r"[\n\r\f\v]", tidied[end : word.start()]) else " ")
            places.append(None)
        found.append(word[0])
        places += [i for _, i in kept[word.start() : word.end()]]
        end = word.end()
    return "".join(found), places


def _characters(text: str) -> Iterator[tuple[int, str]]:
    """The characters of a text with their places; halves of pairs, which some formats give, are put together."""
    for match in re.finditer("[\ud800-\udbff][\udc00-\udfff]|.", text, re.DOTALL):
        yield match.start(), match[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def one_line(text: str) -> str:
    """The same on one line.

    >>> one_line(" e\\ufb03cient\\n of\\u00adfice ")
    'efficient office'
    """
    return lines(text).replace("\n", " ")


def sane_title(title: str | None) -> str | None:
    """A title from a file's properties; None for what programs put there by themselves.

    >>> sane_title("Microsoft Word - draft2.doc"), sane_title("Annual report")
    (None, 'Annual report')
    """
    title = one_line(title or "")
    return None if not title or len(title) > MAX_HEADING_CHARACTERS or _NO_TITLES.fullmatch(title) else title


def sane_date(text: str | None) -> datetime.date | None:
    """A full date as a file's properties give it; None for part of one, for none, and for one that cannot be.

    >>> sane_date("2019-05-04T10:00:00Z"), sane_date("D:20190504100000Z")
    (datetime.date(2019, 5, 4), datetime.date(2019, 5, 4))
    >>> sane_date("May 2019"), sane_date("1601-01-01")
    (None, None)
    """
    text = (text or "").strip().removeprefix("D:")[:60]
    digits = re.match(r"(\d{4})-?(\d\d)-?(\d\d)(?!\d{1,3}\b)", text)
    try:
        if digits:
            date = datetime.date(*(int(part) for part in digits.groups()))
        else:
            # What the text leaves open is taken from the default: two defaults show whether it left anything.
            one, other = (
                dates.parse(text, default=datetime.datetime(y, m, m), ignoretz=True).date()
                for y, m in ((2004, 1), (2008, 2))
            )
            if one != other:
                return None
            date = one
    except (ValueError, OverflowError, TypeError):
        return None
    return date if EARLIEST_YEAR <= date.year and date <= datetime.date.today() + datetime.timedelta(days=1) else None
