"""What every program is given, and how it is timed: a file of passages and questions in, a line of JSON out."""

import itertools
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Task:
    """The passages, the questions, and the models by their folders; `warm_up` questions come before the clock runs.

    After it, those in `judged` are answered, and for those in `searched` passages are looked for; then those in `many`
    are asked over and over, and the memory is told after as many questions as `told_after` says.
    """

    passages: list[str]
    questions: list[str]
    embedder: str
    reader: str
    index: str
    k: int
    warm_up: int = 3
    judged: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()
    many: tuple[str, ...] = ()
    told_after: tuple[int, ...] = ()


@dataclass(frozen=True)
class Program:
    """What a program does with a question: finds up to k passages, best first, and answers it from them."""

    find: Callable[[str], list[str]]
    ask: Callable[[str], str | None]


def resident(process: int | str = "self", kind: str = "VmRSS") -> float:
    """Megabytes that a process holds in memory, this one if none is given; `RssAnon` is what of it is in no file."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith(kind)).split()[1]) / 1000


def run(build: Callable[[Task], Program]) -> None:
    """Build, ask every question, and print seconds and answers, with the memory then held in MB and what is found."""
    task = Task(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    program = build(task)
    for question in task.questions[: task.warm_up]:
        program.ask(question)
    answers, seconds = [], []
    for question in task.questions:
        begun = time.perf_counter()
        answers.append(program.ask(question))
        seconds.append(time.perf_counter() - begun)
    judged = [program.ask(question) for question in task.judged]
    memory = resident()
    found = [program.find(question) for question in task.searched]
    later = []
    for number, question in enumerate(itertools.islice(itertools.cycle(task.many), max(task.told_after, default=0)), 1):
        program.ask(question)
        if number in task.told_after:
            later.append(resident())
    told = {"seconds": seconds, "answers": answers, "judged": judged, "memory": memory, "found": found, "later": later}
    told["of_no_file"] = resident(kind="RssAnon")
    print(json.dumps(told))
