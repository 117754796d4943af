"""What many tests share: the bundled embedder, the repository's documents and their index, each made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from qa.embedding import SentenceTransformerEmbedder
from qa.indexing import index_folder
from qa.pipeline import Pipeline
from tests.helpers import TinyEmbedder


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of the tests' own, for them and the processes they start."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("QA_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The documents that come with the repository."""
    return Path(__file__).parents[1] / "corpus"


@pytest.fixture(scope="session")
def embedder() -> SentenceTransformerEmbedder:
    """The bundled all-MiniLM-L6-v2, loaded when it is first used."""
    return SentenceTransformerEmbedder()


@pytest.fixture(scope="session")
def index_path(corpus: Path, embedder: SentenceTransformerEmbedder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the repository's documents. Tests that change an index copy it first."""
    folder = tmp_path_factory.mktemp("session") / "index"
    index_folder(corpus, folder, embedder)
    return folder


@pytest.fixture(scope="session")
def pipeline(index_path: Path, embedder: SentenceTransformerEmbedder) -> Pipeline:
    """The repository's documents, ready to be asked."""
    return Pipeline(index_path, embedder)


@pytest.fixture
def tiny_embedder() -> TinyEmbedder:
    """An embedder that needs no model."""
    return TinyEmbedder()
