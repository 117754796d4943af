"""BM25 over a few lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import qa.lexical
from qa.errors import IndexDamaged
from qa.lexical import LexicalIndex
from qa.store import Chosen

TEXTS = [
    "the cat sat",
    "the cat and the cat",
    "a fish swam under the old stone bridge",
    "bridges are built",
]


@pytest.fixture
def lexical(tmp_path: Path) -> LexicalIndex:
    return made(tmp_path / "lexical", TEXTS)


def made(folder: Path, texts: list[str]) -> LexicalIndex:
    LexicalIndex.create(folder)
    LexicalIndex.change(folder, [], ((row, f"{row}.txt", text) for row, text in enumerate(texts)))
    return LexicalIndex.open(folder)


def chosen(*numbers: int) -> Chosen:
    return Chosen(tuple(f"{number}.txt" for number in numbers), np.array(numbers, dtype=np.int64))


def rows(found: list[tuple[int, float]]) -> list[int]:
    return [row for row, _ in found]


def test_the_text_that_names_a_word_more_often_is_first(lexical: LexicalIndex) -> None:
    found = lexical.best("cat", 4)

    assert rows(found) == [1, 0]
    assert found[0][1] > found[1][1] > 0


def test_words_are_compared_as_stems_and_the_shorter_text_wins(lexical: LexicalIndex) -> None:
    assert rows(lexical.best("Bridge?", 4)) == [3, 2]


def test_a_rare_word_counts_for_more_than_a_common_one(lexical: LexicalIndex) -> None:
    assert rows(lexical.best("cat fish", 4))[0] == 2


def test_a_word_is_lacking_where_no_passage_has_its_stem_or_that_of_one_of_its_parts(lexical: LexicalIndex) -> None:
    assert not lexical.lacks("Bridges") and not lexical.lacks("cat-fish")
    assert lexical.lacks("dog") and lexical.lacks("dog-fish")
    assert lexical.lacks("Bridges", chosen(0, 1)) and not lexical.lacks("Bridges", chosen(0, 3))
    assert lexical.lacks("cat", chosen())


def test_question_words_count_only_when_there_are_no_others(lexical: LexicalIndex) -> None:
    assert rows(lexical.best("where is the fish", 4)) == [2]
    assert rows(lexical.best("the", 4)) == [1, 0, 2]


def test_numbers_are_compared_whole(tmp_path: Path) -> None:
    texts = ["version 3.0 was late", "version 3 had 0 bugs", "section 3.0.1", "it cost 1,200 euros", "on 5.12.2004"]
    lexical = made(tmp_path / "numbers", texts)

    assert rows(lexical.best("3.0", 9)) == [0]
    assert rows(lexical.best("1200", 9)) == rows(lexical.best("1,200", 9)) == [3]
    assert rows(lexical.best("2004", 9)) == [4]
    assert lexical.lacks("3.1")


@pytest.mark.parametrize("k", [0, 1, 2, 100])
def test_no_more_rows_are_given_than_asked_for_and_there_are(lexical: LexicalIndex, k: int) -> None:
    assert rows(lexical.best("cat", k)) == [1, 0][:k]


@pytest.mark.parametrize("question", ["", "👍", "?!", "zebra", "* AND NOT text:"])
def test_without_a_shared_word_nothing_is_found(lexical: LexicalIndex, question: str) -> None:
    assert lexical.best(question, 4) == []


@pytest.mark.parametrize(
    "question", ["text:cat", "-cat", 'NOT "cat', "cat*", "(cat", "+cat^9", "cat~2 OR", "row:3 cat", "[cat TO dog}"]
)
def test_signs_of_a_query_language_mean_nothing(lexical: LexicalIndex, question: str) -> None:
    assert set(rows(lexical.best(question, 4))) >= {0, 1}
    assert lexical.best(question, 4)[0][0] == 1


def test_a_question_of_two_thousand_characters_is_taken(lexical: LexicalIndex) -> None:
    assert rows(lexical.best(" ".join(f"w{i}" for i in range(400)) + " fish", 4)) == [2]


def test_it_is_opened_as_it_was_built(lexical: LexicalIndex, tmp_path: Path) -> None:
    opened = LexicalIndex.open(tmp_path / "lexical")

    assert len(opened) == len(lexical) == 4
    assert opened.best("old cat", 4) == lexical.best("old cat", 4)


def test_only_the_documents_named_are_looked_through(lexical: LexicalIndex) -> None:
    everywhere = dict(lexical.best("cat bridge", 4))

    found = lexical.best("cat bridge", 4, chosen(0, 2))
    assert rows(found) == [0, 2]
    assert dict(found) == pytest.approx({row: everywhere[row] for row in (0, 2)})
    assert rows(lexical.best("cat bridge", 1, chosen(0))) == [0]
    assert lexical.best("cat", 4, chosen(2, 3)) == lexical.best("cat", 4, chosen()) == []


@pytest.mark.parametrize("named", [0, 1_000])  # sifted from the best of all, or looked up by the documents' names
def test_documents_chosen_among_many_give_their_best_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: int
) -> None:
    monkeypatch.setattr(qa.lexical, "NAMED", named)
    # The higher the number the longer the text, and the lower its rank.
    many = made(tmp_path / "many", ["cat" + " purrs" * number for number in range(300)])
    every_seventh, last = chosen(*range(0, 300, 7)), chosen(*range(290, 300))

    assert rows(many.best("cat", 300)) == list(range(300))
    assert rows(many.best("cat", 5, every_seventh)) == [0, 7, 14, 21, 28]
    assert rows(many.best("cat", 300, every_seventh)) == list(range(0, 300, 7))
    assert rows(many.best("cat", 3, last)) == [290, 291, 292]
    assert many.best("dog", 3, last) == []


def test_rows_are_taken_out_and_put_in(lexical: LexicalIndex, tmp_path: Path) -> None:
    added = [(7, "new.txt", "a cat on the bridge"), (8, "2.txt", "a cat with a fish")]
    LexicalIndex.change(tmp_path / "lexical", ["1.txt", "2.txt"], added)
    changed = LexicalIndex.open(tmp_path / "lexical")

    assert (len(changed), rows(changed.best("cat fish", 4))) == (4, [8, 0, 7])
    assert rows(lexical.best("fish", 4)) == [2]


def test_an_index_of_nothing_finds_nothing(tmp_path: Path) -> None:
    empty = made(tmp_path / "empty", [])

    assert (len(empty), empty.best("cat", 4)) == (0, [])


def test_a_folder_that_is_no_index_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with pytest.raises(IndexDamaged, match="Run `qa index --full`"):
        LexicalIndex.open(tmp_path / "other")
