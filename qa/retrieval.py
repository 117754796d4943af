"""Passages for a question: dense and lexical search, their scores added."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from qa.abbreviations import asked_abbreviation, most_telling
from qa.datatypes import Candidate, Passage
from qa.definitions import DEFINED, asked_term, defined_in
from qa.embedding import Embedder
from qa.index import Index
from qa.question import asks_for_origin
from qa.store import Chosen

SEARCH_DEPTH = 50
"""How many passages each search contributes: beyond that a passage would need to be far up in the other to be read at
all."""

BM25_WEIGHT = 0.04
"""What a point of BM25 counts for beside the cosine. Of .01 to .08 this and .05 find most, whether among 33 passages,
1,840 or 5,829. Fused by reciprocal rank, where a word that stands everywhere counts as much as one that tells all,
recall@8 is lower by 1.5 to 2.1 points and recall@1 by 6 to 12 (`training/README.md`)."""

TELLING_DEPTH = 200
"""Passages with an abbreviation or a term that are looked through for one that says what it means, which may use it no
oftener."""

TELLING_MOST = 4
"""Of those that do, so many are given: enough to see whether they agree."""

BEGINNING = 2
"""First passages of a document, where it is told who wrote it, often in a line of its own..."""

BEGINNING_HITS = 5
BEGINNING_DOCUMENTS = 3
"""...read of so many documents, those of the best hits of both searches: the question names what was written."""


class Retriever(Protocol):
    """What finds passages. Pass in any object of this shape."""

    def retrieve(
        self, question: str, k: int, documents: frozenset[str] | None = None, carried: Sequence[Passage] = ()
    ) -> list[Candidate]:
        """At most k candidates, best first; fewer when the index holds fewer.

        With `documents` only passages of these, by their ids; ids that are not there name nothing. Passages that are
        `carried` over from an earlier question are candidates in any case, beyond k behind the others; those that are
        not there any more, or not in these documents, are left out.
        """


@dataclass(frozen=True)
class Within:
    """A retriever kept to some documents of another's."""

    retriever: Retriever
    documents: frozenset[str]

    def retrieve(
        self, question: str, k: int, documents: frozenset[str] | None = None, carried: Sequence[Passage] = ()
    ) -> list[Candidate]:
        """As the other's, from the documents that it is kept to and, if given, from these."""
        chosen = self.documents if documents is None else self.documents & documents
        return self.retriever.retrieve(question, k, chosen, carried)


class HybridRetriever:
    """Dense and BM25 search over one index; a passage's score is the cosine plus `BM25_WEIGHT` times that of BM25.

    Such a sum is better than a fusion by rank, and its weight holds for other collections (Bruch, Gai & Ingber 2023).
    A passage beyond the `SEARCH_DEPTH` best of BM25 counts as the last of them there: of common words it may have as
    many as these.
    Where a question asks what an abbreviation stands for, or what a term means, passages that say so come before all
    others. Where it asks who wrote or published a text, or when, the beginnings of those found are candidates, too,
    beyond k behind the others.
    Raises IndexStale when the index was made with another embedder.
    """

    def __init__(self, index: Index, embedder: Embedder) -> None:
        index.check_embedder(embedder)
        self.index = index
        self.embedder = embedder

    def retrieve(
        self, question: str, k: int, documents: frozenset[str] | None = None, carried: Sequence[Passage] = ()
    ) -> list[Candidate]:
        """As the protocol says; passages with the very same text and label make one candidate."""
        chosen = None if documents is None else self.index.store.chosen(documents)
        vector = self.embedder.encode([question])[0]
        depth = max(SEARCH_DEPTH, k)
        dense = self.index.vectors.nearest(vector, depth, chosen)
        lexical = self.index.lexical.best(question, depth, chosen)
        kept = self._rows(carried, chosen)
        begins = self._beginnings([dense, lexical]) if asks_for_origin(question) else set()
        telling = self._telling(question, chosen)
        cosine, bm25 = dict(dense), {**telling, **dict(lexical)}
        missing = list({*bm25, *kept, *begins} - cosine.keys())
        cosine.update(zip(missing, self.index.vectors.cosines(vector, missing), strict=True))
        beyond = lexical[-1][1] if len(lexical) == depth else 0.0
        score = {row: cosine[row] + BM25_WEIGHT * bm25.get(row, beyond) for row in cosine}
        # Equal scores are ordered by the place, so that the order is always the same.
        order = sorted(score, key=lambda row: (row not in telling, -score[row], row))
        same: defaultdict[bytes, list[int]] = defaultdict(list)
        for row, content in zip(order, self.index.store.contents(order), strict=True):
            same[content].append(row)
        candidates: list[Candidate] = []
        for place, rows in enumerate(same.values()):
            is_carried = not kept.isdisjoint(rows)
            if place >= k and not is_carried and begins.isdisjoint(rows):
                continue
            passage, *copies = self.index.store.passages(rows)
            rank, row = len(candidates) + 1, rows[0]
            scores = score[row], cosine[row], bm25.get(row, 0.0)
            candidates.append(Candidate(passage, rank, *scores, copies=tuple(copies), carried=is_carried))
        return candidates

    def _telling(self, question: str, chosen: Chosen | None) -> dict[int, float]:
        """The rows of passages that say what the abbreviation or term asked for means, each with its BM25 score."""
        asked = asked_abbreviation(question)
        term = asked.short if asked else asked_term(question)
        if term is None:
            return {}
        hits = self.index.lexical.best(term, TELLING_DEPTH, chosen)
        passages = self.index.store.passages([row for row, _ in hits])
        if asked:
            places, _ = most_telling(asked, [passage.text for passage in passages])
            says = [bool(found) for found in places]
        else:
            says = [any(score == DEFINED for _, score in defined_in(term, passage)) for passage in passages]
        return dict(list(itertools.compress(hits, says))[:TELLING_MOST])

    def _beginnings(self, searches: Iterable[Sequence[tuple[int, float]]]) -> set[int]:
        """The rows of the first passages of the documents that searches find first."""
        by_turns = itertools.zip_longest(*(hits[:BEGINNING_HITS] for hits in searches))
        rows = [hit[0] for hits in by_turns for hit in hits if hit is not None]
        documents = dict.fromkeys(passage.document for passage in self.index.store.passages(rows))
        found = (self.index.store.first_rows(document, BEGINNING) for document in documents)
        return set(itertools.chain.from_iterable(itertools.islice(found, BEGINNING_DOCUMENTS)))

    def _rows(self, passages: Sequence[Passage], chosen: Chosen | None) -> set[int]:
        """The rows of passages, of those that are still there and chosen."""
        rows = [row for row in map(self.index.store.row_of, passages) if row is not None]
        return set(rows) if chosen is None else set(itertools.compress(rows, chosen.holds(rows)))
