"""An index opened with its models: what the command line, the page and programs ask."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from qa.answering import DEFAULT_K, Answerer, Strictness
from qa.calibration import Calibrator
from qa.datatypes import Answer, Candidate, Document
from qa.embedding import BUNDLED, Embedder, SentenceTransformerEmbedder
from qa.index import Index, Manifest
from qa.question import clean_question, holds_words, plain_question
from qa.reader import Reader, SentenceReader
from qa.retrieval import HybridRetriever, Within
from qa.span_reader import SpanReader

READERS = ("span", "span-exact", "sentence")
"""The readers that come with the program, by the name used in options; the first is the default.

"span-exact" is "span" in float32, slower and the same on every processor: the pass marks of the evaluation set are its.
"""


def open_reader(name: str, embedder: Embedder) -> Reader:
    """A reader of the program's own, or an exported or Hugging Face one by folder or hub name. Raises ModelMissing."""
    if name == "sentence":
        return SentenceReader(embedder)
    if name in ("span", "span-exact"):
        return SpanReader.bundled(exact=name == "span-exact")
    return SpanReader.from_export(Path(name)) if Path(name, "reader.xml").exists() else SpanReader.from_hub(name)


class Pipeline:
    """Answers from the live generation of an index; a rebuild is picked up before the next question.

    Safe to ask from several threads: a question is answered from one generation throughout.
    """

    def __init__(
        self,
        folder: Path,
        embedder: Embedder | None = None,
        reader: Reader | str = READERS[0],
        k: int = DEFAULT_K,
        strictness: Strictness = "normal",
    ) -> None:
        """`reader` is one, or what `open_reader` knows it by.

        Raises IndexMissing, IndexDamaged, IndexStale or ModelMissing, each with what mends it.
        """
        self._folder = folder
        self._embedder = embedder if embedder is not None else SentenceTransformerEmbedder(BUNDLED)
        self._opening = threading.Lock()
        with ThreadPoolExecutor(max_workers=1) as beside:  # the reader takes as long to load as all the rest
            loading = beside.submit(lambda: open_reader(reader, self._embedder) if isinstance(reader, str) else reader)
            self._opened = self._open()
            self._embedder.encode(["?"])  # loads what is otherwise loaded by the first question
        self._reader = loading.result()
        self._calibrator = Calibrator.load(self._reader.name)
        self._k = k
        self._strictness: Strictness = strictness

    def _open(self) -> tuple[Index, HybridRetriever]:
        index = Index.open(self._folder)
        return index, HybridRetriever(index, self._embedder)

    def _current(self) -> tuple[Index, HybridRetriever]:
        with self._opening:
            if not self._opened[0].is_live():
                self._opened = self._open()
            return self._opened

    def ask(
        self,
        question: str,
        strictness: Strictness | None = None,
        k: int | None = None,
        documents: frozenset[str] | None = None,
    ) -> Answer:
        """The documents' answer to a question, or that of the `documents` named by their ids.

        Raises QuestionError for a question that is too long.
        """
        return self.answerer(strictness, k, documents).ask(question)

    def answerer(
        self, strictness: Strictness | None = None, k: int | None = None, documents: frozenset[str] | None = None
    ) -> Answerer:
        """What answers from the generation that is live now, or from these documents of it."""
        index, retriever = self._current()
        return Answerer(
            retriever if documents is None else Within(retriever, documents),
            self._reader,
            self._calibrator,
            index.store.document,
            k=self._k if k is None else k,
            strictness=self._strictness if strictness is None else strictness,
            original=index.original,
            absence=partial(index.absence, documents=documents),
            alike=self._alike,
        )

    def _alike(self, text: str, others: Sequence[str]) -> Sequence[float]:
        """Cosines by the bundled embedder; others', of which some are near 1 whatever the texts, count for nothing."""
        if self._embedder.name != BUNDLED:
            return [0.0] * len(others)
        first, *vectors = self._embedder.encode([text, *others])
        return [float(vector @ first) for vector in vectors]

    def search(self, question: str, k: int | None = None, documents: frozenset[str] | None = None) -> list[Candidate]:
        """The passages that an answer would be looked for in, best first, of the documents where any are named.

        None for a question without a word.
        """
        question = clean_question(question)
        if not holds_words(question):
            return []
        _, retriever = self._current()
        return retriever.retrieve(plain_question(question), self._k if k is None else k, documents)

    def document(self, identifier: str) -> Document:
        """A document by its id. Raises KeyError for an id that is not there."""
        return self._current()[0].store.document(identifier)

    @property
    def embedder(self) -> Embedder:
        """What embeds questions, and must have embedded the passages."""
        return self._embedder

    @property
    def manifest(self) -> Manifest:
        """What the live generation holds."""
        return self._current()[0].manifest
