"""The same questions asked with txtai: hybrid search and its extractive questions over the best passages.

Run by `benchmarks.peers` with a Python that has txtai.
"""

import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0])
from task import Program, Task, run


def build(task: Task) -> Program:
    from txtai import Embeddings
    from txtai.pipeline import Questions

    embeddings = Embeddings(path=task.embedder, hybrid=True, content=False, gpu=False)
    embeddings.index(task.passages)
    read = Questions(task.reader, gpu=False)

    def find(question: str) -> list[str]:
        return [task.passages[place] for place, _ in embeddings.search(question, task.k)]

    def ask(question: str) -> str | None:
        answers = [read_one(question, text) for text in find(question)]
        return next((answer for answer in answers if answer), None)  # without scores, the best passage's comes first

    def read_one(question: str, text: str) -> str | None:
        try:
            return read([question], [text])[0]
        except TypeError:  # where the reader says "not in this passage", txtai 9.14 looks for a word at no place
            return None

    return Program(find, ask)


if __name__ == "__main__":
    run(build)
