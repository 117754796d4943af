"""The programs that are asked, and what each of them is given."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.peers.task import Task
from qa.answering import DEFAULT_K
from qa.datatypes import Passage
from qa.embedding import SentenceTransformerEmbedder
from qa.index import Index

HERE = Path(__file__).parent
OFFLINE = {"HF_HUB_OFFLINE": "1", "HAYSTACK_TELEMETRY_ENABLED": "False"}

PRODUCT = "Chapter & Verse"
_SCRIPTS = {
    "Haystack": "haystack_asks.py",
    "txtai": "txtai_asks.py",
    "LangChain, read by transformers": "langchain_asks.py",
    "LlamaIndex, read by transformers": "llamaindex_asks.py",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--articles", type=Path, required=True, help="folder of training.articles, indexed")
    parser.add_argument("--reader", required=True, help="folder of the reader's weights in floating point")
    parser.add_argument("--python", required=True, help="the Python that has the peers")


def peers(python: str) -> dict[str, tuple[str, str]]:
    """What people would use instead: by its name, the Python that has it, and its script."""
    return {name: (python, script) for name, script in _SCRIPTS.items()}


def programs(python: str) -> Mapping[str, tuple[str, str]]:
    """This program and its peers."""
    return {PRODUCT: (sys.executable, "product_asks.py"), **peers(python)}


def passages_of(articles: Path) -> list[Passage]:
    store = Index.open(articles / "index").store
    return [passage for document in store.document_ids() for passage in store.passages_of(document)]


def task_of(articles: Path, reader: str, passages: Sequence[Passage], questions: Sequence[str]) -> Task:
    """The same passages, embedder, weights and number of passages read for all."""
    embedder = str(SentenceTransformerEmbedder()._folder)
    index = str((articles / "index").resolve())
    return Task([p.text for p in passages], list(questions), embedder, str(Path(reader).resolve()), index, DEFAULT_K)


def run(python: str, script: str, task: Task, folder: Path) -> dict[str, Any]:
    """One program's figures; `whole` is the time from the start of its process to what it prints."""
    path = folder / "task.json"
    path.write_text(json.dumps(asdict(task)), encoding="utf-8")
    line, whole = last_line([python, str(HERE / script), str(path)])
    return {**json.loads(line), "whole": whole}


def last_line(command: Sequence[str]) -> tuple[str, float]:
    """The last line that a command prints, and the seconds until it stood there."""
    lines: list[tuple[str, float]] = []
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        begun = time.perf_counter()
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, encoding="utf-8", env={**os.environ, **OFFLINE}
        ) as process:
            assert process.stdout is not None  # it is a pipe
            lines += [(line, time.perf_counter() - begun) for line in process.stdout]
        if process.returncode:
            errors.seek(0)
            raise RuntimeError(errors.read()[-2000:])
    return lines[-1]
