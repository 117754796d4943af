"""Retrieval as the product does it: dense search and BM25, their scores added."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qa.lexical import LexicalIndex
from qa.retrieval import BM25_WEIGHT, SEARCH_DEPTH


def encode(texts: Sequence[str], model_path: str) -> NDArray[np.float32]:
    """Unit vectors, one row a text."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(model_path, device="cpu")
    vectors = model.encode(list(texts), batch_size=64, normalize_embeddings=True, show_progress_bar=False)
    return np.asarray(vectors, dtype=np.float32)


def rankings(questions: Sequence[str], texts: Sequence[str], model_path: str, k: int) -> NDArray[np.int32]:
    """For each question the places of its k best texts, best first (all of them when there are fewer)."""
    dense = encode(questions, model_path) @ encode(texts, model_path).T
    k = min(k, len(texts))
    found = np.empty((len(questions), k), dtype=np.int32)
    with tempfile.TemporaryDirectory() as folder:
        LexicalIndex.create(Path(folder))
        LexicalIndex.change(Path(folder), [], ((place, "", text) for place, text in enumerate(texts)))
        lexical = LexicalIndex.open(Path(folder))
        for row, question in enumerate(questions):
            hits = lexical.best(question, SEARCH_DEPTH)
            # Texts beyond the last of them count as it does.
            bm25 = np.full(len(texts), hits[-1][1] if len(hits) == SEARCH_DEPTH else 0.0)
            for place, score in hits:
                bm25[place] = score
            found[row] = np.argsort(-(dense[row] + BM25_WEIGHT * bm25), kind="stable")[:k]
    return found
