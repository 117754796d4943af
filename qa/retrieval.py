"""Passages for a question: dense and lexical search, fused by rank."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from qa.abbreviations import asked_abbreviation, most_telling
from qa.datatypes import Candidate, Passage
from qa.embedding import Embedder
from qa.index import Index
from qa.store import Chosen

SEARCH_DEPTH = 50
"""How many passages each search contributes to the fusion: beyond that a passage would need to be far up in the
other to be read at all."""

RANK_OFFSET = 60
"""The constant of reciprocal-rank fusion, as in its paper."""

SPELLING_DEPTH = 200
"""Passages with an abbreviation that are looked through for one that spells it out, which may use it no oftener."""

SPELLING_MOST = 4
"""Of those that do, so many are given: enough to see whether they agree."""


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
    """Dense and BM25 search over one index, fused by reciprocal rank (Cormack, Clarke & Büttcher 2009).

    Where a question asks what an abbreviation stands for, passages that say so come before all others.
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
        dense = self.index.vectors.nearest(vector, max(SEARCH_DEPTH, k), chosen)
        lexical = self.index.lexical.best(question, max(SEARCH_DEPTH, k), chosen)
        fused: defaultdict[int, float] = defaultdict(float)
        for found in (dense, lexical):
            for rank, (row, _) in enumerate(found, start=1):
                fused[row] += 1 / (RANK_OFFSET + rank)
        kept = self._rows(carried, chosen)
        spelling = self._spelling_out(question, chosen)
        for row in (*kept, *spelling):
            fused.setdefault(row, 0.0)  # found by neither search
        cosine = dict(dense)
        missing = [row for row in fused if row not in cosine]
        cosine.update(zip(missing, self.index.vectors.cosines(vector, missing), strict=True))
        # Equal fused scores are ordered by the cosine, then by the place, so that the order is always the same.
        order = sorted(fused, key=lambda row: (row not in spelling, -fused[row], -cosine[row], row))
        bm25 = {**spelling, **dict(lexical)}
        same: defaultdict[bytes, list[int]] = defaultdict(list)
        for row, content in zip(order, self.index.store.contents(order), strict=True):
            same[content].append(row)
        candidates: list[Candidate] = []
        for place, rows in enumerate(same.values()):
            is_carried = not kept.isdisjoint(rows)
            if place >= k and not is_carried:
                continue
            passage, *copies = self.index.store.passages(rows)
            rank, row = len(candidates) + 1, rows[0]
            scores = fused[row], cosine[row], bm25.get(row, 0.0)
            candidates.append(Candidate(passage, rank, *scores, copies=tuple(copies), carried=is_carried))
        return candidates

    def _spelling_out(self, question: str, chosen: Chosen | None) -> dict[int, float]:
        """The rows of passages that spell out the abbreviation asked for, if one is, each with its BM25 score."""
        asked = asked_abbreviation(question)
        if asked is None:
            return {}
        hits = self.index.lexical.best(asked.short, SPELLING_DEPTH, chosen)
        passages = self.index.store.passages([row for row, _ in hits])
        places, _ = most_telling(asked, [passage.text for passage in passages])
        return dict(list(itertools.compress(hits, places))[:SPELLING_MOST])

    def _rows(self, passages: Sequence[Passage], chosen: Chosen | None) -> set[int]:
        """The rows of passages, of those that are still there and chosen."""
        rows = [row for row in map(self.index.store.row_of, passages) if row is not None]
        return set(rows) if chosen is None else set(itertools.compress(rows, chosen.holds(rows)))
