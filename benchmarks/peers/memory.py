"""How much memory a program holds after hundreds and thousands of questions, beside what people would use instead.

    python -m benchmarks.peers.memory --articles ARTICLES --reader READER --python PEERS/bin/python

What to prepare is said in `__main__.py`. The questions of the articles, answerable and not, are asked over and over,
one after the other. It takes hours: the others need more than a second a question.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.peers.programs import add_arguments, passages_of, programs, run, task_of
from qa.evaluation import read_examples

TOLD = 200
"""Questions after which the memory is told first: from then on it should be flat."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--questions", type=int, default=2000)
    options = parser.parse_args()
    questions = [example.question for example in read_examples(options.articles / "questions.jsonl")]
    task = task_of(options.articles, options.reader, passages_of(options.articles), [])
    told = tuple(sorted({min(TOLD, options.questions), options.questions}))
    asked = replace(task, warm_up=0, many=tuple(questions), told_after=told)
    print("| MB held after so many questions | " + " | ".join(f"{number:,}" for number in told) + " | × | in no file |")
    print("|---|" + "---|" * (len(told) + 2))
    own = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for name, (python, script) in programs(options.python).items():
            found = run(python, script, asked, Path(folder))
            memory = found["later"]
            own = own or memory[-1]
            columns = [*(f"{mb:.0f}" for mb in memory), f"{memory[-1] / own:.1f}", f"{found['of_no_file']:.0f}"]
            print(f"| {name} | " + " | ".join(columns) + " |", flush=True)


if __name__ == "__main__":
    main()
