"""Documents that say nearly the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qa.duplicates import NUMBERS, alike, bands, originals, signature
from qa.index import Index
from qa.indexing import index_folder
from tests.helpers import TinyEmbedder, write_corpus

STORY = " ".join(f"On day {day} the mayor opened bridge number {day * 7} near hill {day + 100}." for day in range(40))
REPRINT = "BRIDGES, BRIDGES — our correspondent writes:\n\n" + STORY.replace("day 3 ", "day three ").upper()
FOLLOW_UP = STORY[: len(STORY) // 2] + " ".join(f"In year {y} rain fell {y * 3} times on town {y}." for y in range(40))


def test_a_signature_stands_for_the_words_in_their_order() -> None:
    assert signature(STORY).shape == (NUMBERS,)
    assert np.array_equal(signature("The cat — sleeps."), signature("the CAT sleeps"))
    assert not np.array_equal(signature("one two three four five six"), signature("six five four three two one"))
    assert len(set(bands(signature(STORY)))) == 16


@pytest.mark.parametrize(("other", "same"), [(STORY, True), (REPRINT, True), (FOLLOW_UP, False), ("", False)])
def test_a_reprint_is_a_near_duplicate_and_a_follow_up_is_none(other: str, same: bool) -> None:
    assert alike(signature(STORY), signature(other)) is same


def test_a_text_of_no_or_few_words_has_a_signature_too() -> None:
    assert alike(signature(""), signature("?!"))
    assert alike(signature("Closed."), signature("closed"))
    assert not alike(signature("Closed."), signature("Open."))


def test_the_first_of_its_kind_is_the_original() -> None:
    signatures = {"a": signature(STORY), "b": signature(REPRINT), "c": signature(STORY), "d": signature(FOLLOW_UP)}

    assert originals([("d", "a"), ("c", "b"), ("b", "a")], signatures.__getitem__) == {"b": "a", "c": "a"}
    assert originals([], signatures.__getitem__) == {}


def test_the_index_says_which_documents_are_near_duplicates(tmp_path: Path) -> None:
    files = {"a.txt": STORY, "b/reprint.txt": REPRINT, "follow-up.txt": FOLLOW_UP, "z.txt": "The cat sleeps."}
    corpus = write_corpus(tmp_path / "corpus", files)
    manifest = index_folder(corpus, tmp_path / "index", TinyEmbedder()).manifest
    index = Index.open(tmp_path / "index")

    assert {entry.id: entry.near_duplicate_of for entry in manifest.documents} == {
        "a.txt": None,
        "b/reprint.txt": "a.txt",
        "follow-up.txt": None,
        "z.txt": None,
    }
    assert (index.original("b/reprint.txt"), index.original("z.txt")) == ("a.txt", "z.txt")

    (corpus / "a.txt").unlink()
    write_corpus(corpus, {"c.txt": STORY})
    entries = index_folder(corpus, tmp_path / "index", TinyEmbedder()).manifest.documents
    assert {entry.id: entry.near_duplicate_of for entry in entries if entry.near_duplicate_of} == {
        "c.txt": "b/reprint.txt"
    }
