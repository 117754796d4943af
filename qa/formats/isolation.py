"""Untrusted files read in a process that can be killed, so that a parser that hangs or crashes costs one file."""

from __future__ import annotations

import atexit
import contextlib
import datetime
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import IO, Any

from qa.datatypes import Block, Label, Page, Section
from qa.errors import DocumentError, QAError
from qa.formats.limits import MAX_CHARACTERS, MAX_MEMORY_BYTES, MAX_SECONDS
from qa.formats.pdf_pages import DrawnPage, checked_page
from qa.structure import Structure

MAX_DRAWING_SECONDS = MAX_SECONDS / 4
"""A person waits, and others behind them: enough for a file of some thousands of pages, which is read again for it."""

START_SECONDS = 60
"""A new process loads the program in a second; on a machine that is busy it may take several."""

_PROGRAM = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from qa.formats.worker import main
main()
"""

MAX_ANSWER_BYTES = 12 * MAX_CHARACTERS + 100_000_000
"""A character is at most twelve bytes of JSON; what is longer is no answer."""

FILES_A_PROCESS = 2_000
"""Then a new one is started: what a parser fails to give back never adds up."""


def read_isolated(ending: str, content: bytes, seconds: float = MAX_SECONDS) -> tuple[str, Structure]:
    """The text and structure of a file, by the reader for its ending, in another process.

    Raises DocumentError with the reader's reason, or with what became of its process. The process is kept for the next.
    """
    return checked(_reading.ask({"ending": ending}, content, seconds))


def draw_isolated(
    content: bytes, number: int, ranges: Sequence[tuple[int, int]], seconds: float = MAX_DRAWING_SECONDS
) -> DrawnPage:
    """A page of a PDF, from 1, as an image with the boxes of ranges of its text; in a process that is kept for this.

    Raises DocumentError with the reason why there is none.
    """
    page = {"number": number, "ranges": [list(wanted) for wanted in ranges]}
    drawn = checked_page(_drawing.ask({"ending": ".pdf", "page": page}, content, seconds))
    if len(drawn.boxes) != len(ranges):
        raise DocumentError("its parser gave no page")
    return drawn


class _Keeper:
    """A parsing process, started when it is first needed and kept from one file to the next."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.process: _Process | None = None

    def ask(self, request: dict[str, Any], content: bytes, seconds: float) -> dict[str, Any]:
        """Its answer. Raises DocumentError with the reason why there is none, or with what became of the process."""
        with self._lock:
            if self.process is None or not self.process.is_usable():
                self.end()
                self.process = _Process()
            try:
                answer = self.process.ask(request, content, seconds)
            except BaseException:
                self.end()
                raise
        if "refused" in answer:
            raise DocumentError(str(answer["refused"]))
        return answer

    def end(self) -> None:
        """End the process, if there is one; the next question starts another."""
        if self.process is not None:
            self.process.end()
            self.process = None


class _Process:
    """The parsing process, seen from outside."""

    def __init__(self) -> None:
        # Modules are found where this process finds them, and never (-I) in the folder where it was started: that may
        # be the one with the documents.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-B", "-c", _PROGRAM, json.dumps([path for path in sys.path if path])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl+C is for the program, which then ends this one
        )
        self._owner = os.getpid()
        self._files = 0
        with self._killed_after(START_SECONDS):
            if self._output.readline() != b"ready\n":
                self.end()
                raise QAError("The process that reads files could not be started. Is `qa` installed completely?")

    @property
    def _input(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _output(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def is_usable(self) -> bool:
        """Whether it runs, belongs to this process and has not read its fill."""
        return self._owner == os.getpid() and self._process.poll() is None and self._files < FILES_A_PROCESS

    def ask(self, request: dict[str, Any], content: bytes, seconds: float) -> dict[str, Any]:
        """Its answer. Raises DocumentError when it ends without one or takes too long."""
        self._files += 1
        with self._killed_after(seconds) as timer:
            try:
                self._input.write(json.dumps({**request, "bytes": len(content)}).encode() + b"\n")
                self._input.write(content)
                self._input.flush()
                line = self._output.readline(MAX_ANSWER_BYTES)
            except OSError:
                line = b""
            if line.endswith(b"\n"):
                try:
                    answer = json.loads(line)
                except (ValueError, RecursionError):
                    answer = None
                if isinstance(answer, dict):
                    return answer
        if timer.has_killed:
            raise DocumentError(f"reading it took longer than {seconds:g} seconds and was given up (QA_MAX_SECONDS)")
        raise DocumentError(
            f"its parser ended before it had read it: it is damaged, or needs more than {MAX_MEMORY_BYTES:,} bytes of "
            "memory (QA_MAX_MEMORY_BYTES)"
        )

    @contextlib.contextmanager
    def _killed_after(self, seconds: float) -> Iterator[_Timer]:
        timer = _Timer(seconds, self._process)
        timer.start()
        try:
            yield timer
        finally:
            timer.cancel()
            timer.join()

    def end(self) -> None:
        """Kill it and wait for its end."""
        if self._owner == os.getpid():
            self._process.kill()
            for pipe in (self._input, self._output):
                with contextlib.suppress(OSError):
                    pipe.close()
            self._process.wait()


class _Timer(threading.Timer):
    """Kills a process after a time."""

    def __init__(self, seconds: float, process: subprocess.Popen[bytes]) -> None:
        super().__init__(seconds, self._kill)
        self.daemon = True
        self.has_killed = False
        self._process = process

    def _kill(self) -> None:
        self.has_killed = True
        self._process.kill()


_reading = _Keeper()
_drawing = _Keeper()
"""Of its own: a page is shown at once also while a folder of files is read."""

atexit.register(_reading.end)
atexit.register(_drawing.end)


def checked(answer: dict[str, Any]) -> tuple[str, Structure]:
    """An answer as text and structure, every place in it checked: the process that gave it may have been taken over.

    Raises DocumentError for what no reader gives.
    """
    try:
        text, data = answer["text"], answer["structure"]
        structure = Structure(
            title=_text_or_none(data["title"]),
            date=None if data["date"] is None else datetime.date.fromisoformat(data["date"]),
            source=_text_or_none(data["source"]),
            sections=tuple(Section(_text(h), int(level), int(s), int(e)) for h, level, s, e in data["sections"]),
            blocks=tuple(
                Block(
                    kind,
                    int(start),
                    int(end),
                    None if label is None else Label(_text(label[0]), int(label[1]), int(label[2])),
                )
                for kind, start, end, label in data["blocks"]
            ),
            pages=tuple(Page(int(number), int(start), int(end)) for number, start, end in data["pages"]),
        )
        text.encode("utf-8")
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise DocumentError("its parser gave no document") from error
    _check_places(text, structure)
    return text, structure


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def _check_places(text: str, structure: Structure) -> None:
    """Raises DocumentError unless all places are inside the text, in order, and labels read what they say."""
    places: list[Section | Block | Page] = [*structure.sections, *structure.blocks, *structure.pages]
    inside = all(0 <= place.start <= place.end <= len(text) for place in places)
    kinds = all(block.kind in ("paragraph", "item", "event", "row") for block in structure.blocks)
    in_order = (
        all(one.end <= other.start for one, other in pairwise(structure.blocks))
        and all(one.start <= other.start for one, other in pairwise(structure.sections))
        and all(one.end == other.start and one.number < other.number for one, other in pairwise(structure.pages))
    )
    labels = {block.label for block in structure.blocks if block.label is not None}
    if not (inside and kinds and in_order and all(text[label.start : label.end] == label.text for label in labels)):
        raise DocumentError("its parser gave places that do not fit its text")
