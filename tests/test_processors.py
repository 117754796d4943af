"""The same answers on processors that have fewer instructions than this one.

Where this one has no bf16 either, the first test compares like with like; the second, emulated, does so nowhere.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from qa.embedding import SentenceTransformerEmbedder
from qa.evaluation import read_examples
from qa.indexing import index_folder
from qa.network import cache_folder
from qa.pipeline import Pipeline

QUESTIONS = Path(__file__).parent / "evaluation" / "questions.jsonl"
K = 2
"""Passages read."""
EMULATOR = "qemu-x86_64"
EMULATED_SECONDS = 900
"""Many times what an emulated processor needs here, half a minute: machines that test are slow and have other work."""
HASWELL = "Haswell-noTSX"
"""A processor of 2013: AVX2, but neither AVX-512, 8-bit products nor bf16."""
SHORT = {
    "harbour.md": "# Harbour of Eldby\n\nThe harbour was dredged in 1987 by the Norrland Company.\n",
    "museum.md": "# Museum\n\nAnna Lindqvist has been director of the museum since 2015. Entry costs four euros.\n",
}
"""Documents for a processor that takes a minute or two to read two of the usual passages."""
ON_SHORT = {
    "Who is the director of the museum?": "Anna Lindqvist",
    "When was the harbour dredged?": "1987",
    "Who painted the ceiling of the chapel?": None,
}


@pytest.fixture
def cache(embedder: SentenceTransformerEmbedder, tmp_path: Path) -> Path:
    """A cache with the exported embedder, but not with what it is compiled to for this processor."""
    embedder.encode(["It is exported now, if it was not before."])
    shutil.copytree(cache_folder() / "encoders", tmp_path / "cache" / "encoders")
    return tmp_path / "cache"


def answers(command: Sequence[str], index: Path, questions: Iterable[str], env: Mapping[str, str]) -> list[str | None]:
    """What the command line answers in a process of its own."""
    ask = [sys.executable, "-m", "qa.cli", "ask", "--batch", "-", "--json", "--k", str(K), "--index", str(index)]
    done = subprocess.run(
        [*command, *ask],
        input="".join(json.dumps({"question": question}) + "\n" for question in questions),
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **env},
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line)["answer"] for line in done.stdout.splitlines()]


def test_without_bf16_the_answers_are_the_same(pipeline: Pipeline, index_path: Path, cache: Path) -> None:
    asked = [example.question for example in read_examples(QUESTIONS) if example.split == "tune"][::7]
    there = answers([], index_path, asked, {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_VNNI", "QA_CACHE": str(cache)})

    assert there == [pipeline.ask(question, k=K).text for question in asked]
    assert sum(text is not None for text in there) >= len(asked) // 3


@pytest.mark.timeout(EMULATED_SECONDS)
@pytest.mark.skipif(
    Path("/proc/cpuinfo").exists() and "avx512f" not in Path("/proc/cpuinfo").read_text(encoding="utf-8"),
    reason="This processor has no more than the one that would be emulated: all other tests are run on such a one",
)
@pytest.mark.skipif(
    shutil.which(EMULATOR) is None or platform.machine() != "x86_64",
    reason="There is no emulator, so NO other processor is tried: apt-get install qemu-user",
)
def test_on_an_old_processor_the_answers_are_the_same(
    embedder: SentenceTransformerEmbedder, cache: Path, tmp_path: Path
) -> None:
    corpus, index = tmp_path / "corpus", tmp_path / "index"
    corpus.mkdir()
    for name, text in SHORT.items():
        (corpus / name).write_text(text, encoding="utf-8")
    index_folder(corpus, index, embedder)
    pipeline = Pipeline(index, embedder)
    assert {question: pipeline.ask(question, k=K).text for question in ON_SHORT} == ON_SHORT

    there = answers([EMULATOR, "-cpu", HASWELL], index, ON_SHORT, {"QA_CACHE": str(cache)})
    assert there == list(ON_SHORT.values())
