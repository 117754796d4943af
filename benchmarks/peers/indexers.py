"""One function a program: a folder of text files in, an index out. Imports are done before the clock runs.

Run by `benchmarks.peers.indexing`, each program with the Python that has it.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, __file__.rsplit("/", 1)[0])
from task import resident

SIZE = 700  # characters of a passage, as in the program's own
WORDS = 110  # about as many, for what counts words

Indexer = Callable[[Path, Path], int]
"""From the folder of texts and a folder to write to, to the number of passages."""


def product(embedder: str) -> Indexer:
    from qa.embedding import SentenceTransformerEmbedder
    from qa.indexing import index_folder

    model = SentenceTransformerEmbedder()
    with tempfile.TemporaryDirectory() as folder:  # what is imported at the first use is imported now
        Path(folder, "note.txt").write_text("ready", encoding="utf-8")
        index_folder(Path(folder), Path(folder, "index"), model)
    return lambda corpus, out: index_folder(corpus, out / "index", model).manifest.passages


def alone(embedder: str) -> Indexer:
    """The passages of the program itself, embedded by sentence-transformers at its defaults."""
    from sentence_transformers import SentenceTransformer

    from qa.datatypes import Document
    from qa.documents import read_corpus
    from qa.passages import in_context, passages

    model = SentenceTransformer(embedder, device="cpu")
    model.encode(["ready"])
    documents = [found for found in read_corpus(Path(sys.argv[2])) if isinstance(found, Document)]
    texts = [in_context(passage).text for document in documents for passage in passages(document)]

    def index(corpus: Path, out: Path) -> int:
        model.encode(texts)
        return len(texts)

    return index


def haystack(embedder: str) -> Indexer:
    from haystack import Pipeline
    from haystack.components.converters import TextFileToDocument
    from haystack.components.preprocessors import DocumentSplitter
    from haystack.components.writers import DocumentWriter
    from haystack.document_stores.in_memory import InMemoryDocumentStore
    from haystack_integrations.components.embedders.sentence_transformers import SentenceTransformersDocumentEmbedder

    store = InMemoryDocumentStore()
    pipeline = Pipeline()
    pipeline.add_component("read", TextFileToDocument())
    pipeline.add_component("split", DocumentSplitter(split_by="word", split_length=WORDS))
    pipeline.add_component("embed", SentenceTransformersDocumentEmbedder(model=embedder, progress_bar=False))
    pipeline.add_component("write", DocumentWriter(store))
    for one, other in (("read", "split"), ("split", "embed"), ("embed", "write")):
        pipeline.connect(f"{one}.documents", f"{other}.documents")
    pipeline.warm_up()

    def index(corpus: Path, out: Path) -> int:
        pipeline.run({"read": {"sources": sorted(corpus.iterdir())}})
        store.save_to_disk(str(out / "store.json"))
        return int(store.count_documents())

    return index


def txtai(embedder: str) -> Indexer:
    from txtai import Embeddings
    from txtai.pipeline import Segmentation

    embeddings = Embeddings(path=embedder, hybrid=True, content=True, gpu=False)
    embeddings.index(["ready"])
    cut = Segmentation(paragraphs=True)

    def index(corpus: Path, out: Path) -> int:
        texts = [part for path in sorted(corpus.iterdir()) for part in cut(path.read_text(encoding="utf-8"))]
        embeddings.index(texts)
        embeddings.save(str(out / "index"))
        return len(texts)

    return index


def langchain(embedder: str) -> Indexer:
    from langchain_community.document_loaders import DirectoryLoader, TextLoader
    from langchain_community.retrievers import BM25Retriever
    from langchain_community.vectorstores import FAISS
    from langchain_huggingface import HuggingFaceEmbeddings
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    model = HuggingFaceEmbeddings(model_name=embedder, model_kwargs={"device": "cpu"})
    model.embed_query("ready")
    splitter = RecursiveCharacterTextSplitter(chunk_size=SIZE, chunk_overlap=0)

    def index(corpus: Path, out: Path) -> int:
        loaded = DirectoryLoader(str(corpus), loader_cls=TextLoader, loader_kwargs={"encoding": "utf-8"}).load()
        parts = splitter.split_documents(loaded)
        FAISS.from_documents(parts, model).save_local(str(out / "index"))
        BM25Retriever.from_documents(parts)
        return len(parts)

    return index


if __name__ == "__main__":
    indexers = {"product": product, "alone": alone, "haystack": haystack, "txtai": txtai, "langchain": langchain}
    prepared = indexers[sys.argv[1]](sys.argv[3])
    begun = time.perf_counter()
    passages = prepared(Path(sys.argv[2]), Path(sys.argv[4]))
    seconds = time.perf_counter() - begun
    print(json.dumps({"seconds": seconds, "passages": passages, "memory": resident()}))
