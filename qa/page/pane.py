"""What is shown beside the answer: documents from the index, their pages and files from the folder of documents."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from qa.datatypes import Document
from qa.documents import original
from qa.errors import DocumentError, QAError
from qa.formats.isolation import draw_isolated
from qa.formats.pdf_pages import DrawnPage
from qa.page.source import AT_THE_QUOTE, Place, View, has_pages, page_number, page_of, source_html
from qa.text import shown_name

KEPT_PAGES = 24
"""Drawn pages kept in memory, at some 100 kB each: turning back and forth draws nothing again."""

KEPT_COPIES = 8
"""Originals copied to where the page may serve files from. A copy goes when so many others have been asked for."""

MAX_NAME_BYTES = 200
"""Of a copy's name; file systems allow 255."""

AS_IT_WAS_READ = "This is its text as it was read."


class SourcePane:
    """Documents as they are shown beside the answer, with what of them was drawn or asked for last.

    `document` gives a document by its id, or raises QAError. `downloads` is a folder that the page may serve files
    from. With `markable`, words that are selected can be said to be the right answer.
    """

    def __init__(
        self,
        corpus: Path,
        document: Callable[[str], Document],
        downloads: Path,
        markable: bool = False,
        back: str = "Back to the answer",
    ) -> None:
        self._corpus = corpus
        self._document = document
        self._downloads = downloads
        self._markable = markable
        self._back = back
        self._opened = itertools.count(1)
        self._copies: deque[Path] = deque()
        weakref.finalize(self, _remove, self._copies)
        self._drawn = lru_cache(maxsize=KEPT_PAGES)(self._draw)

    def opened(self, data: object) -> str:
        """What a click asked for: a place, or another view of one. Raises QAError for what is not there."""
        view = View.from_json(data.get("view") if isinstance(data, Mapping) else None)
        return self.html(Place.from_json(data), clicked=view == AT_THE_QUOTE, view=view)

    def html(self, place: Place, clicked: bool, view: View = AT_THE_QUOTE) -> str:
        """A document at a place, or in another view. Raises QAError when the place does not fit it."""
        document = self._document(place.document)
        place.check(document)
        drawn, note = None, ""
        number = _page_to_draw(document, place, view)
        if number is not None:
            try:
                ranges = ((place.start, place.end), (place.answer_start, place.answer_end))
                drawn = self._drawn(document.id, document.sha256, number, ranges)
            except DocumentError as reason:
                note = f"The page cannot be shown: {reason}. {AS_IT_WAS_READ}"
            except QAError as error:
                note = f"The page cannot be shown. {error} {AS_IT_WAS_READ}"
            if drawn is None:
                view = View(at=page_of(document, number).start if view.page is not None else None)
            else:
                view = View(page=number)
        return source_html(document, place, clicked, next(self._opened), view, drawn, note, self._markable, self._back)

    def _draw(self, identifier: str, sha256: str, number: int, ranges: Sequence[tuple[int, int]]) -> DrawnPage:
        """Raises DocumentError, its message the reason why there is no page; CorpusError without a folder."""
        document = self._document(identifier)
        drawn = draw_isolated(original(document, self._corpus), number, ranges)
        page = page_of(document, number)
        if (drawn.start, drawn.text) != (page.start, document.text[page.start : page.end]):
            raise DocumentError("it is read in another way than when it was indexed; run `qa index --full`")
        return drawn

    def original(self, data: object) -> dict[str, str]:
        """Where the browser finds a copy of the file that a document was read from, or a message why there is none."""
        try:
            place = Place.from_json(data)
            document = self._document(place.document)
            place.check(document)
            content = original(document, self._corpus)
            name = PurePosixPath(shown_name(document.id)).name
            copy = self._copy(content, name)
        except DocumentError as reason:
            return {"message": f"The original cannot be given: {reason}."}
        except QAError as error:
            return {"message": str(error)}
        except OSError as error:
            return {"message": f"The original cannot be given: {error.strerror}."}
        return {"url": f"gradio_api/file={quote(copy.as_posix())}", "name": name}

    def _copy(self, content: bytes, name: str) -> Path:
        """A file in a folder that only this user may open; copies made long ago go."""
        self._downloads.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=self._downloads)).resolve()
        self._copies.append(folder)
        if len(self._copies) > KEPT_COPIES:
            _remove([self._copies.popleft()])
        copy = folder / name.encode()[-MAX_NAME_BYTES:].decode(errors="ignore")
        copy.write_bytes(content)
        return copy


def _remove(folders: Iterable[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _page_to_draw(document: Document, place: Place, view: View) -> int | None:
    """The page that a view wants to see; None for a text. A page that is not there is the quote's."""
    if view.at is not None or not has_pages(document):
        return None
    if view.page is not None and any(page.number == view.page for page in document.pages):
        return view.page
    return page_number(document, place.answer_start)
