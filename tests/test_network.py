"""Networks loaded side by side, as where a pipeline is opened."""

from __future__ import annotations

import locale
from pathlib import Path

from qa.pipeline import Pipeline


def test_opening_a_pipeline_leaves_the_locale_as_it_was(index_path: Path) -> None:
    before = locale.setlocale(locale.LC_ALL)
    for _ in range(5):  # which network is read first is chance
        Pipeline(index_path)
        assert locale.setlocale(locale.LC_ALL) == before
