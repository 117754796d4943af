"""Presentations: PPTX. A slide's boxes are read as they lie on it, whatever order the file has them in."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from qa.datatypes import Label
from qa.errors import DocumentError
from qa.formats.archives import open_archive, refuse_entities
from qa.formats.extraction import Extraction, is_header
from qa.formats.limits import MAX_PAGES
from qa.formats.office import refuse_unknown, stated_or
from qa.structure import Structure

if TYPE_CHECKING:
    from lxml import etree

MAX_CARD_CHARACTERS = 300
MAX_CARD_LINE = 60
"""Boxes right below each other with so little text are one card: a name, what the person does, a telephone number.
Of several lines in one box none may be longer than the second; else they are a list with a heading."""

CARD_GAP = 0.6
"""Between the boxes of a card is less room than this share of the lower one's height..."""

CARD_EDGE = 0.1
"""...and their left edges differ by less than this share of the wider one's width."""

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_Piece = tuple[str, ...]


@dataclass(frozen=True)
class _Box:
    """What stands together on a slide, where it is drawn (in the slide's units, down and to the right), and its text:
    pieces of a kind and words, a table's rows with a piece for each."""

    left: float
    top: float
    right: float
    bottom: float
    pieces: tuple[_Piece, ...]

    @property
    def texts(self) -> list[str]:
        return [text for _, *texts in self.pieces for text in texts]


def pptx(content: bytes) -> tuple[str, Structure]:
    """A presentation: slides are pages, their titles headings; tables and speaker's notes are read too."""
    refuse_entities(open_archive(content))
    import pptx as python_pptx

    extraction = Extraction()
    try:
        presentation = python_pptx.Presentation(io.BytesIO(content))
        if len(presentation.slides) > MAX_PAGES:
            raise DocumentError(f"it has {len(presentation.slides):,} slides (at most {MAX_PAGES:,}; QA_MAX_PAGES)")
        for number, slide in enumerate(presentation.slides, start=1):
            extraction.page(number)
            _slide(extraction, slide)
        properties = presentation.core_properties
        stated_title, created = properties.title, properties.created
    except (DocumentError, MemoryError, RecursionError):
        raise
    except Exception as error:  # what python-pptx raises for a damaged file is not one kind
        raise refuse_unknown(error, "PPTX") from error
    return extraction.result(stated_title, extraction.first_heading, date=stated_or(created, extraction))


def _slide(extraction: Extraction, slide: Any) -> None:
    title = slide.shapes.title
    pieces = _pieces(slide.shapes, None if title is None else title.shape_id)
    notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
    noted = [] if notes is None else [p.text for p in notes.paragraphs if p.text.strip()]
    if title is not None and title.text_frame.text.strip():
        if any(text.strip() for piece in pieces for text in piece) or noted:
            extraction.heading(title.text_frame.text, 1)
        else:
            extraction.paragraph(title.text_frame.text)  # all that the slide says
    header: Label | None = None
    for kind, *texts in pieces:
        if kind == "table":
            header = None
        elif kind == "row":
            label = extraction.row(texts, header)
            header = header or (label if is_header(texts) else None)
        elif kind == "card":
            extraction.row(texts)
        elif kind == "item":
            extraction.item(texts[0])
        else:
            extraction.paragraph(texts[0])
    for text in noted:
        extraction.paragraph(text)


def _pieces(shapes: Any, title_id: int | None) -> list[_Piece]:
    """What shapes hold, in the order in which it is read."""
    boxes = _in_reading_order(_cards(list(_boxes(shapes, title_id))))
    return [piece for box in boxes for piece in box.pieces]


def _boxes(shapes: Any, title_id: int | None) -> Iterator[_Box]:
    """The boxes with text or a table, a group as one of its own, in the file's order."""
    from pptx.enum.shapes import PP_PLACEHOLDER

    for shape in shapes:
        if shape.shape_id == title_id:
            continue
        if shape.is_placeholder and shape.placeholder_format.type in (
            PP_PLACEHOLDER.FOOTER,
            PP_PLACEHOLDER.SLIDE_NUMBER,
            PP_PLACEHOLDER.DATE,
        ):
            continue
        pieces: list[_Piece] = []
        if hasattr(shape, "shapes"):
            pieces = _pieces(shape.shapes, title_id)  # by themselves: within a group places have another scale
        elif shape.has_text_frame:
            paragraphs = [p.text for p in shape.text_frame.paragraphs if p.text.strip()]
            kind = "item" if len(paragraphs) > 1 else "paragraph"
            pieces = [(kind, text) for text in paragraphs]
        elif shape.has_table:
            rows = shape.table._tbl.tr_lst
            pieces = [("table",), *(("row", *(_drawn_text(cell) for cell in row.tc_lst)) for row in rows)]
        if pieces:
            left, top, width, height = (length or 0 for length in (shape.left, shape.top, shape.width, shape.height))
            yield _Box(left, top, left + width, top + height, tuple(pieces))


def _drawn_text(element: etree._Element) -> str:
    paragraphs = element.iter(f"{_A}p")
    return " ".join("".join(part.text or "" for part in p.iter(f"{_A}t")) for p in paragraphs)


def _cards(boxes: Sequence[_Box]) -> Iterator[_Box]:
    """The boxes, of which those right below each other with few words are one."""
    rest = sorted(boxes, key=attrgetter("top"))
    while rest:
        card = [rest.pop(0)]
        while below := next((box for box in rest if _goes_on(card[-1], box, boxes)), None):
            card.append(below)
            rest.remove(below)
        size = 2 if _is_in_pairs(card) else len(card)
        pieces = [_together(card[i : i + size]) for i in range(0, len(card), size)]
        yield _around(card, tuple(itertools.chain.from_iterable(pieces)))


def _goes_on(above: _Box, below: _Box, boxes: Sequence[_Box]) -> bool:
    """Whether a box stands right below another, at the same edge, and not also below one beside that."""
    width = max(above.right - above.left, below.right - below.left)
    gap = below.top - above.bottom
    is_below = below.top > above.top and below.bottom > above.bottom and gap < CARD_GAP * (below.bottom - below.top)
    if not is_below or abs(above.left - below.left) >= CARD_EDGE * width:
        return False
    return not any(
        above.right <= other.left < below.right and other.top < above.bottom and above.top < other.bottom
        for other in boxes
    )


def _is_in_pairs(boxes: Sequence[_Box]) -> bool:
    """Whether boxes below each other are taller and lower in turns: names, each with its text."""
    heights = [box.bottom - box.top for box in boxes]
    names, texts = heights[::2], heights[1::2]
    unlike = abs(names[0] - texts[0]) if texts else 0.0
    return len(names) == len(texts) > 1 and unlike > max(max(each) - min(each) for each in (names, texts))


def _together(boxes: Sequence[_Box]) -> Sequence[_Piece]:
    """The pieces of boxes below each other: one card, or where there is more text all of them."""
    words = [text for box in boxes for text in box.texts]
    if len(boxes) > 1 and sum(map(len, words)) <= MAX_CARD_CHARACTERS and all(map(_is_short, boxes)):
        return [("card", *words)]
    return [piece for box in boxes for piece in box.pieces]


def _is_short(box: _Box) -> bool:
    is_text = all(kind in ("paragraph", "item") for kind, *_ in box.pieces)
    return is_text and (len(box.pieces) == 1 or max(map(len, box.texts)) <= MAX_CARD_LINE)


def _around(boxes: Sequence[_Box], pieces: tuple[_Piece, ...]) -> _Box:
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    return _Box(left, top, max(box.right for box in boxes), max(box.bottom for box in boxes), pieces)


def _in_reading_order(boxes: Iterable[_Box]) -> list[_Box]:
    """Boxes from top to bottom, and those beside each other from left to right."""
    found: list[_Box] = []
    rest = sorted(boxes, key=attrgetter("top", "left"))
    while rest:
        middle = (rest[0].top + rest[0].bottom) / 2
        beside = [box for box in rest if box.top <= middle]
        found += sorted(beside, key=attrgetter("left"))
        rest = rest[len(beside) :]
    return found
