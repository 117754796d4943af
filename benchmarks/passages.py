"""Which size of passage serves best: recall and F1 on long files, the same questions at each size.

    python -m training.articles --data DIR --part validation --out FOLDER
    python -m benchmarks.passages --articles FOLDER [--sizes 300 500 700 1000 1500]

Each article of SQuAD is one long file without headings. A size is what paragraphs are joined up to; a paragraph half
as long again is cut into overlapping passages. F1 is that of the best answer found, whatever its confidence.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from qa import passages
from qa.embedding import SentenceTransformerEmbedder
from qa.evaluation import read_examples, squad_scores
from qa.indexing import index_folder
from qa.pipeline import Pipeline, open_reader

SIZES = (300, 500, 700, 1_000, 1_500)
LONGEST = 1.43  # the longest passage, in units of the size, as in the program: 1,000 for 700


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=Path, required=True, help="folder made by training.articles")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="in characters")
    parser.add_argument("--every", type=int, default=1, help="ask one question in so many")
    options = parser.parse_args()
    embedder = SentenceTransformerEmbedder()
    reader = open_reader("span", embedder)
    examples = [e for e in read_examples(options.articles / "questions.jsonl") if e.answers][:: options.every]
    print(f"{len(examples)} questions\n")
    print("| size | passages | recall@1 | recall@5 | recall@8 | F1, 8 passages read | seconds a question |")
    print("|---|---|---|---|---|---|---|")
    for size in options.sizes:
        passages.PASSAGE_CHARACTERS, passages.MAX_PASSAGE_CHARACTERS = size, round(LONGEST * size)
        with tempfile.TemporaryDirectory() as folder:
            held = index_folder(options.articles / "corpus", Path(folder), embedder).manifest.passages
            answerer = Pipeline(Path(folder), embedder, reader).answerer()
            ranks, f1 = [], []
            begun = time.perf_counter()
            for example in examples:
                candidates = answerer.retrieve(example.question)
                holding = [
                    candidate.rank
                    for candidate in candidates
                    if any(
                        accepted.place.document == p.document
                        and p.start <= accepted.place.start
                        and accepted.place.end <= p.end
                        for accepted in example.answers
                        for p in (candidate.passage, *candidate.copies)
                    )
                ]
                ranks.append(min(holding, default=None))
                groups = answerer.groups(example.question, answerer.read(example.question, candidates))
                answer = groups[0].spans[0].text if groups else ""
                f1.append(squad_scores(answer, [accepted.text for accepted in example.answers])[1])
            seconds = (time.perf_counter() - begun) / len(examples)
        recall = [sum(rank is not None and rank <= k for rank in ranks) / len(ranks) for k in (1, 5, 8)]
        shares = " | ".join(f"{100 * share:.1f}" for share in recall)
        mean = sum(f1) / len(f1)
        print(f"| {size} | {held} | {shares} | {100 * mean:.1f} | {seconds:.2f} |", flush=True)


if __name__ == "__main__":
    main()
