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
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from qa.embedding import SentenceTransformerEmbedder
from qa.evaluation import read_examples
from qa.network import cache_folder
from qa.pipeline import Pipeline

QUESTIONS = Path(__file__).parent / "evaluation" / "questions.jsonl"
EMULATOR = "qemu-x86_64"
K = 2
"""Passages read: an emulated processor takes seconds for each."""
EMULATED_SECONDS = 900
"""An emulated processor takes a minute or two for a question; beside other work on a slow machine, over five."""
HASWELL = "Haswell-noTSX"
"""A processor of 2013: AVX2, but neither AVX-512, 8-bit products nor bf16."""


@pytest.fixture
def cache(embedder: SentenceTransformerEmbedder, tmp_path: Path) -> Path:
    """A cache with the exported embedder, but not with what it is compiled to for this processor."""
    embedder.encode(["It is exported now, if it was not before."])
    shutil.copytree(cache_folder() / "encoders", tmp_path / "cache" / "encoders")
    return tmp_path / "cache"


def answers(command: Sequence[str], index: Path, questions: Sequence[str], env: Mapping[str, str]) -> list[str | None]:
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
def test_on_an_old_processor_the_answers_are_the_same(pipeline: Pipeline, index_path: Path, cache: Path) -> None:
    asked = ["Which council did Tajikistan join in 1992?"]
    there = answers([EMULATOR, "-cpu", HASWELL], index_path, asked, {"QA_CACHE": str(cache)})

    assert there == [pipeline.ask(question, k=K).text for question in asked] == ["North Atlantic Cooperation Council"]
