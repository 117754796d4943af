"""What many tests share: the bundled embedder, the repository's documents and their index, each made once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qa.embedding import SentenceTransformerEmbedder
from qa.indexing import index_folder
from qa.pipeline import Pipeline
from tests.helpers import TinyEmbedder
from tests.visiting import Visit, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser


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


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page over the repository's documents. Tests that change documents serve a page of their own."""
    with served(tmp_path_factory.mktemp("page")) as found:
        yield found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real browser. Where there is none, tests that need it are skipped and say so."""
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("There is no Chromium, so the page is NOT tested in a browser: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield started
        started.close()


@pytest.fixture(params=[{}])
def visit(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Visit]:
    """A visit to the open page; fails afterwards if it ran into an error or asked another host for anything.

    The parameters are those of the browser's page, and with `path` what is opened instead of the beginning.
    """
    options = dict(request.param)
    path = options.pop("path", "")
    visit = Visit(browser.new_page(**options), address).open(path)
    yield visit
    visit.close()
