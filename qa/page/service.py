"""What the page works with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qa.feedback import Judgements, default_examples
from qa.pipeline import Pipeline


@dataclass(frozen=True)
class Service:
    """A pipeline and the folders behind it.

    `corpus` is the folder of the documents and `index` that of the index. Where `read_only`, nothing on the page
    changes the documents. `questions` is the file of the fixed questions that the evaluation asks, `examples` that in
    which judgements are kept: beside the index where none is named.
    """

    pipeline: Pipeline
    corpus: Path
    index: Path
    read_only: bool = False
    questions: Path | None = None
    examples: Path | None = None

    @property
    def judgements(self) -> Judgements:
        """What people say of answers."""
        path = default_examples(self.index) if self.examples is None else self.examples
        return Judgements(path, self.pipeline.document)
