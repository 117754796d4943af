"""A tiny embedder whose vectors can be worked out by eye, and small corpora written into a folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from qa.embedding import Vectors

TOPICS: Mapping[str, int] = {
    **dict.fromkeys(["cat", "cats", "kitten", "feline"], 0),
    **dict.fromkeys(["dog", "dogs", "puppy", "hound"], 1),
    **dict.fromkeys(["fish", "trout", "salmon"], 2),
    **dict.fromkeys(["bridge", "bridges", "crossing"], 3),
    **dict.fromkeys(["mayor", "mayors", "official"], 4),
    **dict.fromkeys(["rain", "storm", "weather"], 5),
}
"""The words it knows, each with its axis: words on one axis mean the same."""

OTHER = 7
"""The axis of a text in which it knows no word."""


class TinyEmbedder:
    """Counts how often each topic is named; the counts, made length 1, are the vector.

    "cat" and "kitten" have the cosine 1, "cat" and "dog" 0, "cat dog" and "cat" 1/√2.
    """

    dimension = 8

    def __init__(self, name: str = "tiny") -> None:
        self.name = name
        self.fingerprint = f"fingerprint-of-{name}"
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row a text."""
        self.encoded += texts
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                if word in TOPICS:
                    row[TOPICS[word]] += 1
            if not row.any():
                row[OTHER] = 1
            row /= np.linalg.norm(row)
        return rows


def write_corpus(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """A folder with these files, each by its path below it; text is written as UTF-8."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder
