"""Answers quoted from your documents, with the place where they stand.

    from qa import Pipeline, SentenceTransformerEmbedder, index_folder

    index_folder(Path("corpus"), Path("index"), SentenceTransformerEmbedder())
    answer = Pipeline(Path("index")).ask("When did Tajikistan join the Partnership for Peace?")
    answer.text, answer.citations[0].document

Everything is loaded when it is first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import qa.cores  # noqa: F401 (before FAISS and torch, which ask the environment once how many threads to start)

if TYPE_CHECKING:
    from qa.datatypes import Answer, Candidate, Citation, Document, Passage, Span
    from qa.embedding import Embedder, SentenceTransformerEmbedder
    from qa.errors import QAError
    from qa.index import Index
    from qa.indexing import add_files, index_folder, remove_documents, watch_folder
    from qa.pipeline import Pipeline
    from qa.reader import Reader
    from qa.retrieval import Retriever

_HOME = {
    "Answer": "qa.datatypes",
    "Candidate": "qa.datatypes",
    "Citation": "qa.datatypes",
    "Document": "qa.datatypes",
    "Embedder": "qa.embedding",
    "Index": "qa.index",
    "Passage": "qa.datatypes",
    "Pipeline": "qa.pipeline",
    "QAError": "qa.errors",
    "Reader": "qa.reader",
    "Retriever": "qa.retrieval",
    "SentenceTransformerEmbedder": "qa.embedding",
    "Span": "qa.datatypes",
    "add_files": "qa.indexing",
    "index_folder": "qa.indexing",
    "remove_documents": "qa.indexing",
    "watch_folder": "qa.indexing",
}

__all__ = [
    "Answer",
    "Candidate",
    "Citation",
    "Document",
    "Embedder",
    "Index",
    "Passage",
    "Pipeline",
    "QAError",
    "Reader",
    "Retriever",
    "SentenceTransformerEmbedder",
    "Span",
    "add_files",
    "index_folder",
    "remove_documents",
    "watch_folder",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'qa' has no attribute {name!r}")
