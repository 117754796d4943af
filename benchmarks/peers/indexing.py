"""How soon a folder of texts is indexed, beside what people would use instead and beside embedding alone.

    python -m benchmarks.peers.indexing --python PEERS/bin/python [--passages 1000] [--rounds 5]

The folder holds prose from the documentation strings of Python and its packages, in files of 40 paragraphs of up to 700
characters. Each program reads the files, cuts them, embeds the passages with the same model, makes what it needs for
dense and lexical search, and writes it where it can; embedding alone is `SentenceTransformer.encode` at its defaults on
the passages that Chapter & Verse made. They run one after the other in turns, each in a process of its own whose start
and imports are not counted. PEERS is the virtual environment of `benchmarks.peers`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.programs import HERE, OFFLINE
from benchmarks.scale import real_sentences
from qa.embedding import SentenceTransformerEmbedder
from qa.passages import PASSAGE_CHARACTERS

PER_FILE = 40
PROGRAMS = {
    "Chapter & Verse": "product",
    "sentence-transformers, embedding alone": "alone",
    "Haystack": "haystack",
    "txtai": "txtai",
    "LangChain with FAISS and BM25": "langchain",
}
"""What each is called, and its function in `indexers.py`."""


def paragraphs(most: int) -> Iterator[str]:
    """Sentences that stand near one another, up to the length at which the program's own passages end."""
    held: list[str] = []
    for sentence in real_sentences(most * 12):
        if held and sum(map(len, held)) + len(held) + len(sentence) > PASSAGE_CHARACTERS:
            yield " ".join(held)
            held = []
            most -= 1
            if not most:
                return
        held.append(sentence)


def write_corpus(folder: Path, texts: Sequence[str]) -> float:
    """Files of `PER_FILE` paragraphs; gives their megabytes."""
    folder.mkdir()
    for number, start in enumerate(range(0, len(texts), PER_FILE)):
        text = "\n\n".join(texts[start : start + PER_FILE])
        (folder / f"notes-{number:04}.txt").write_text(text, encoding="utf-8")
    return sum(path.stat().st_size for path in folder.iterdir()) / 1e6


def indexed(python: str, program: str, corpus: Path, embedder: str) -> dict[str, Any]:
    """Seconds, passages, and memory at the end."""
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run(
            [python, str(HERE / "indexers.py"), program, str(corpus), embedder, out],
            capture_output=True,
            text=True,
            env={**os.environ, **OFFLINE},
        )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True, help="the Python that has the peers")
    parser.add_argument("--passages", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    embedder = SentenceTransformerEmbedder()
    embedder.encode(["The model is exported now, if it was not before."])
    rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in PROGRAMS}
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        megabytes = write_corpus(corpus, list(paragraphs(options.passages)))
        for _ in range(options.rounds):
            for name, program in PROGRAMS.items():
                python = sys.executable if program in ("product", "alone") else options.python
                rounds[name].append(indexed(python, program, corpus, str(embedder._folder)))
    print(f"{megabytes:.2f} MB of text, {options.rounds} rounds in turns.\n")
    print("| | seconds, median | MB of text a second | × | passages | memory, MB |\n|---|---|---|---|---|---|")
    base = np.median([r["seconds"] for r in rounds["Chapter & Verse"]])
    for name, results in rounds.items():
        seconds, passages, memory = (np.median([r[key] for r in results]) for key in ("seconds", "passages", "memory"))
        print(
            f"| {name} | {seconds:.2f} | {megabytes / seconds:.3f} | {seconds / base:.1f} | {passages:.0f} "
            f"| {memory:.0f} |"
        )


if __name__ == "__main__":
    main()
