"""Dense and lexical search, their scores added, on lines whose vectors can be worked out by eye."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest

from qa.answering import worth_reading
from qa.datatypes import Candidate
from qa.errors import IndexStale
from qa.index import Index
from qa.indexing import index_folder
from qa.pipeline import Pipeline
from qa.retrieval import BM25_WEIGHT, SEARCH_DEPTH, HybridRetriever, Within
from tests.helpers import TinyEmbedder, write_corpus

FILES = {
    "1.txt": "the cat sleeps.",
    "2.txt": "the kitten and the dog play.",
    "3.txt": "the trout swims.",
    "4.txt": "nothing here.",
}


def retriever(tmp_path: Path, files: Mapping[str, str], embedder: TinyEmbedder) -> HybridRetriever:
    index_folder(write_corpus(tmp_path / "corpus", files), tmp_path / "index", embedder)
    return HybridRetriever(Index.open(tmp_path / "index"), embedder)


def documents(found: list[Candidate]) -> list[str]:
    return [candidate.passage.document for candidate in found]


def test_the_scores_of_both_searches_are_added(tmp_path: Path, tiny_embedder: TinyEmbedder) -> None:
    found = retriever(tmp_path, FILES, tiny_embedder).retrieve("feline dog", 4)

    # Dense: 2 names both topics (cosine 1), 1 only the cat (1/√2), 3 and 4 neither. Lexical: only 2 has "dog".
    assert documents(found) == ["2.txt", "1.txt", "3.txt", "4.txt"]
    assert [c.rank for c in found] == [1, 2, 3, 4]
    assert [c.dense for c in found] == pytest.approx([1, 0.5**0.5, 0, 0], abs=1e-6)
    assert found[0].lexical > 0
    assert [c.score for c in found] == pytest.approx([1 + BM25_WEIGHT * found[0].lexical, 0.5**0.5, 0, 0], abs=1e-6)
    assert [c.lexical for c in found[1:]] == [0, 0, 0]


def test_a_word_that_the_embedder_does_not_know_is_found_by_the_other_search(
    tmp_path: Path, tiny_embedder: TinyEmbedder
) -> None:
    found = retriever(tmp_path, FILES, tiny_embedder).retrieve("What swims?", 2)

    assert documents(found) == ["4.txt", "3.txt"]  # both the question and 4 name no topic that it knows
    assert [c.dense for c in found] == pytest.approx([1, 0], abs=1e-6)
    assert found[1].lexical > 0


def test_a_passage_beyond_those_that_the_words_find_counts_as_the_last_of_them(
    tmp_path: Path, tiny_embedder: TinyEmbedder
) -> None:
    mines = {f"{number}.txt": f"mine {number}" for number in range(SEARCH_DEPTH)}
    kitten = {
        "kitten.txt": "the kitten was born in a mine, where it is dark and wet and nobody else would like to live"
    }

    found = retriever(tmp_path, {**mines, **kitten}, tiny_embedder).retrieve("a cat in a mine", SEARCH_DEPTH)

    assert found[0].passage.document == "kitten.txt"
    assert (found[0].dense, found[0].lexical) == (pytest.approx(1), 0)
    assert found[0].score == pytest.approx(1 + BM25_WEIGHT * min(other.lexical for other in found[1:]))
    assert found[1].lexical > 0


@pytest.mark.parametrize("k", [1, 2, 4, 100])
def test_no_more_candidates_are_given_than_asked_for_and_there_are(
    tmp_path: Path, tiny_embedder: TinyEmbedder, k: int
) -> None:
    found = retriever(tmp_path, FILES, tiny_embedder).retrieve("feline dog", k)

    assert documents(found) == ["2.txt", "1.txt", "3.txt", "4.txt"][:k]


def test_passages_with_the_same_text_are_one_candidate_with_copies(tmp_path: Path, tiny_embedder: TinyEmbedder) -> None:
    files = {"a.txt": "The cat sleeps.", "b.txt": "The cat sleeps.", "c/d.txt": "The cat sleeps.", "e.txt": "A dog."}
    found = retriever(tmp_path, files, tiny_embedder).retrieve("cat", 2)

    assert documents(found) == ["a.txt", "e.txt"]
    assert [copy.document for copy in found[0].copies] == ["b.txt", "c/d.txt"]
    assert [c.rank for c in found] == [1, 2]


def test_the_same_line_under_another_year_is_no_copy(tmp_path: Path, tiny_embedder: TinyEmbedder) -> None:
    timeline = "2003: The bridge opens.\nThe mayor comes.\n2007: The bridge burns.\nThe mayor comes."
    index = retriever(tmp_path, {"a.txt": timeline}, tiny_embedder)
    found = [c for c in index.retrieve("mayor", 4) if c.passage.text == "The mayor comes."]

    assert sorted(c.passage.label.text for c in found if c.passage.label) == ["2003", "2007"]
    assert [c.copies for c in found] == [(), ()]
    Pipeline(tmp_path / "index", tiny_embedder).ask("When does the mayor come?")


def test_the_same_question_gives_the_same_candidates(tmp_path: Path, tiny_embedder: TinyEmbedder) -> None:
    index = retriever(tmp_path, {f"{n}.txt": f"The cat number {n}." for n in range(9)}, tiny_embedder)
    found = index.retrieve("cat", 9)

    # All are equally near; the lexical and the dense search order them by their place.
    assert documents(found) == [f"{n}.txt" for n in range(9)]
    assert all(index.retrieve("cat", 9) == found for _ in range(5))
    assert HybridRetriever(Index.open(tmp_path / "index"), tiny_embedder).retrieve("cat", 9) == found


def test_only_the_documents_named_are_searched(tmp_path: Path, tiny_embedder: TinyEmbedder) -> None:
    index = retriever(tmp_path, FILES, tiny_embedder)
    everywhere = {c.passage.document: c for c in index.retrieve("feline dog", 4)}
    found = index.retrieve("feline dog", 4, frozenset({"1.txt", "4.txt", "2.txt"}))

    assert documents(found) == ["2.txt", "1.txt", "4.txt"]
    assert [c.dense for c in found] == [everywhere[c.passage.document].dense for c in found]
    assert found[0].lexical == everywhere["2.txt"].lexical
    assert documents(index.retrieve("feline dog", 1, frozenset({"1.txt", "3.txt"}))) == ["1.txt"]


def test_a_copy_in_a_document_that_is_not_asked_is_not_given(tmp_path: Path, tiny_embedder: TinyEmbedder) -> None:
    index = retriever(tmp_path, {f"{name}.txt": "The cat sleeps." for name in "abc"}, tiny_embedder)
    (found,) = index.retrieve("cat", 3, frozenset({"b.txt", "c.txt"}))

    assert (found.passage.document, [copy.document for copy in found.copies]) == ("b.txt", ["c.txt"])


@pytest.mark.parametrize("chosen", [set(), {"5.txt"}, {"5.txt", "\udcff", "1", ""}])
def test_in_documents_that_are_not_there_nothing_is_near(
    tmp_path: Path, tiny_embedder: TinyEmbedder, chosen: set[str]
) -> None:
    index = retriever(tmp_path, FILES, tiny_embedder)
    pipeline = Pipeline(tmp_path / "index", tiny_embedder)

    assert index.retrieve("feline dog", 4, frozenset(chosen)) == []
    assert pipeline.search("feline dog", documents=frozenset(chosen)) == []
    assert pipeline.ask("feline dog", documents=frozenset(chosen)).reason == "nothing_near"
    assert documents(index.retrieve("cat", 4, frozenset(chosen | {"1.txt"}))) == ["1.txt"]


def test_a_retriever_is_kept_to_documents(tmp_path: Path, tiny_embedder: TinyEmbedder) -> None:
    kept = Within(retriever(tmp_path, FILES, tiny_embedder), frozenset({"1.txt", "3.txt"}))

    assert documents(kept.retrieve("feline dog", 4)) == ["1.txt", "3.txt"]
    assert documents(kept.retrieve("feline dog", 4, frozenset({"2.txt", "3.txt"}))) == ["3.txt"]


def test_a_passage_carried_over_is_a_candidate_whatever_the_question_finds(
    tmp_path: Path, tiny_embedder: TinyEmbedder
) -> None:
    index = retriever(tmp_path, FILES, tiny_embedder)
    everywhere = {c.passage.document: c for c in index.retrieve("feline dog", 4)}
    trout = everywhere["3.txt"].passage
    found = index.retrieve("feline dog", 1, carried=[trout])

    assert documents(found) == ["2.txt", "3.txt"]
    assert [(c.rank, c.carried) for c in found] == [(1, False), (2, True)]
    assert [c.dense for c in found] == [everywhere[name].dense for name in ("2.txt", "3.txt")]
    assert worth_reading(found) == tuple(found)
    assert [(c.passage.document, c.carried) for c in index.retrieve("trout", 1, carried=[trout])] == [("3.txt", True)]


def test_who_wrote_it_is_looked_for_at_the_beginning_too(tmp_path: Path, tiny_embedder: TinyEmbedder) -> None:
    text = "# Fish\n\nby Ann Lee\n\n## One\n\nthe trout swims.\n\n## Two\n\nthe trout and the trout.\n"
    index = retriever(tmp_path, {**FILES, "fish.md": text}, tiny_embedder)

    def texts(question: str) -> list[str]:
        return [candidate.passage.text for candidate in index.retrieve(question, 1)]

    assert texts("Who caught the trout?") == ["the trout and the trout."]
    assert "by Ann Lee" in texts("Who wrote about the trout?")[1:]


def test_a_passage_carried_over_that_is_gone_or_not_asked_is_left_out(
    tmp_path: Path, tiny_embedder: TinyEmbedder
) -> None:
    index = retriever(tmp_path, FILES, tiny_embedder)
    (trout,) = (c.passage for c in index.retrieve("trout", 1))
    gone = dataclasses.replace(trout, document="gone.txt")
    changed = dataclasses.replace(trout, title="Another title")

    assert documents(index.retrieve("feline dog", 1, carried=[gone, changed])) == ["2.txt"]
    assert documents(index.retrieve("feline dog", 1, frozenset({"1.txt"}), carried=[trout])) == ["1.txt"]
    assert documents(Within(index, frozenset({"1.txt", "3.txt"})).retrieve("cat", 1, carried=[trout])) == [
        "1.txt",
        "3.txt",
    ]


def test_an_index_made_with_another_embedder_is_refused_with_both_names(
    tmp_path: Path, tiny_embedder: TinyEmbedder
) -> None:
    made = retriever(tmp_path, FILES, tiny_embedder)

    with pytest.raises(IndexStale, match=r"made with the embedder 'tiny' .*'other' .* is in use\. Run `qa index`"):
        HybridRetriever(made.index, TinyEmbedder("other"))


def test_the_real_embedder_finds_what_is_worded_otherwise(pipeline: Pipeline) -> None:
    best = pipeline.search("demolition of explosive devices buried in the ground")[0]

    assert best.passage.document == "nato-relations-with-tajikistan.txt"
    assert "landmines" in best.passage.text


def test_what_both_documents_say_is_found_in_both(pipeline: Pipeline) -> None:
    found = pipeline.search("When did Tajikistan join the Partnership for Peace?", k=5)

    assert {candidate.passage.document for candidate in found} == {
        "asia-plus-2011-06-23-zarifi-receives-appathurai.txt",
        "nato-relations-with-tajikistan.txt",
    }


def test_what_is_searched_is_what_an_answer_is_looked_for_in(pipeline: Pipeline) -> None:
    found = pipeline.search("which council did Tajikistan join?")

    assert pipeline.search("Hello, can you tell me which council did Tajikistan join") == found
    read = pipeline.ask("Hello, can you tell me which council did Tajikistan join").candidates
    assert [candidate.passage for candidate in read] == [candidate.passage for candidate in found]
