"""What plain text and Markdown say of their own structure: title, headings, paragraphs, lists, timelines, date.

Plain text has no mark-up, so its structure is read from how people lay text out: a short line without a full
stop, standing before a text, is a heading; a line that is only a dash divides parts; lines that start with a
year are a timeline, and a line without one belongs to the year above it. Wrong guesses cost little: a
document's text is never changed, and headings are context only.
"""

from __future__ import annotations

import bisect
import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dateutil import parser as dates
from markdown_it import MarkdownIt
from markdown_it.token import Token

from qa.bylines import BYLINE
from qa.datatypes import Block, BlockKind, Label, Page, Section
from qa.text import BULLET, MONTHS, WEEKDAYS

MAX_HEADING_CHARACTERS = 90
MAX_HEADING_WORDS = 12
"""Longer lines are sentences even where the full stop was forgotten."""

MAX_HEADINGS_IN_A_ROW = 3
"""A part, a chapter and its title may stand above one text. More such lines in a row are a list or a poem."""

MAX_MARKDOWN_HEADING_CHARACTERS = 200
"""A longer Markdown heading is a paragraph above a line of dashes; as context it would crowd out the passages."""

MAX_LABEL_CHARACTERS = 300
"""A longer lead-in is no label: read before every item of its list, it would leave no room for the item."""

MIN_WRAP_WIDTH, MAX_WRAP_WIDTH = 50, 120
"""Text wrapped by hand or by a mail program has lines of these widths: a longer line is a whole paragraph, and where
all are shorter they are a list."""

FULL_LINE = 0.6
"""A line that fills this share of the width goes on in the next one: the next word had no room."""

DATE_SEARCH_LINES = 8
MAX_DATELINE_CHARACTERS = 200
"""A dateline or a "Published:" line stands near the top, and the date near its beginning; dates further down are what
the text is about."""


MAX_DATED_HEADING = 250
"""A heading's date is looked for in so many characters: a version and a date, with all their marks, have far fewer."""

MAX_UNDER_DATE = 2_000
"""What stands further below a date is not labelled with it: an answer is quoted from its date to what happened."""


@dataclass(frozen=True)
class Structure:
    """What a format says of its text, or what was recognised. `title` is None where the text has none of its own."""

    title: str | None
    date: datetime.date | None
    source: str | None
    sections: tuple[Section, ...]
    blocks: tuple[Block, ...]
    pages: tuple[Page, ...] = ()


@dataclass(frozen=True)
class _Line:
    """A line without its end and without the white space around it."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Heading:
    """A heading's words, and where its line begins."""

    text: str
    level: int
    start: int


_DIVIDER = re.compile(r"[-–—_*=~#•·.\s]+")
_HTML_COMMENT = re.compile(r"<!--.*-->", re.DOTALL)
_EVENT = re.compile(
    rf"(?P<label>(?:(?:\d{{1,2}}\s+)?(?:{MONTHS})\s+(?:\d{{1,2}},\s+)?)?(?:1[0-9]|20)\d\d(?:\s*[-–/]\s*\d{{2,4}})?)"
    r"\s*(?::|\s[-–—])\s+(?=\S)"
)
_DATE = rf"(?:\d{{1,2}}\s+(?:{MONTHS})|(?:{MONTHS})\s+\d{{1,2}}),?\s+\d{{4}}|\d{{4}}-\d\d-\d\d"
_DATELINE = re.compile(
    rf"(?P<place>[A-Z][A-Z'’ .-]+(?:, [A-Z][\w .]+)?)(?:[,:]?\s+|\s*\()(?P<date>{_DATE})\)?"
    r"(?:,\s*(?P<source>[^,]{2,40}?))?"
    r"\s+(?:--|[-–—])\s"
)
_DATED = re.compile(
    rf"(?:(?:(?:version|release)\s+)?\[?v?\d+(?:\.\w+)+\]?\s*[-–—:,(]?\s*)?"
    rf"(?:(?:{WEEKDAYS}),?\s+)?(?P<date>{_DATE})[).:]?",
    re.IGNORECASE,
)
_STATED_DATE = re.compile(
    rf"(?:(?:date|dated|published|updated|last updated|posted|issued)(?: on)?\s*:?\s*)?(?P<date>{_DATE})\.?",
    re.IGNORECASE,
)


# Plain text


def plain_text_structure(text: str) -> Structure:
    """The structure of a text without mark-up."""
    lines = _lines(text)
    width = _wrap_width(lines)
    title = _title(lines, width)
    in_a_row = _headings_in_a_row(lines, width)
    headings: list[Heading] = []
    blocks: list[Block] = []
    label: Label | None = None  # of the timeline or list that the next line may belong to
    timeline = _has_timeline(lines)
    deeper = False  # the line before was a heading: a heading now stands below it
    first_level = True  # nothing yet, or a divider: the next heading is of the outermost level
    i = 0
    while i < len(lines):
        line = lines[i]
        if not line.text or _DIVIDER.fullmatch(line.text):
            first_level = first_level or bool(line.text)
            label = None if not line.text or label is None or label.text[-1:] != ":" else label
            i += 1
            continue
        is_heading = in_a_row[i] <= MAX_HEADINGS_IN_A_ROW and _is_heading(
            lines, i, width, in_timeline=timeline and label is not None
        )
        if line is title or is_heading:
            if line is not title:
                outermost = first_level or (in_a_row[i] > 1 and not deeper)
                headings.append(Heading(line.text, _level(headings, deeper, outermost), line.start))
                deeper, first_level = True, False
            label = None
            i += 1
            continue
        deeper = False
        bullet = BULLET.match(line.text)
        start = line.start + (bullet.end() if bullet else 0)
        event = _EVENT.match(text, start, line.end) if timeline else None
        last = _paragraph_end(lines, i, wrapped=width is not None)
        end = lines[last].end
        if event:
            label = Label(event["label"], start, start + len(event["label"]))
            blocks.append(Block("event", start, end))
        elif timeline and label is not None and not label.text.endswith(":"):
            blocks.append(Block("event", start, end, label))
        elif bullet:
            blocks.append(Block("item", start, end, label))
        else:
            blocks.append(Block("paragraph", line.start, end))
            lead_in = line.text if last == i else text[line.start : end]
            label = lead_in_label(lead_in, line.start)
        i = last + 1
    date, source = _stated_date(lines)
    return Structure(title.text if title else None, date, source, sections_under(headings, len(text)), tuple(blocks))


def _lines(text: str) -> list[_Line]:
    found, start = [], 0
    for raw in text.split("\n"):
        stripped = raw.strip()
        begin = start + len(raw) - len(raw.lstrip()) if stripped else start
        found.append(_Line(begin, begin + len(stripped), stripped))
        start += len(raw) + 1
    return found


def _wrap_width(lines: Sequence[_Line]) -> int | None:
    """The width at which paragraphs are wrapped by hand: no line is longer, and most lines that another follows are
    full. None where every paragraph is one line."""
    width = max((len(line.text) for line in lines), default=0)
    followed = [a for a, b in zip(lines, lines[1:], strict=False) if a.text and b.text]
    full = sum(len(line.text) > FULL_LINE * width for line in followed)
    is_wrapped = MIN_WRAP_WIDTH <= width <= MAX_WRAP_WIDTH and full > 0.5 * len(followed) > 0
    return width if is_wrapped else None


def _paragraph_end(lines: Sequence[_Line], first: int, wrapped: bool) -> int:
    """The last line of the paragraph that begins at `first`: itself, or where its wrapped lines end."""
    last = first
    while wrapped and last + 1 < len(lines):
        following = lines[last + 1].text
        if not following or _DIVIDER.fullmatch(following) or BULLET.match(following) or _EVENT.match(following):
            break
        last += 1
    return last


def _has_timeline(lines: Sequence[_Line]) -> bool:
    """Whether at least two lines begin with a year: a single one is a sentence about a year."""
    bullets = (BULLET.match(line.text) for line in lines)
    starts = (bullet.end() if bullet else 0 for bullet in bullets)
    return sum(bool(_EVENT.match(line.text, start)) for line, start in zip(lines, starts, strict=True)) >= 2


def _title(lines: Sequence[_Line], width: int | None) -> _Line | None:
    """The first line with text, where it looks like a heading."""
    first = next((i for i, line in enumerate(lines) if line.text), None)
    return lines[first] if first is not None and _is_heading(lines, first, width) else None


def _headings_in_a_row(lines: Sequence[_Line], width: int | None) -> list[int]:
    """For each line, how many that look like headings follow each other from it on, empty lines not counted."""
    row, found = 0, []
    for i in reversed(range(len(lines))):
        if lines[i].text:
            row = row + 1 if _is_heading(lines, i, width) else 0
        found.append(row)
    return found[::-1]


def _is_heading(lines: Sequence[_Line], i: int, width: int | None, in_timeline: bool = False) -> bool:
    line = lines[i].text
    if len(line) > MAX_HEADING_CHARACTERS or len(line.split()) > MAX_HEADING_WORDS:
        return False
    if not (line[0].isupper() or line[0].isdigit()) or line[-1] in ".:;,!" or not any(c.isalpha() for c in line):
        return False
    if (
        BYLINE.match(line)
        or _EVENT.match(line)
        or (BULLET.match(line) and not re.match(r"\d", line))
        or _STATED_DATE.fullmatch(line)
    ):
        return False
    if BULLET.match(line) and i + 1 < len(lines) and BULLET.match(lines[i + 1].text):
        return False  # "1. One" above "2. Two" is a list
    if in_timeline and not _above_blank(lines, i):
        return False  # a short undated event
    before = lines[i - 1].text if i else ""
    if before and before[-1] in ",;-–" and not _DIVIDER.fullmatch(before):
        return False  # the line before goes on here
    following = lines[i + 1].text if i + 1 < len(lines) else ""
    if width is not None and len(line) > FULL_LINE * width and following and not _DIVIDER.fullmatch(following):
        return False  # this line goes on in the next
    return any(lines[j].text for j in range(i + 1, len(lines)))


def _above_blank(lines: Sequence[_Line], i: int) -> bool:
    return i == 0 or not lines[i - 1].text or bool(_DIVIDER.fullmatch(lines[i - 1].text))


def _level(headings: Sequence[Heading], deeper: bool, outermost: bool) -> int:
    """A heading right under another is one level below it; else it is as the last."""
    if not headings or outermost:
        return 1
    return headings[-1].level + (1 if deeper else 0)


def lead_in_label(line: str, start: int) -> Label | None:
    """The last sentence of a paragraph that ends with a colon, as label of the list below it."""
    if not line.endswith(":"):
        return None
    begin = max(line.rfind(". ") + 2, line.rfind("\n") + 1) if ". " in line or "\n" in line else 0
    if len(line) - begin > MAX_LABEL_CHARACTERS:
        return None
    return Label(line[begin:], start + begin, start + len(line))


def _stated_date(lines: Sequence[_Line]) -> tuple[datetime.date | None, str | None]:
    """The date and the source that a dateline or a line of its own gives near the top."""
    for line in [line for line in lines if line.text][:DATE_SEARCH_LINES]:
        found = _DATELINE.match(line.text[:MAX_DATELINE_CHARACTERS]) or (
            _STATED_DATE.fullmatch(line.text) if len(line.text) <= MAX_DATELINE_CHARACTERS else None
        )
        if found:
            date = parse_date(found["date"])
            if date is not None:
                return date, found.groupdict().get("source")
    return None, None


def stated_date(text: str) -> tuple[datetime.date | None, str | None]:
    """The date and the source that a dateline or a line of its own gives near a text's top; None for what is not."""
    return _stated_date(_lines(text))


def parse_date(text: str) -> datetime.date | None:
    """A full date as people write it; None when there is none or it cannot be (31 June)."""
    try:
        return dates.parse(text).date()
    except (ValueError, OverflowError):
        return None


def under_dates(text: str, structure: Structure) -> Structure:
    """The structure with what stands under a date labelled with it: minutes, diaries, what changed in a version.

    That is under a heading which is a date, or ends in one after a version's number.
    """
    dated: list[tuple[Section, Label]] = []
    for section in structure.sections:
        if found := _DATED.fullmatch(section.heading):
            start = text.find(found["date"], section.start, section.start + MAX_DATED_HEADING)
            if start >= 0:
                dated.append((section, Label(found["date"], start, start + len(found["date"]))))

    def labelled(block: Block) -> Block:
        place = bisect.bisect_left(dated, block.start, key=lambda each: each[0].start)
        if not place or block.label is not None or block.kind == "row":
            return block
        section, label = dated[place - 1]
        if block.start >= section.end or block.end - label.start > MAX_UNDER_DATE:
            return block
        return replace(block, label=label)

    return replace(structure, blocks=tuple(map(labelled, structure.blocks))) if dated else structure


def sections_under(headings: Sequence[Heading], end: int) -> tuple[Section, ...]:
    """Each heading with all that stands under it, up to the next heading of its level or above."""
    found = []
    for i, heading in enumerate(headings):
        later = (headings[j] for j in range(i + 1, len(headings)))
        close = next((h.start for h in later if h.level <= heading.level), end)
        found.append(Section(heading.text, heading.level, heading.start, close))
    return tuple(found)


def column_label(text: str, start: int, separator: str) -> Label:
    """A table's header row as label of its rows, cut after a column where it is too long for one."""
    if len(text) > MAX_LABEL_CHARACTERS:
        cut = text.rfind(separator, 0, MAX_LABEL_CHARACTERS)
        text = text[: cut if cut > 0 else MAX_LABEL_CHARACTERS]
    return Label(text, start, start + len(text))


# Markdown


def markdown_structure(text: str) -> Structure:
    """The structure of a CommonMark text with tables; offsets are those of the text with its mark-up."""
    lines = _lines(text)
    headings: list[Heading] = []
    blocks: list[Block] = []
    lead_in: Label | None = None
    columns: Label | None = None
    # Inline mark-up is looked into in headings only: in a long text it takes the most time by far.
    markdown = MarkdownIt("commonmark").enable("table").disable("inline")
    tokens = markdown.parse(text)
    for i, token in enumerate(tokens):
        if token.map is None or not token.map[1] > token.map[0]:
            continue
        first = lines[token.map[0]]
        is_heading = token.type == "heading_open"
        if is_heading and len(tokens[i + 1].content) <= MAX_MARKDOWN_HEADING_CHARACTERS:
            headings.append(Heading(_inline_text(tokens[i + 1].content), int(token.tag[1:]), first.start))
            lead_in = None
        elif token.type == "tr_open":
            start, end = first.start, first.end
            is_header = tokens[i - 1].type == "thead_open"
            if any(map(str.isalnum, text[start:end])):
                blocks.append(Block("row", start, end, None if is_header else columns))
            columns = column_label(text[start:end], start, "|") if is_header else columns
        elif is_heading or token.type in ("paragraph_open", "fence", "code_block", "html_block"):
            kind: BlockKind = "item" if token.level and token.type != "fence" else "paragraph"
            start, end = first.start, _last_text_line(lines, *token.map).end
            if token.type == "html_block" and _HTML_COMMENT.fullmatch(text, start, end):
                continue
            bullet = BULLET.match(text[start:end]) if kind == "item" else None
            start += bullet.end() if bullet else 0
            if not text[start:end].strip():
                continue  # control characters that are white space here and none to CommonMark
            blocks.append(Block(kind, start, end, lead_in if kind == "item" else None))
            if kind == "paragraph":
                lead_in = lead_in_label(text[start:end], start)
    title = headings[0] if headings and headings[0].level == 1 else None
    date, source = _stated_date(lines)
    sections = sections_under([h for h in headings if h is not title], len(text))
    return Structure(title.text if title else None, date, source, sections, tuple(blocks))


def _last_text_line(lines: Sequence[_Line], first: int, end: int) -> _Line:
    return next((line for line in reversed(lines[first:end]) if line.text), lines[first])


def _inline_text(content: str) -> str:
    """The words of a heading without their mark-up."""
    (inline,) = MarkdownIt("commonmark").parseInline(content)
    return " ".join("".join(_words(child) for child in inline.children or []).split())


def _words(token: Token) -> str:
    if token.type == "html_inline":
        return ""
    return " " if token.type in ("softbreak", "hardbreak") else token.content
