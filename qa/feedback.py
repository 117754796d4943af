"""What people say of answers, kept on this machine as examples that `qa evaluate --questions` runs.

The file is one of examples (JSON Lines, as in `tests/evaluation`) that only ever grows: a later judgement of the same
question takes the place of the one before, and `{"id": …, "undo": true}` takes the last one back. A place carries the
SHA-256 of its document, so that an example whose document has changed since is told from a wrong answer.

    answer right      an example with the answer's citations as accepted answers, or, for silence, with none
    answer wrong      an example that knows only what is `rejected`: the answer's citations, or, when empty, silence
    answer is here    an example with the selected place as the accepted answer, tagged "located"
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from qa.datatypes import Answer, Citation, Document
from qa.errors import QAError
from qa.evaluation import (
    JUDGED,
    LOCATED,
    MAX_RIGHT_WORDS,
    Accepted,
    Example,
    Place,
    Rejected,
    held_examples,
    whole_lines,
)
from qa.question import clean_question

log = logging.getLogger(__name__)

LOCK_SECONDS = 10
"""How long a judgement waits for others to be written, each of which takes milliseconds."""


def default_examples(index: Path) -> Path:
    """Where judgements are kept unless said otherwise: beside the folder of the index, and named after it.

    >>> default_examples(Path("/home/ada/index")).as_posix()
    '/home/ada/index-examples.jsonl'
    """
    folder = index.absolute()
    return folder.with_name(f"{folder.name}-examples.jsonl")


def asked(answer: Answer) -> str:
    """The question that an answer answers when it is asked alone: what is judged."""
    return answer.question if answer.read_as is None else answer.read_as


class Judgements:
    """The file of judgements, which is made by the first one; `document` gives a document by its id.

    Several threads and processes may judge at once. Every judgement raises QAError when it cannot be kept, and when a
    document is no longer as it was when the answer or the selection was made.
    """

    def __init__(self, path: Path, document: Callable[[str], Document]) -> None:
        self.path = path
        self._document = document

    def right(self, answer: Answer) -> Example:
        """Keep that an answer, or silence, is right; gives the example that holds from now on."""
        accepted = tuple(Accepted(_place(c), c.answer) for c in _judged(answer))
        return self._keep(_example(asked(answer), ("right",), answers=accepted))

    def wrong(self, answer: Answer) -> Example:
        """Keep that an answer, or silence, is wrong, which says nothing of what is right."""
        rejected = tuple(Rejected(_place(c), c.answer) for c in _judged(answer))
        return self._keep(_example(asked(answer), ("wrong",), rejected=rejected))

    def located(self, question: str, document: str, sha256: str, start: int, end: int) -> Example:
        """Keep that the right answer stands at `[start, end)`; white space around it does not count."""
        text = self._unchanged(document, sha256).text
        if not 0 <= start <= end <= len(text):
            raise QAError(f"{document} has {len(text):,} characters; {start} to {end} is no place in it. Select anew.")
        words = text[start:end].strip()
        if not words:
            raise QAError("Nothing is selected. Select the words that answer the question.")
        if len(words.split()) > MAX_RIGHT_WORDS:
            raise QAError(
                f"{len(words.split())} words are selected. Select the words that answer the question, at most "
                f"{MAX_RIGHT_WORDS}."
            )
        start += len(text[start:end]) - len(text[start:end].lstrip())
        place = Place(document, start, start + len(words), sha256)
        return self._keep(_example(question, (LOCATED,), answers=(Accepted(place, words),)))

    def undo(self, question: str) -> Example | None:
        """Take the last judgement of a question back; gives the one before it, which holds again, if there is one."""
        if self.of(question) is not None:
            self._append({"id": _id(question), "undo": True})
        return self.of(question)

    def of(self, question: str) -> Example | None:
        """What is held of a question; None when it was not judged."""
        return next((example for example in self.examples() if example.id == _id(question)), None)

    def examples(self) -> list[Example]:
        """All that is held, a question once. Raises QuestionsError when the file is damaged, naming the line."""
        return held_examples(self.path) if self.path.exists() else []

    def _keep(self, example: Example) -> Example:
        for named in example.named:
            place = named.place
            document = self._unchanged(place.document, place.sha256)
            if document.text[place.start : place.end] != named.text:
                raise QAError(f"{document.id} does not read {named.text!r} there. Ask the question again.")
        self._append(example_json(example))
        return example

    def _unchanged(self, identifier: str, sha256: str | None) -> Document:
        try:
            document = self._document(identifier)
        except KeyError as error:
            raise QAError(f"{identifier} is no longer in the index. Ask the question again.") from error
        if document.sha256 != sha256:
            raise QAError(f"{document.title} has changed since the question was asked. Ask it again.")
        return document

    def _append(self, data: Mapping[str, Any]) -> None:
        """Write one line: whole, flushed to disk, and after what a crash may have left of another."""
        line = json.dumps(data).encode() + b"\n"  # ASCII, so that wherever it were cut the rest could be read
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path.with_name(f".{self.path.name}.lock"), LOCK_SECONDS), self.path.open("a+b") as file:
                file.seek(0)
                content = file.read()
                whole = whole_lines(content)
                if len(whole) < len(content):
                    log.warning("The last line of %s was cut short and is dropped.", self.path)
                    file.truncate(len(whole))
                file.write(line if whole.endswith(b"\n") or not whole else b"\n" + line)
                file.flush()
                os.fsync(file.fileno())
        except Timeout as error:
            raise QAError(f"Another process has been writing {self.path} for {LOCK_SECONDS} s. Try again.") from error
        except OSError as error:
            raise QAError(
                f"The judgement cannot be written to {self.path}: {error.strerror}. Name another file with --examples."
            ) from error


def example_json(example: Example) -> dict[str, Any]:
    """An example as a line of a file of questions."""

    def place(held: Place) -> dict[str, Any]:
        sha256 = {} if held.sha256 is None else {"sha256": held.sha256}
        return {"document": held.document, "start": held.start, "end": held.end, **sha256}

    line: dict[str, Any] = {
        "id": example.id,
        "split": example.split,
        "kind": example.kind,
        "tags": list(example.tags),
        "question": example.question,
        "answers": [{"text": a.text, **place(a.place), "variant": a.variant} for a in example.answers],
        "evidence": [place(evidence) for evidence in example.evidence],
    }
    if example.rejected is not None:
        line["rejected"] = [{"text": r.text, **place(r.place)} for r in example.rejected]
    return line


def _example(
    question: str,
    tags: tuple[str, ...],
    answers: tuple[Accepted, ...] = (),
    rejected: tuple[Rejected, ...] | None = None,
) -> Example:
    question = clean_question(question)
    return Example(_id(question), "test", JUDGED, tags, question, answers, (), rejected)


def _id(question: str) -> str:
    """The same for a question however it is spaced and capitalised."""
    return f"judged-{hashlib.sha256(clean_question(question).casefold().encode()).hexdigest()[:12]}"


def _judged(answer: Answer) -> tuple[Citation, ...]:
    """The citations of what is judged. Raises QAError where nothing was answered, not even that nothing is said."""
    if answer.reason in ("empty_question", "failed"):
        raise QAError("There is no answer to judge. Ask a question first.")
    return answer.citations


def _place(citation: Citation) -> Place:
    return Place(citation.document, citation.answer_start, citation.answer_end, citation.sha256)
