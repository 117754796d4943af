"""Names and numbers of a question that the documents have no word of, and what may have been meant."""

from __future__ import annotations

import pytest

from qa.datatypes import Absent
from qa.embedding import SentenceTransformerEmbedder
from qa.index import Index
from qa.indexing import index_folder

TEXTS = {
    "a.txt": "Jaap de Hoop Scheffer, whom Hervé met, built the ARPANET in 1992. Scheffer paid 41,500 for it.",
    "b.txt": "The sheriff of Saharan towns, Mali’s envoy and a mall; schefers are no name.",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, embedder: SentenceTransformerEmbedder) -> Index:
    folder = tmp_path_factory.mktemp("absent")
    (folder / "corpus").mkdir()
    for name, text in TEXTS.items():
        (folder / "corpus" / name).write_text(text, encoding="utf-8")
    index_folder(folder / "corpus", folder / "index", embedder)
    return Index.open(folder / "index")


@pytest.mark.parametrize("name", ["Scheffer", "SCHEFFER", "Mali", "1992", "41,500", "towns", "Jaap-Scheffer"])
def test_what_stands_somewhere_is_not_absent(index: Index, name: str) -> None:
    assert index.absence(name) is None


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        *(("Sheffer", "Scheffer"), ("Herve", "Hervé"), ("ARPNET", "ARPANET"), ("Sahara", "Saharan")),
        *(("Kenya", None), ("1993", None), ("41,600", None), ("Male", None), ("UN", None), ("Hoop-Sheffer", None)),
    ],
)
def test_a_name_spelt_nearly_so_is_told_but_no_number_and_nothing_that_is_no_name(
    index: Index, name: str, nearest: str | None
) -> None:
    assert index.absence(name) == Absent(name, nearest)


def test_only_the_documents_that_are_asked_count(index: Index) -> None:
    assert index.absence("Mali", frozenset({"b.txt"})) is None
    assert index.absence("Mali", frozenset({"a.txt"})) == Absent("Mali")
    assert index.absence("Sheffer", frozenset({"b.txt"})) == Absent("Sheffer")
    assert index.absence("Mali", frozenset()) == Absent("Mali")
