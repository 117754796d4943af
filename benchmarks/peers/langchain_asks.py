"""The same questions asked with LangChain: FAISS and BM25 retrievers, joined by rank, and a reader from transformers.

Run by `benchmarks.peers` with a Python that has langchain-community, langchain-classic, langchain-huggingface,
faiss-cpu, rank-bm25 and transformers.
"""

import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0])
from task import Program, Task, run
from transformers_reads import reader


def build(task: Task) -> Program:
    from langchain_classic.retrievers import EnsembleRetriever
    from langchain_community.retrievers import BM25Retriever
    from langchain_community.vectorstores import FAISS
    from langchain_huggingface import HuggingFaceEmbeddings

    embeddings = HuggingFaceEmbeddings(model_name=task.embedder, model_kwargs={"device": "cpu"})
    dense = FAISS.from_texts(task.passages, embeddings).as_retriever(search_kwargs={"k": task.k})
    retriever = EnsembleRetriever(retrievers=[dense, BM25Retriever.from_texts(task.passages, k=task.k)])
    read = reader(task.reader)

    def find(question: str) -> list[str]:
        return [found.page_content for found in retriever.invoke(question)[: task.k]]

    def ask(question: str) -> str | None:
        return read(question, find(question))

    return Program(find, ask)


if __name__ == "__main__":
    run(build)
