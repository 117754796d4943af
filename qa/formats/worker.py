"""What runs in the process in which untrusted files are parsed; `qa.formats.isolation` starts it.

Takes requests on standard input, one at a time: a line of JSON with the file's ending and its length, then its bytes.
Answers each with one line of JSON on standard output: the text and its structure, or the reason why there is none. A
request that names a page of a PDF gets that page as an image, with the boxes of the ranges of text that it names.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, BinaryIO

from qa.errors import DocumentError
from qa.formats.limits import MAX_MEMORY_BYTES, MAX_SECONDS
from qa.structure import Structure

_FORBIDDEN = (
    *("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile"),
    *("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown"),
    *("os.kill", "shutil.", "ftplib.", "urllib.", "http.", "smtplib.", "webbrowser."),
)
"""What no parser has to do, by the names of Python's audit events."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

GRACE_SECONDS = 30
"""After its time is up, and its parent has not ended it (being gone itself), the process ends by itself."""


def main() -> None:
    """Answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a parser prints must not be taken for an answer
    _restrict()
    answers.write(b"ready\n")
    answers.flush()
    while header := sys.stdin.buffer.readline():
        request = json.loads(header)
        content = sys.stdin.buffer.read(request["bytes"])
        _set_alarm(MAX_SECONDS + GRACE_SECONDS)
        _answer(answers, draw(content, **request["page"]) if "page" in request else read(request["ending"], content))
        _set_alarm(0)


def read(ending: str, content: bytes) -> dict[str, Any]:
    """What a file of this ending holds, as plain data."""
    from qa.documents import READERS

    def found() -> dict[str, Any]:
        text, structure = READERS[ending](content)
        return {"text": text, "structure": as_data(structure)}

    return _answered(found, ending)


def draw(content: bytes, number: int, ranges: list[tuple[int, int]]) -> dict[str, Any]:
    """A page of a PDF with the boxes of ranges of its text, as plain data."""
    from qa.formats import pdf_pages

    return _answered(lambda: pdf_pages.as_data(pdf_pages.draw_page(content, number, ranges)), ".pdf")


def _answered(found: Callable[[], dict[str, Any]], ending: str) -> dict[str, Any]:
    """What was found in a file, or the reason why nothing was."""
    try:
        return found()
    except DocumentError as error:
        return {"refused": str(error)}
    except MemoryError:
        raise
    except RecursionError:
        return {"refused": "it nests too deep"}
    except Exception as error:  # a parser's own fault, or a file made to find one: it costs this file only
        return {"refused": f"it is damaged, or no {ending} file ({type(error).__name__})"}


def as_data(structure: Structure) -> dict[str, Any]:
    """A structure as lists, numbers and strings."""
    return {
        "title": structure.title,
        "date": None if structure.date is None else structure.date.isoformat(),
        "source": structure.source,
        "sections": [[s.heading, s.level, s.start, s.end] for s in structure.sections],
        "blocks": [
            [b.kind, b.start, b.end, None if b.label is None else list(asdict(b.label).values())]
            for b in structure.blocks
        ],
        "pages": [[p.number, p.start, p.end] for p in structure.pages],
    }


def _answer(answers: BinaryIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer).encode("ascii") + b"\n")
    answers.flush()


def _restrict() -> None:
    """Take from this process what parsing does not need: the network, other programs, writing, endless memory."""

    def forbid(event: str, arguments: tuple[object, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING
        if writes or event.startswith(_FORBIDDEN):
            raise PermissionError(f"A reader of documents may not do this: {event}")

    sys.addaudithook(forbid)
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    except (ImportError, AttributeError, ValueError, OSError):
        pass  # not enforced on this system; the time limit is


def _set_alarm(seconds: int) -> None:
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)
