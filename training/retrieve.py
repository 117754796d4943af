"""Retrieval as the product does it: dense search and BM25, their scores added."""

from collections.abc import Sequence

import numpy as np
import tantivy
from numpy.typing import NDArray

from qa.retrieval import BM25_WEIGHT

DEPTH = 50  # how many texts count for the words that they share


def encode(texts: Sequence[str], model_path: str) -> NDArray[np.float32]:
    """Unit vectors, one row a text."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(model_path, device="cpu")
    vectors = model.encode(list(texts), batch_size=64, normalize_embeddings=True, show_progress_bar=False)
    return np.asarray(vectors, dtype=np.float32)


def _lexical_index(texts: Sequence[str]) -> tantivy.Index:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("text", tokenizer_name="en_stem")
    builder.add_unsigned_field("place", stored=True)
    index = tantivy.Index(builder.build())
    writer = index.writer()
    for place, text in enumerate(texts):
        writer.add_document(tantivy.Document(text=text, place=place))
    writer.commit()
    index.reload()
    return index


def rankings(questions: Sequence[str], texts: Sequence[str], model_path: str, k: int) -> NDArray[np.int32]:
    """For each question the places of its k best texts, best first (all of them when there are fewer)."""
    dense = encode(questions, model_path) @ encode(texts, model_path).T
    index = _lexical_index(texts)
    searcher = index.searcher()
    depth, k = min(DEPTH, len(texts)), min(k, len(texts))
    found = np.empty((len(questions), k), dtype=np.int32)
    for row, question in enumerate(questions):
        query, _ = index.parse_query_lenient(question, ["text"])
        hits = searcher.search(query, depth).hits
        bm25 = np.full(len(texts), hits[-1][0] if len(hits) == DEPTH else 0.0)  # beyond them as the last of them
        for score, address in hits:
            bm25[searcher.doc(address)["place"][0]] = score
        scores = dense[row] + BM25_WEIGHT * bm25
        found[row] = np.argsort(-scores, kind="stable")[:k]
    return found
