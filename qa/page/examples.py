"""Example questions made from the documents, and shown only where the pipeline answers them from there."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from typing import TypeVar

from qa.datatypes import Answer, Document
from qa.errors import QAError
from qa.index import Manifest
from qa.pipeline import Pipeline
from qa.text import sentences

T = TypeVar("T")

log = logging.getLogger(__name__)

MAX_EXAMPLES = 5
"""A handful."""

MAX_TRIED = 12
"""Each one is asked while the page is opened, so this bounds what the examples add to that."""

MAX_DOCUMENTS = 20
"""Taken evenly from all of them: enough variety, also where there are thousands."""

MAX_QUESTION_CHARACTERS = 80
"""What fits a button."""

GOOD_CONFIDENCE = 0.75
"""Above the threshold of "strict" answers: an example should show the program at its best."""


@dataclass(frozen=True)
class Suggestion:
    """A question, and the place `[start, end)` from which it was made and where its answer stands."""

    question: str
    document: str
    start: int
    end: int

    def is_answered_by(self, answer: Answer) -> bool:
        """Whether an answer is a confident one that cites the place."""
        return answer.confidence >= GOOD_CONFIDENCE and any(
            citation.document == self.document and citation.start < self.end and self.start < citation.end
            for citation in answer.citations
        )


class Examples:
    """Questions that the pipeline answers well from the documents of the live generation.

    They are looked for once a generation, when they are first wanted, in a thread of their own: nobody waits for them
    but those who want to see them. Safe to use from several threads.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._lock = threading.Lock()
        self._manifest: Manifest | None = None
        self._found: tuple[str, ...] = ()
        self._ended = False

    def now(self) -> tuple[tuple[str, ...], bool]:
        """What has been found so far, and whether that is all. Raises QAError when the index cannot be opened."""
        manifest = self._pipeline.manifest
        with self._lock:
            if manifest is not self._manifest:
                self._manifest, self._found, self._ended = manifest, (), False
                threading.Thread(target=self._find, args=(manifest,), daemon=True).start()
            return self._found, self._ended

    def _find(self, manifest: Manifest) -> None:
        found: tuple[str, ...] = ()
        try:
            for question in islice(answered_examples(self._pipeline, manifest), MAX_EXAMPLES):
                found = (*found, question)
                if not self._keep(manifest, found):
                    return
        except (QAError, KeyError):  # the index is being changed: the next generation has examples of its own
            log.info("No more example questions could be looked for.", exc_info=True)
        self._keep(manifest, found, ended=True)

    def _keep(self, manifest: Manifest, found: tuple[str, ...], ended: bool = False) -> bool:
        """Whether the generation is still the one that is wanted."""
        with self._lock:
            if manifest is not self._manifest:
                return False
            self._found, self._ended = found, ended
            return True


def answered_examples(pipeline: Pipeline, manifest: Manifest) -> Iterator[str]:
    """The questions that are answered well, each when it has been asked; the same for the same index."""
    ids = [entry.id for entry in manifest.documents]
    step = -(-len(ids) // MAX_DOCUMENTS)
    documents = [pipeline.document(identifier) for identifier in ids[::step]]
    for example in islice(possible_examples(documents), MAX_TRIED):
        if example.is_answered_by(pipeline.ask(example.question)):
            yield example.question


def possible_examples(documents: Sequence[Document]) -> Iterator[Suggestion]:
    """Questions the documents should answer, each once; kinds of questions, and documents, take turns."""
    seen: set[str] = set()
    for example in _in_turns([_in_turns([kind(document) for document in documents]) for kind in _KINDS]):
        if len(example.question) <= MAX_QUESTION_CHARACTERS and example.question not in seen:
            seen.add(example.question)
            yield example


def _in_turns(rows: Sequence[Iterable[T]]) -> Iterator[T]:
    """One of each row, then the next of each."""
    missing = object()
    turns = zip_longest(*rows, fillvalue=missing)
    return (item for item in chain.from_iterable(turns) if item is not missing)  # type: ignore[misc]


# Kinds of questions


_CAPITALISED = r"[A-Z][\w’'.-]*"
_SUBJECT = rf"(?:The )?{_CAPITALISED}(?: (?:of|the|and|de|van|von|{_CAPITALISED}))*"
_DATED = re.compile(r"\S[^:]{0,30}?\d\d\s*(?::|\s[-–—])\s+")
_EVENT = re.compile(rf"(?P<subject>{_SUBJECT}) (?P<verb>[a-z]{{2,}}s) (?P<rest>[^,;:]+?)(?:[,;:].*)?\.?")
_SINCE = re.compile(
    rf"Since \d{{4}}, (?P<subject>{_SUBJECT}) (?P<verb>has|have) (?P<rest>[^,;:]+?)(?: which\b.*|[,;:].*)?\.?"
)
_LIST = re.compile(r"(?P<subject>[A-Z]\w+(?: [^\s,.;:]+){2,10}?) (?P<verb>are:|include) [^.]*[,;] .*")
_IN_BRACKETS = re.compile(r"\((?P<letters>[A-Z][A-Za-z]{1,6})\)")


def _of_events(document: Document) -> Iterator[Suggestion]:
    """ "2002: Tajikistan joins the Partnership." → "When did Tajikistan join the Partnership?" """
    for block in document.blocks:
        if block.kind == "event":
            line = document.text[block.start : block.end]
            dated = _DATED.match(line)
            event = _EVENT.fullmatch(line, 0 if dated is None else dated.end())
            if event is not None and event["verb"] not in ("has", "is"):
                question = f"When did {_inside(event['subject'])} {_infinitive(event['verb'])} {event['rest']}?"
                yield Suggestion(question, document.id, block.start, block.end)


def _of_lists(document: Document) -> Iterator[Suggestion]:
    """ "Key areas are: borders; crises." → "What are the key areas?" """
    for start, end, match in _in_sentences(document, _LIST):
        subject = _inside(match["subject"], document.text)
        are = match["verb"] == "are:"
        question = f"What are the {subject}?" if are else f"What do the {subject} include?"
        yield Suggestion(question, document.id, start, end)


def _of_abbreviations(document: Document) -> Iterator[Suggestion]:
    """ "the Trust Fund (TF)" → "What does TF stand for?" """
    for found in _IN_BRACKETS.finditer(document.text):
        line = document.text[document.text.rfind("\n", 0, found.start()) + 1 : found.start()]
        words = re.findall(r"\w+", line)
        initials = "".join(word[0] for word in words)
        capitals = "".join(letter for letter in initials if letter.isupper())
        if initials.upper().endswith(found["letters"].upper()) or capitals.endswith(found["letters"].upper()):
            yield Suggestion(f"What does {found['letters']} stand for?", document.id, found.start(), found.end())


def _of_beginnings(document: Document) -> Iterator[Suggestion]:
    """ "Since 2005, NATO has sponsored a school." → "Since when has NATO sponsored a school?" """
    for start, end, match in _in_sentences(document, _SINCE):
        question = f"Since when {match['verb']} {_inside(match['subject'])} {match['rest']}?"
        yield Suggestion(question, document.id, start, end)


_KINDS: tuple[Callable[[Document], Iterator[Suggestion]], ...] = (
    _of_events,
    _of_lists,
    _of_abbreviations,
    _of_beginnings,
)


def _in_sentences(document: Document, pattern: re.Pattern[str]) -> Iterator[tuple[int, int, re.Match[str]]]:
    for block in document.blocks:
        for sentence in sentences(document.text, block.start, block.end):
            match = pattern.fullmatch(sentence.text)
            if match is not None:
                yield sentence.start, sentence.end, match


def _inside(subject: str, text: str | None = None) -> str:
    """A sentence's beginning as it reads inside another: without the capital, unless it starts with a name.

    A name is what the `text` around it capitalises elsewhere; without a text, everything but an article.

    >>> _inside("Key areas of Mali", "Key areas of Mali are: borders; roads.")
    'key areas of Mali'
    >>> _inside("Mali", "Key areas of Mali are: borders; roads.")
    'Mali'
    """
    first, *_ = subject.split()
    no_name = text is not None and re.search(rf"[a-z,] {re.escape(first)}\b", text) is None
    return subject[0].lower() + subject[1:] if no_name or first in ("The", "A", "An") else subject


def _infinitive(verb: str) -> str:
    """The infinitive of a verb in the third person.

    >>> [_infinitive(verb) for verb in ("joins", "makes", "carries", "reaches")]
    ['join', 'make', 'carry', 'reach']
    """
    if verb.endswith("ies"):
        return verb[:-3] + "y"
    if verb.endswith(("shes", "ches", "sses", "xes", "zes", "oes")):
        return verb[:-2]
    return verb[:-1]
