"""How soon a question is answered, how well, and with how much memory, beside what people would use instead.

    python -m training.restore --export qa/models/reader --base MPNET --layers 10 --out READER
    python -m training.articles --data DIR --part validation --out ARTICLES
    qa index --corpus ARTICLES/corpus --index ARTICLES/index
    python -m benchmarks.peers --articles ARTICLES --reader READER --python PEERS/bin/python

All programs get the same passages, the same embedder and the same reader's weights (READER: in floating point), read
the same number of passages, and run one after the other in turns. PEERS is a virtual environment with haystack-ai,
transformers-haystack, sentence-transformers-haystack, txtai, langchain-community, langchain-classic,
langchain-huggingface, langchain-text-splitters, rank-bm25, faiss-cpu, llama-index-core,
llama-index-embeddings-huggingface and llama-index-retrievers-bm25.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.programs import PRODUCT, add_arguments, last_line, passages_of, peers, programs, run, task_of
from benchmarks.peers.task import Task
from qa.datatypes import Passage
from qa.evaluation import Example, read_examples, squad_scores
from qa.pipeline import Pipeline


def recall_at_5(examples: Sequence[Example], found: Sequence[Sequence[str]], passages: Sequence[Passage]) -> float:
    """The percentage of the questions of which one of the first five passages found holds an accepted answer."""
    held = 0
    for example, texts in zip(examples, found, strict=True):
        places = [accepted.place for accepted in example.answers]
        right = {
            p.text
            for p in passages
            if any(p.document == at.document and p.start <= at.start and at.end <= p.end for at in places)
        }
        held += any(text in right for text in texts[:5])
    return 100 * held / len(examples)


def cold(others: Mapping[str, tuple[str, str]], task: Task, rounds: int, folder: Path) -> None:
    """From the start of a process to one printed answer; of the passages the peers get only the k that are read."""
    question = task.questions[0]
    found = Pipeline(Path(task.index)).search(question, task.k)
    one = replace(task, passages=[candidate.passage.text for candidate in found], questions=[question], warm_up=0)
    times: dict[str, list[float]] = {"qa ask": [], **{name: [] for name in others}}
    for _ in range(rounds):
        command = [sys.executable, "-m", "qa.cli", "ask", question, "--index", task.index]
        times["qa ask"].append(last_line(command)[1])
        for name, (python, script) in others.items():
            times[name].append(run(python, script, one, folder)["whole"])
    print("\n| new process to a printed answer | seconds, median | × |\n|---|---|---|")
    base = np.median(times["qa ask"])
    for name, values in times.items():
        print(f"| {name} | {np.median(values):.2f} | {np.median(values) / base:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    answerable = [e for e in read_examples(options.articles / "questions.jsonl") if e.answers]
    examples = answerable[:: max(1, len(answerable) // options.questions)][: options.questions]
    passages = passages_of(options.articles)
    questions = [example.question for example in examples]
    task = task_of(options.articles, options.reader, passages, questions)
    judged = answerable[::2]
    judging = replace(task, judged=tuple(e.question for e in judged), searched=tuple(e.question for e in answerable))
    asked = programs(options.python)
    rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in asked}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.rounds):
            for name, (python, script) in asked.items():
                rounds[name].append(run(python, script, task if number else judging, Path(folder)))
    print(f"{len(passages)} passages, {len(questions)} questions, {options.rounds} rounds in turns.\n")
    print("| | seconds a question, median | 95th percentile | × | EM / F1 | recall@5 | memory, MB |")
    print("|---|---|---|---|---|---|---|")
    base = np.median([np.median(r["seconds"]) for r in rounds[PRODUCT]])
    for name, results in rounds.items():
        median = np.median([np.median(r["seconds"]) for r in results])
        tail = np.median([np.percentile(r["seconds"], 95) for r in results])
        scores = [
            squad_scores(answer or "", [accepted.text for accepted in example.answers])
            for answer, example in zip(results[0]["judged"], judged, strict=True)
        ]
        em, f1 = 100 * np.mean(scores, axis=0)
        recall = recall_at_5(answerable, results[0]["found"], passages)
        memory = results[0]["memory"]
        print(
            f"| {name} | {median:.3f} | {tail:.3f} | {median / base:.1f} | {em:.1f} / {f1:.1f} | {recall:.1f} "
            f"| {memory:.0f} |"
        )
    with tempfile.TemporaryDirectory() as folder:
        cold(peers(options.python), task, options.rounds, Path(folder))


if __name__ == "__main__":
    main()
