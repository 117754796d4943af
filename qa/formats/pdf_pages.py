"""Pages of PDF files as images, with the boxes of words on them.

The boxes come from the reading itself, done again: it knows for every character of a document's text the character of
the page that it was made of, and PDFium knows the box of that.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from qa.errors import DocumentError
from qa.formats.extraction import traced_lines
from qa.formats.pdf import Reading, opened, read_pdf

if TYPE_CHECKING:
    import pypdfium2

PAGE_WIDTH = 1_400
"""In pixels: sharp in half a window of a laptop with a fine screen, and some 100 kB for a page of text."""

MAX_PAGE_HEIGHT = 3_000
"""In pixels; only a roll of paper is so long at that width."""

MAX_IMAGE_BYTES = 250_000
QUALITIES = ((1.0, 80), (1.0, 50), (0.5, 50))
"""Size and WebP quality that are tried in turn until an image has no more bytes; text is as sharp as on paper with the
first, and so are most photographs. Without losses these take seconds."""

MAX_GAP = 0.04
"""Of a page's width, two letters or so: words of one line that are further apart stand in two columns."""

_GRID = 100_000
"""Positions on a page are asked for in this many parts of its width and height."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, as parts of the page's width and height."""


@dataclass(frozen=True)
class DrawnPage:
    """A page as it looks; `text` is the document's at `[start, start + len(text))`, as it was read from there.

    `image` is WebP; `boxes` has, for each range that was asked for, a box a line of it on this page.
    """

    image: bytes
    width: int
    height: int
    start: int
    text: str
    boxes: tuple[tuple[Box, ...], ...]


def draw_page(content: bytes, number: int, ranges: Sequence[tuple[int, int]]) -> DrawnPage:
    """A page of a PDF, from 1, with the boxes of ranges of its text. Raises DocumentError where it cannot be drawn."""
    import pypdfium2

    reading = _reading(content)
    place = next((page for page in reading.structure.pages if page.number == number), None)
    if place is None:
        raise DocumentError(f"it has no page {number}")
    try:
        with opened(content) as document:
            page = document[number - 1]
            image, (width, height) = _image(page)
            boxes = _boxes(page, [list(_characters(reading, number, *wanted)) for wanted in ranges])
            page.close()
    except pypdfium2.PdfiumError as error:
        raise DocumentError(f"its page {number} is damaged") from error
    return DrawnPage(image, width, height, place.start, reading.text[place.start : place.end], boxes)


@lru_cache(maxsize=2)
def _reading(content: bytes) -> Reading:
    """Kept for the next page of the same file."""
    return read_pdf(content)


def _characters(reading: Reading, number: int, start: int, end: int) -> Iterator[int]:
    """The characters of a page, by PDFium's numbers, of which the text at `[start, end)` was made."""
    for placed in reading.placed:
        if placed.page != number or placed.end <= start:
            continue
        text, places = traced_lines(placed.words.text)
        begin = placed.end - len(text)
        if begin >= end:
            return
        origins = placed.words.origins()
        for place in places[max(start - begin, 0) : end - begin]:
            origin = None if place is None else origins[place]
            if origin is not None:
                yield origin


# The image


def _image(page: pypdfium2.PdfPage) -> tuple[bytes, tuple[int, int]]:
    """A page as WebP, and the size of that in pixels."""
    width, height = page.get_size()
    if not (width > 0 and height > 0):
        raise DocumentError("a page of it has no size")
    scale = min((PAGE_WIDTH - 1) / width, (MAX_PAGE_HEIGHT - 1) / height)  # PDFium rounds up
    drawn = page.render(scale=scale).to_pil().convert("RGB")
    for size, quality in QUALITIES:
        image = drawn if size == 1 else drawn.reduce(round(1 / size))
        file = io.BytesIO()
        image.save(file, "WEBP", quality=quality, method=2)
        if file.tell() <= MAX_IMAGE_BYTES:
            break
    return file.getvalue(), image.size


# The boxes


def _boxes(page: pypdfium2.PdfPage, ranges: Sequence[Sequence[int]]) -> tuple[tuple[Box, ...], ...]:
    text_page = page.get_textpage()
    found = tuple(tuple(_in_lines(_box(page, text_page, c) for c in characters)) for characters in ranges)
    text_page.close()
    return found


def _box(page: pypdfium2.PdfPage, text_page: pypdfium2.PdfTextPage, character: int) -> Box:
    """The space that a character's font gives it, on the page as it is shown: cropped, turned, from its top."""
    import ctypes

    import pypdfium2.raw as pdfium

    edges = text_page.get_charbox(character, loose=True)
    x, y = ctypes.c_int(), ctypes.c_int()
    corners = []
    for left, top in ((edges[0], edges[1]), (edges[2], edges[3])):
        pdfium.FPDF_PageToDevice(page.raw, 0, 0, _GRID, _GRID, 0, left, top, x, y)
        corners.append((min(max(x.value / _GRID, 0.0), 1.0), min(max(y.value / _GRID, 0.0), 1.0)))
    (a, b), (c, d) = corners
    return min(a, c), min(b, d), max(a, c), max(b, d)


def _in_lines(boxes: Iterable[Box]) -> Iterator[Box]:
    """The boxes of characters in reading order put together, one a line; what has no size is left out."""
    held: Box | None = None
    for box in boxes:
        left, top, right, bottom = box
        if not (left < right and top < bottom):
            continue
        if held is not None and _is_beside(held, box):
            held = held[0], min(held[1], top), max(held[2], right), max(held[3], bottom)
        else:
            if held is not None:
                yield held
            held = box
    if held is not None:
        yield held


def _is_beside(one: Box, other: Box) -> bool:
    """Whether a box stands at the right of another on one line, sharing half the height of the lower of the two."""
    shared = min(one[3], other[3]) - max(one[1], other[1])
    is_right = one[0] <= other[0] <= one[2] + MAX_GAP
    return is_right and shared >= min(one[3] - one[1], other[3] - other[1]) / 2


# Between processes


def as_data(drawn: DrawnPage) -> dict[str, Any]:
    """A drawn page as strings, numbers and lists."""
    return {
        "image": base64.b64encode(drawn.image).decode(),
        "size": [drawn.width, drawn.height],
        "start": drawn.start,
        "text": drawn.text,
        "boxes": drawn.boxes,
    }


def checked_page(data: dict[str, Any]) -> DrawnPage:
    """A drawn page, checked: the process that gave it may have been taken over.

    Raises DocumentError for what `draw_page` does not give.
    """
    try:
        image = base64.b64decode(data["image"], validate=True)
        width, height = (int(side) for side in data["size"])
        boxes = tuple(tuple(_checked_box(*box) for box in lines) for lines in data["boxes"])
        drawn = DrawnPage(image, width, height, int(data["start"]), str(data["text"]), boxes)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DocumentError("its parser gave no page") from error
    if not (re.match(rb"RIFF.{4}WEBP", image, re.DOTALL) and 0 < width <= PAGE_WIDTH and 0 < height <= MAX_PAGE_HEIGHT):
        raise DocumentError("its parser gave no page")
    return drawn


def _checked_box(left: float, top: float, right: float, bottom: float) -> Box:
    if not (0 <= left <= right <= 1 and 0 <= top <= bottom <= 1):
        raise ValueError("no box on a page")
    return float(left), float(top), float(right), float(bottom)
