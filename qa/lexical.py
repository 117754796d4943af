"""Passages that share words with a question, by BM25 (tantivy)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from pathlib import Path

import tantivy

from qa.errors import IndexDamaged
from qa.store import Chosen
from qa.text import analyser, comparable, content_stems, stems

_WRITER_BYTES = 50_000_000
"""The writer's buffer: above tantivy's least of 15 MB for one thread, enough for 100,000 passages at once."""

_STEMS = "stems"
"""The name under which an index has the tokenizer of `qa.text`, so that its words are those of a question."""

NAMED = 5
"""Documents that can be named in a query in the time in which one row is looked up: 0.0013 ms each against 0.007."""

LONG_STEM = 8
"""Letters from which on a stem may be misspelt in two places."""


class LexicalIndex:
    """A folder in which tantivy keeps the words of passages, each passage under its row number."""

    def __init__(self, index: tantivy.Index) -> None:
        self._index = index
        self._searcher = index.searcher()

    @staticmethod
    def create(folder: Path) -> None:
        """Make an index without rows in a folder that is new or empty. Raises OSError when it cannot be written."""
        schema = tantivy.SchemaBuilder()
        schema.add_text_field("text", tokenizer_name=_STEMS, index_option="freq")
        schema.add_integer_field("row", stored=True)
        schema.add_text_field("document", tokenizer_name="raw", index_option="basic")
        folder.mkdir(parents=True, exist_ok=True)
        try:
            tantivy.Index(schema.build(), path=str(folder))
        except ValueError as error:  # what tantivy raises for whatever goes wrong
            raise OSError(f"tantivy cannot write to {folder}: {error}") from error

    @staticmethod
    def change(folder: Path, remove: Iterable[str], add: Iterable[tuple[int, str, str]]) -> None:
        """Take documents out of the index in a folder and put (row, document, text) in. Raises OSError, as above."""
        try:
            index = tantivy.Index.open(str(folder))
            index.register_tokenizer(_STEMS, analyser())
            writer = index.writer(heap_size=_WRITER_BYTES, num_threads=1)
            for document in remove:
                writer.delete_documents_by_term("document", document)
            for row, document, text in add:
                writer.add_document(tantivy.Document(row=row, document=document, text=comparable(text)))
            writer.commit()
            writer.wait_merging_threads()
        except ValueError as error:
            raise OSError(f"tantivy cannot write to {folder}: {error}") from error

    @classmethod
    def open(cls, folder: Path) -> LexicalIndex:
        """Raises IndexDamaged when tantivy cannot read the folder."""
        try:
            return cls(tantivy.Index.open(str(folder)))
        except (ValueError, OSError) as error:
            raise IndexDamaged(
                f"The lexical index in {folder} cannot be read. Run `qa index --full` to build the index again."
            ) from error

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def best(self, question: str, k: int, within: Chosen | None = None) -> list[tuple[int, float]]:
        """The k rows with the highest BM25 scores for the question's words, best first; only rows that share one.

        Only rows `within` the documents chosen, if any are; their scores are the same as without.
        Article, preposition and question words are left out, unless the question has no others. The words are
        compared as stems, never as a query language: no sign in a question has a meaning of its own.
        """
        words = sorted(content_stems(question) or set(stems(question)))
        k = min(k, len(self) if within is None else len(within.rows))
        if not words or k < 1:
            return []
        query = tantivy.Query.boolean_query([(tantivy.Occur.Should, self._having(word)) for word in words])
        if within is None:
            return self._hits(query, k)
        looked_up = math.ceil(2 * k * len(self) / len(within.rows))  # rows that hold k of those chosen, most likely
        if len(within.documents) <= NAMED * looked_up:
            return self._hits(self._kept_to(within, query), k)
        return self._sifted(query, k, within, looked_up)

    def lacks(self, word: str, within: Chosen | None = None) -> bool:
        """Whether no passage, or none `within` the documents chosen, has the word, compared as its stem.

        A word of several parts ("Franco-British") is lacking where one of them is.
        """
        terms = map(self._having, stems(word))
        queries = terms if within is None else (self._kept_to(within, term) for term in terms)
        return not all(self._searcher.search(query, limit=1, count=False).hits for query in queries)

    def spelt_like(self, stem: str, k: int, within: Chosen | None = None) -> list[int]:
        """At most k rows that have a stem which differs by one letter, or of a long one by two."""
        edits = 1 if len(stem) < LONG_STEM else 2
        query = tantivy.Query.fuzzy_term_query(self._index.schema, "text", stem, distance=edits)
        return [row for row, _ in self._hits(query if within is None else self._kept_to(within, query), k)]

    def _having(self, stem: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._index.schema, "text", stem, index_option="freq")

    def _kept_to(self, within: Chosen, query: tantivy.Query) -> tantivy.Query:
        chosen = tantivy.Query.term_set_query(self._index.schema, "document", list(within.documents))
        scoreless = tantivy.Query.boost_query(chosen, 0.0)
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, scoreless)])

    def _hits(self, query: tantivy.Query, k: int) -> list[tuple[int, float]]:
        hits = self._searcher.search(query, limit=k, count=False).hits
        return [(int(self._searcher.doc(address)["row"][0]), float(score)) for score, address in hits]

    def _sifted(self, query: tantivy.Query, k: int, within: Chosen, limit: int) -> list[tuple[int, float]]:
        """The best rows within what is chosen, sifted from ever more of the best rows of all."""
        while True:
            hits = self._hits(query, limit)
            found = list(itertools.compress(hits, within.holds([row for row, _ in hits])))
            if len(found) >= k or len(hits) < limit:
                return found[:k]
            limit *= 4
