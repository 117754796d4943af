"""How search grows with the number of passages: time, recall, memory, disk, building, opening, updating.

    python -m benchmarks.scale --passages 1000000 [--real 50000] [--plot FILE.svg]

The real texts are sentences of the documentation strings in this Python and its packages, up to `--real` of them. A
passage is one of these; beyond so many a passage is made up of two that stand near one another, and its vector is their
weighted mean with a little noise, made length 1, as that of a text which says both. One sentence in fifty is in no
passage: these are the questions, 500 at most, with vectors of their own, so that embedding is not counted.

Each index is built from files by `index_folder` and asked by a process of its own, one question at a time: that is what
times and resident memory are of. Recall is the share of the true ten nearest passages, found by comparing all vectors,
among the first ten of the dense search. Files are as the build has left them, in the system's cache.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import re
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from qa import passages
from qa.embedding import SentenceTransformerEmbedder, Vectors
from qa.text import sentences

SIZES = (1_000, 10_000, 100_000, 1_000_000)
PER_FILE = 25
QUESTIONS = 500
HELD_OUT = 50
K = 8
SHOWN = {
    "recall@10": "recall@10 against flat",
    "search": "search, ms: p50",
    "p95": "p95",
    "dense": "of it dense, p50",
    "lexical": "of it lexical, p50",
    "tenth": "search in a tenth of the documents, ms: p50",
    "flat": "FAISS flat, ms: p50",
    "bm25s": "bm25s, ms: p50",
    "opening": "opening, s",
    "resident": "resident memory after the questions, MB",
    "mapped": "of it mapped files",
    "disk": "disk, MB",
    "build": "build, s",
    "update": "one file changed, s",
}
"""What is measured, and what it is called in the table."""


# The texts and their vectors


def real_sentences(most: int) -> list[str]:
    """Sentences of documentation strings, in the order in which they stand, from files drawn at random."""
    warnings.simplefilter("ignore")  # what other people's source makes the parser say
    files = sorted({p for name in ("stdlib", "purelib") for p in Path(sysconfig.get_path(name)).rglob("*.py")})
    random.Random(0).shuffle(files)
    found: dict[str, None] = {}
    for path in files:
        if len(found) >= most:
            break
        found.update(dict.fromkeys(_documented(path)))
    return list(found)[:most]


def _documented(path: Path) -> Iterator[str]:
    try:
        nodes = list(ast.walk(ast.parse(path.read_bytes())))
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in nodes:
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            for block in (ast.get_docstring(node) or "").split("\n\n"):
                line = " ".join(block.split())
                for sentence in sentences(line, 0, len(line)):
                    words = sum(c.isalpha() or c == " " for c in sentence.text)
                    if 40 <= len(sentence.text) <= 400 and words > 0.85 * len(sentence.text):
                        yield sentence.text


class Texts:
    """Passages as many as are asked for, and an embedder that looks their vectors up."""

    name = fingerprint = "all-MiniLM-L6-v2, mixed"

    def __init__(self, real: Sequence[str], vectors: Vectors) -> None:
        self.real, self.vectors = real, vectors
        self.dimension = vectors.shape[1]
        self._rows: dict[str, int] = {}
        self._table = np.zeros((0, self.dimension), dtype=np.float32)

    def take(self, count: int) -> list[str]:
        """The first so many passages; from now on `encode` knows them."""
        rng = np.random.default_rng(1)
        extra = max(0, count - len(self.real))
        first = rng.integers(0, len(self.real), extra)
        second = (first + rng.integers(1, 50, extra)) % len(self.real)
        share = rng.uniform(0.5, 0.9, (extra, 1)).astype(np.float32)
        noise = rng.standard_normal((extra, self.dimension), dtype=np.float32) * np.float32(0.1 / self.dimension**0.5)
        mixed = share * self.vectors[first] + (1 - share) * self.vectors[second] + noise
        mixed /= np.linalg.norm(mixed, axis=1, keepdims=True)
        self._table = np.concatenate([self.vectors[:count], mixed])
        texts = [*self.real[:count], *(f"{self.real[a]} {self.real[b]}" for a, b in zip(first, second, strict=True))]
        self._rows = {text: row for row, text in enumerate(texts)}
        return texts

    def encode(self, texts: Sequence[str]) -> Vectors:
        """The vectors of passages as the index gives them, after their titles and headings; at random for any other."""
        found = np.random.default_rng(2).standard_normal((len(texts), self.dimension), dtype=np.float32)
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        for place, text in enumerate(texts):
            while text not in self._rows and ". " in text:
                text = text.split(". ", 1)[1]
            if text in self._rows:
                found[place] = self._table[self._rows[text]]
        return found


def write_corpus(folder: Path, texts: Sequence[str]) -> None:
    """Files of `PER_FILE` paragraphs, a thousand files a folder."""
    for number in range(-(-len(texts) // PER_FILE)):
        path = folder / f"{number // 1000:03}" / f"note-{number:06}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n\n".join(texts[number * PER_FILE : (number + 1) * PER_FILE]), encoding="utf-8")


# Built here, asked in a process of its own


def measured(count: int, texts: Texts, asked: tuple[Sequence[str], Vectors], folder: Path) -> dict[str, Any]:
    """A line of the table."""
    from qa.indexing import index_folder

    corpus, index, questions = folder / "corpus", folder / "index", folder / "questions"
    write_corpus(corpus, texts.take(count))
    begun = time.perf_counter()
    manifest = index_folder(corpus, index, texts).manifest
    build = time.perf_counter() - begun
    np.save(questions.with_suffix(".npy"), asked[1])
    questions.with_suffix(".json").write_text(json.dumps(asked[0]))
    command = [sys.executable, "-m", "benchmarks.scale", "--ask", str(folder)]
    line = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    disk = sum(file["bytes"] for file in manifest.files.values())
    (corpus / "000" / "note-000000.txt").write_text("The one file that has changed.")
    begun = time.perf_counter()
    index_folder(corpus, index, texts)
    update = time.perf_counter() - begun
    return {**line, "passages": manifest.passages, "disk": disk / 1e6, "build": build, "update": update}


class Looked:
    """An embedder that gives the vector of a question by its place."""

    name = fingerprint = Texts.name

    def __init__(self, questions: Sequence[str], vectors: Vectors) -> None:
        self._vectors = dict(zip(questions, vectors, strict=True))
        self.dimension = vectors.shape[1]

    def encode(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._vectors[text] for text in texts])


def ask(folder: Path) -> dict[str, float]:
    """What one process measures of an index."""
    from qa.index import Index
    from qa.retrieval import SEARCH_DEPTH, HybridRetriever

    questions = json.loads((folder / "questions.json").read_text())
    vectors = np.load(folder / "questions.npy")
    begun = time.perf_counter()
    index = Index.open(folder / "index")
    opening = time.perf_counter() - begun
    retriever = HybridRetriever(index, Looked(questions, vectors))
    search = timed(lambda n: retriever.retrieve(questions[n], K), len(questions))
    memory = resident()
    ids = index.store.document_ids()
    tenth = frozenset(random.Random(0).sample(ids, max(1, len(ids) // 10)))
    line = {
        "search": statistics.median(search),
        "p95": statistics.quantiles(search, n=20)[-1],
        "dense": statistics.median(timed(lambda n: index.vectors.nearest(vectors[n], SEARCH_DEPTH), len(vectors))),
        "lexical": statistics.median(timed(lambda n: index.lexical.best(questions[n], SEARCH_DEPTH), len(vectors))),
        "tenth": statistics.median(timed(lambda n: retriever.retrieve(questions[n], K, tenth), len(questions))),
        "opening": opening,
        "resident": memory["VmRSS"],
        "mapped": memory["RssFile"],
    }
    texts = [text for path in (folder / "corpus").rglob("*.txt") for text in path.read_text().split("\n\n")]
    return {**line, **against_flat(index, vectors), **against_bm25s(texts, questions, SEARCH_DEPTH)}


def timed(asked: Callable[[int], object], count: int) -> list[float]:
    """Milliseconds of each question, after a few that are not counted."""
    for number in range(min(5, count)):
        asked(number)
    found = []
    for number in range(count):
        begun = time.perf_counter()
        asked(number)
        found.append(1000 * (time.perf_counter() - begun))
    return found


def resident() -> dict[str, float]:
    """This process's resident memory in MB, as Linux counts it."""
    status = Path("/proc/self/status").read_text()
    return {name: int(size) / 1000 for name, size in re.findall(r"(VmRSS|RssFile):\s+(\d+) kB", status)}


def against_flat(index: Any, questions: Vectors) -> dict[str, float]:
    """Recall against FAISS's flat index of the same vectors, and that index's time."""
    import faiss

    rows = index.store.chosen(frozenset(index.store.document_ids())).rows
    flat = faiss.IndexFlatIP(index.vectors.dimension)
    for start in range(0, len(rows), 10_000):
        flat.add(np.stack([index.vectors.row(row) for row in rows[start : start + 10_000].tolist()]))
    tenth_best = flat.search(questions, 10)[0][:, -1]
    # By the cosine, so that of two passages with the same one either is right; exact vectors differ by their rounding.
    shares = [
        sum(cosine >= least - 1e-5 for _, cosine in index.vectors.nearest(vector, 10)) / 10
        for vector, least in zip(questions, tenth_best, strict=True)
    ]
    return {
        "recall@10": statistics.mean(shares),
        "flat": statistics.median(timed(lambda n: flat.search(questions[n : n + 1], 50), 50)),
    }


def against_bm25s(texts: Sequence[str], questions: Sequence[str], k: int) -> dict[str, float]:
    """The time of bm25s, at its defaults, for the k best passages by their words."""
    import bm25s

    retriever = bm25s.BM25()
    retriever.index(bm25s.tokenize(texts, show_progress=False), show_progress=False)

    def best(number: int) -> object:
        return retriever.retrieve(bm25s.tokenize(questions[number], show_progress=False), k=k, show_progress=False)

    return {"bm25s": statistics.median(timed(best, min(100, len(questions))))}


# Shown


def shown(name: str, value: float) -> str:
    """A figure with as many digits as it is good for."""
    if name == "recall@10":
        return f"{value:.3f}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def table(lines: Sequence[dict[str, Any]]) -> str:
    """A column for each size."""
    sizes = [f"{line['passages']:,}" for line in lines]
    rows = [["passages", *sizes], ["---"] * (len(lines) + 1)]
    rows += [[label, *(shown(name, line[name]) for line in lines)] for name, label in SHOWN.items()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def plot(lines: Sequence[dict[str, Any]], path: Path) -> None:
    """Milliseconds of a question over the number of passages, both logarithmic."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update(
        {"svg.fonttype": "none", "svg.hashsalt": "scale"}
    )  # letters as text; the same file again
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5))
    sizes = [line["passages"] for line in lines]
    for name, label in (
        ("flat", "FAISS flat, every vector compared"),
        ("search", "search: dense and lexical, fused, passages fetched"),
        ("bm25s", "bm25s, lexical"),
        ("dense", "dense alone"),
        ("lexical", "lexical alone"),
    ):
        axes.plot(sizes, [line[name] for line in lines], marker="o", label=label)
    axes.set(xscale="log", yscale="log", xlabel="passages", ylabel="milliseconds a question (median)")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=100_000, help="of the largest index")
    parser.add_argument("--real", type=int, default=50_000, help="sentences that are embedded")
    parser.add_argument("--plot", type=Path, help="write an SVG file (needs matplotlib)")
    parser.add_argument("--ask", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ask:
        print(json.dumps(ask(options.ask)))
        return
    passages.PASSAGE_CHARACTERS = 1  # every paragraph is a passage
    found = real_sentences(options.real)
    vectors = SentenceTransformerEmbedder().encode(found)
    held_out = np.arange(len(found)) % HELD_OUT == 0
    texts = Texts([text for text, out in zip(found, held_out, strict=True) if not out], vectors[~held_out])
    asked = (
        [text for text, out in zip(found, held_out, strict=True) if out][:QUESTIONS],
        vectors[held_out][:QUESTIONS],
    )
    print(f"{len(found):,} real sentences, {len(asked[0])} questions\n", flush=True)
    lines = []
    for count in sorted({size for size in SIZES if size < options.passages} | {options.passages}):
        with tempfile.TemporaryDirectory() as folder:
            lines.append(measured(count, texts, asked, Path(folder)))
        print(lines[-1], file=sys.stderr)
    print(table(lines))
    if options.plot is not None:
        plot(lines, options.plot)


if __name__ == "__main__":
    main()
