"""The same questions asked with Haystack: dense and BM25 retrievers, joined by rank, and its extractive reader.

Run by `benchmarks.peers` with a Python that has haystack-ai, transformers-haystack and sentence-transformers-haystack.
"""

import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0])
from task import Program, Task, run


def build(task: Task) -> Program:
    from haystack import Document, Pipeline
    from haystack.components.joiners import DocumentJoiner
    from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
    from haystack.document_stores.in_memory import InMemoryDocumentStore
    from haystack_integrations.components.embedders.sentence_transformers import (
        SentenceTransformersDocumentEmbedder,
        SentenceTransformersTextEmbedder,
    )
    from haystack_integrations.components.readers.transformers import TransformersExtractiveReader

    store = InMemoryDocumentStore(embedding_similarity_function="cosine")
    embedder = SentenceTransformersDocumentEmbedder(model=task.embedder, progress_bar=False)
    store.write_documents(embedder.run([Document(content=text) for text in task.passages])["documents"])
    pipeline = Pipeline()
    pipeline.add_component("embedder", SentenceTransformersTextEmbedder(model=task.embedder, progress_bar=False))
    pipeline.add_component("dense", InMemoryEmbeddingRetriever(store, top_k=task.k))
    pipeline.add_component("lexical", InMemoryBM25Retriever(store, top_k=task.k))
    pipeline.add_component("joined", DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=task.k))
    pipeline.add_component("reader", TransformersExtractiveReader(model=task.reader, top_k=1))
    pipeline.connect("embedder.embedding", "dense.query_embedding")
    pipeline.connect("dense", "joined")
    pipeline.connect("lexical", "joined")
    pipeline.connect("joined.documents", "reader.documents")

    def find(question: str) -> list[str]:
        part = pipeline.get_component
        dense = part("dense").run(part("embedder").run(text=question)["embedding"])["documents"]
        lexical = part("lexical").run(query=question)["documents"]
        return [document.content for document in part("joined").run([dense, lexical])["documents"]]

    def ask(question: str) -> str | None:
        given = {"embedder": {"text": question}, "lexical": {"query": question}, "reader": {"query": question}}
        found = pipeline.run(given)["reader"]["answers"]
        return found[0].data if found else None

    return Program(find, ask)


if __name__ == "__main__":
    run(build)
