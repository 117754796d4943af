"""Passages for a question: dense and lexical search, fused by rank."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Protocol

from qa.datatypes import Candidate
from qa.embedding import Embedder
from qa.index import Index

SEARCH_DEPTH = 50
"""How many passages each search contributes to the fusion: beyond that a passage would need to be far up in the
other to be read at all."""

RANK_OFFSET = 60
"""The constant of reciprocal-rank fusion, as in its paper."""


class Retriever(Protocol):
    """What finds passages. Pass in any object of this shape."""

    def retrieve(self, question: str, k: int, documents: frozenset[str] | None = None) -> list[Candidate]:
        """At most k candidates, best first; fewer when the index holds fewer.

        With `documents` only passages of these, by their ids; ids that are not there name nothing.
        """


@dataclass(frozen=True)
class Within:
    """A retriever kept to some documents of another's."""

    retriever: Retriever
    documents: frozenset[str]

    def retrieve(self, question: str, k: int, documents: frozenset[str] | None = None) -> list[Candidate]:
        """At most k candidates, best first, from the documents that it is kept to and, if given, from these."""
        chosen = self.documents if documents is None else self.documents & documents
        return self.retriever.retrieve(question, k, chosen)


class HybridRetriever:
    """Dense and BM25 search over one index, fused by reciprocal rank (Cormack, Clarke & Büttcher 2009).

    Raises IndexStale when the index was made with another embedder.
    """

    def __init__(self, index: Index, embedder: Embedder) -> None:
        index.check_embedder(embedder)
        self.index = index
        self.embedder = embedder

    def retrieve(self, question: str, k: int, documents: frozenset[str] | None = None) -> list[Candidate]:
        """At most k candidates, best first; passages with the very same text and label make one candidate."""
        chosen = None if documents is None else self.index.store.chosen(documents)
        vector = self.embedder.encode([question])[0]
        dense = self.index.vectors.nearest(vector, max(SEARCH_DEPTH, k), chosen)
        lexical = self.index.lexical.best(question, max(SEARCH_DEPTH, k), chosen)
        fused: defaultdict[int, float] = defaultdict(float)
        for found in (dense, lexical):
            for rank, (row, _) in enumerate(found, start=1):
                fused[row] += 1 / (RANK_OFFSET + rank)
        cosine = dict(dense)
        missing = [row for row in fused if row not in cosine]
        cosine.update(zip(missing, self.index.vectors.cosines(vector, missing), strict=True))
        # Equal fused scores are ordered by the cosine, then by the place, so that the order is always the same.
        order = sorted(fused, key=lambda row: (-fused[row], -cosine[row], row))
        bm25 = dict(lexical)
        same: defaultdict[bytes, list[int]] = defaultdict(list)
        for row, content in zip(order, self.index.store.contents(order), strict=True):
            same[content].append(row)
        candidates = []
        for rank, rows in enumerate(list(same.values())[:k], start=1):
            passage, *copies = self.index.store.passages(rows)
            row = rows[0]
            candidates.append(
                Candidate(passage, rank, fused[row], cosine[row], bm25.get(row, 0.0), copies=tuple(copies))
            )
        return candidates
