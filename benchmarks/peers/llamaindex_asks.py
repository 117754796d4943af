"""The same questions asked with LlamaIndex: vector and BM25 retrievers, joined by rank, and a reader from transformers.

Run by `benchmarks.peers` with a Python that has llama-index-core, llama-index-embeddings-huggingface,
llama-index-retrievers-bm25 and transformers.
"""

import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0])
from task import Program, Task, run
from transformers_reads import reader


def build(task: Task) -> Program:
    from llama_index.core import VectorStoreIndex
    from llama_index.core.llms import MockLLM
    from llama_index.core.retrievers import QueryFusionRetriever
    from llama_index.core.schema import TextNode
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.retrievers.bm25 import BM25Retriever

    nodes = [TextNode(text=text) for text in task.passages]
    index = VectorStoreIndex(nodes, embed_model=HuggingFaceEmbedding(model_name=task.embedder, device="cpu"))
    retriever = QueryFusionRetriever(
        [
            index.as_retriever(similarity_top_k=task.k),
            BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=task.k),
        ],
        llm=MockLLM(),  # asked for nothing: one query, no variants of it
        num_queries=1,
        mode="reciprocal_rerank",
        similarity_top_k=task.k,
        use_async=False,
    )
    read = reader(task.reader)

    def find(question: str) -> list[str]:
        return [found.node.text for found in retriever.retrieve(question)]

    def ask(question: str) -> str | None:
        return read(question, find(question))

    return Program(find, ask)


if __name__ == "__main__":
    run(build)
