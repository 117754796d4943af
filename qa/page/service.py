"""What the page works with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qa.pipeline import Pipeline


@dataclass(frozen=True)
class Service:
    """A pipeline and the folders behind it.

    `corpus` is the folder of the documents and `index` that of the index. Where `read_only`, nothing on the page
    changes the documents.
    """

    pipeline: Pipeline
    corpus: Path
    index: Path
    read_only: bool = False
