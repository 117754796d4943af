"""Score a reader on the held-out articles: gold paragraphs, unanswerable questions, and open retrieval.

    python -m training.evaluate --data DIR --base MODEL --model FOLDER [--out FILE.json]

SQuAD 1.1 and 2.0 are scored with the official measures on each question's own paragraph. 2.0's threshold for an
article is the best one on all other held-out articles: on two alone it depends on how hard these happen to be. Open
retrieval gives each answerable question the k best of all paragraphs of the validation articles and takes the span with
the highest log-odds against its passage's null. Spans are those of the program's own reader, before "why" and "how" are
answered with whole sentences.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torchmetrics.functional.text import squad

from qa.answering import DEFAULT_K
from qa.datatypes import Candidate, Passage, Span
from qa.span_reader import SpanReader, TorchModel
from training.data import Dataset, Paragraph, held_out_articles, merge, of_articles, read_squad, title_prefix
from training.prepare import load_tokenizer
from training.retrieve import rankings

Floats = NDArray[np.float64]

WATCHED = 4  # one in so many tuning questions is asked while training goes on


def load_reader(folder: Path) -> SpanReader:
    """An export, or what training saved."""
    if (folder / "reader.xml").exists():
        return SpanReader.from_export(folder)
    from transformers import AutoModelForQuestionAnswering

    model = AutoModelForQuestionAnswering.from_pretrained(folder)
    return SpanReader(load_tokenizer(folder), TorchModel(model))


def candidate(paragraph: Paragraph, rank: int = 1) -> Candidate:
    """A paragraph as the reader is given it."""
    title = title_prefix(paragraph.title).removesuffix(". ")
    passage = Passage("", 0, len(paragraph.text), paragraph.text, (), title)
    return Candidate(passage, rank, 0.0, 0.0, 0.0)


def scores(prediction: str, answers: Sequence[str]) -> tuple[float, float]:
    """Exact match and F1 of one prediction, out of 100; no answers means the right prediction is empty."""
    texts = list(answers) or [""]
    measured = squad(
        {"prediction_text": prediction, "id": "0"},
        {"answers": {"answer_start": [0] * len(texts), "text": texts}, "id": "0"},
    )
    return float(measured["exact_match"]), float(measured["f1"])


def read_own(reader: SpanReader, dataset: Dataset) -> list[tuple[str, float]]:
    """For each question the best span of its own paragraph, and the span's score."""
    found = []
    for question in dataset.questions:
        best = reader.spans(question.text, [candidate(dataset.paragraphs[question.paragraph])])[0]
        found.append((best.text, best.score))
    return found


def best_threshold(spoken: Floats, silent: Floats, margins: Floats) -> float:
    """The score below which silence is best, given each question's F1 when answered and when silent."""
    order = np.argsort(-margins)
    gained = np.concatenate([[0.0], np.cumsum((spoken - silent)[order])])
    best = int(np.argmax(gained))
    edges = np.concatenate([[np.inf], margins[order], [-np.inf]])
    if best in (0, len(order)):
        return float(margins[order[0]] + 1 if best == 0 else margins[order[-1]] - 1)
    return float((edges[best] + edges[best + 1]) / 2)


def margins_and_f1(reader: SpanReader, dataset: Dataset) -> tuple[Floats, Floats, Floats, Floats]:
    """Of each question: margin, exact match and F1 when answered, F1 when silent."""
    read_spans = read_own(reader, dataset)
    measured = [scores(text, q.answers) for (text, _), q in zip(read_spans, dataset.questions, strict=True)]
    silent = [0.0 if q.answers else 100.0 for q in dataset.questions]
    return (
        np.array([margin for _, margin in read_spans]),
        np.array([em for em, _ in measured]),
        np.array([f1 for _, f1 in measured]),
        np.array(silent),
    )


def adversarial_figures(reader: SpanReader, dataset: Dataset) -> dict[str, float]:
    """SQuAD 2.0's measures with the threshold that is best on these very questions."""
    margins, em, f1, silent = margins_and_f1(reader, dataset)
    return _figures(margins, em, f1, silent, np.full(len(margins), best_threshold(f1, silent, margins)))


def across_articles(reader: SpanReader, tuning: Dataset, validation: Dataset) -> dict[str, float]:
    """SQuAD 2.0's measures on the validation articles, each with the threshold that is best on all other articles."""
    own = margins_and_f1(reader, validation)
    margins, _, f1, silent = (np.concatenate(pair) for pair in zip(own, margins_and_f1(reader, tuning), strict=True))
    datasets = (validation, tuning)
    titles = np.array([d.paragraphs[q.paragraph].title for d in datasets for q in d.questions])
    thresholds = np.zeros(len(own[0]))
    for title in held_out_articles().validation:
        others = titles != title
        threshold = best_threshold(f1[others], silent[others], margins[others])
        thresholds[titles[: len(thresholds)] == title] = threshold
    return _figures(*own, thresholds)


def _figures(margins: Floats, em: Floats, f1: Floats, silent: Floats, thresholds: Floats) -> dict[str, float]:
    best = best_threshold(f1, silent, margins)
    spoken = margins >= thresholds
    answerable = silent == 0
    figures = {
        "questions": len(margins),
        "threshold": float(np.median(thresholds)),
        "em": float(np.where(spoken, em, silent).mean()),
        "f1": float(np.where(spoken, f1, silent).mean()),
        "f1 at its own best threshold": float(np.where(margins >= best, f1, silent).mean()),
        "answerable f1": float(np.where(spoken, f1, silent)[answerable].mean()),
        "unanswerable f1": float(np.where(spoken, f1, silent)[~answerable].mean()),
    }
    for name, chosen in (("answerable", answerable), ("unanswerable", ~answerable)):
        for share in (10, 25, 50, 75, 90):
            figures[f"{name} margin p{share}"] = float(np.percentile(margins[chosen], share))
    pairs = margins[answerable][:, None] - margins[~answerable][None, :]
    figures["answerable above unanswerable"] = float((pairs > 0).mean())
    return figures


def plain_figures(reader: SpanReader, dataset: Dataset) -> dict[str, float]:
    """SQuAD 1.1's measures: always an answer."""
    _, em, f1, _ = margins_and_f1(reader, dataset)
    return {"questions": len(em), "em": float(em.mean()), "f1": float(f1.mean())}


def open_figures(reader: SpanReader, dataset: Dataset, base: Path) -> dict[str, float]:
    """Questions answered from the k best of all paragraphs."""
    texts = [title_prefix(p.title) + p.text for p in dataset.paragraphs]
    places = rankings([q.text for q in dataset.questions], texts, str(base), DEFAULT_K)
    found = [
        reader.spans(question.text, [candidate(dataset.paragraphs[place], rank) for rank, place in enumerate(row, 1)])
        for question, row in zip(dataset.questions, places, strict=True)
    ]

    def f1(spans: Sequence[Span], answers: Sequence[str], weight: float) -> float:
        """With `weight` of the log reciprocal rank mixed into a span's score."""
        best = max(spans, key=lambda span: span.score - weight * float(np.log(span.candidate.rank)))
        return scores(best.text, answers)[1]

    def mean(weight: float) -> float:
        pairs = zip(found, dataset.questions, strict=True)
        return float(np.mean([f1(spans, question.answers, weight) for spans, question in pairs]))

    there = [q.paragraph in row for q, row in zip(dataset.questions, places, strict=True)]
    return {
        "questions": len(found),
        "paragraphs": len(dataset.paragraphs),
        "own paragraph retrieved": float(np.mean(there)),
        "f1": mean(0.0),
        "f1 with rank mixed in": mean(1.0),
    }


def answerable(dataset: Dataset) -> Dataset:
    return Dataset(dataset.paragraphs, tuple(q for q in dataset.questions if q.answers))


def every(n: int, dataset: Dataset) -> Dataset:
    return Dataset(dataset.paragraphs, dataset.questions[::n])


def tuning_figures(reader: SpanReader, data: Path) -> dict[str, float]:
    """A short look at some questions of the tuning articles, for watching training."""
    tuning = held_out_articles().tuning
    plain, adversarial = (
        every(WATCHED, of_articles(read_squad(data / name), tuning)) for name in ("squad-1.1.json", "squad-2.0.json")
    )
    plain_found = plain_figures(reader, plain)
    adversarial_found = adversarial_figures(reader, adversarial)
    return {
        "1.1 em": round(plain_found["em"], 1),
        "1.1 f1": round(plain_found["f1"], 1),
        "2.0 f1": round(adversarial_found["f1"], 1),
        "above": round(adversarial_found["answerable above unanswerable"], 3),
    }


def evaluate(reader: SpanReader, data: Path, base: Path) -> dict[str, dict[str, float]]:
    """All figures."""
    articles = held_out_articles()
    plain, adversarial = (read_squad(data / name) for name in ("squad-1.1.json", "squad-2.0.json"))
    tuning, validation = (of_articles(adversarial, titles) for titles in (articles.tuning, articles.validation))
    figures = {
        "SQuAD 1.1": plain_figures(reader, of_articles(plain, articles.validation)),
        "SQuAD 2.0": across_articles(reader, tuning, validation),
    }
    pool = of_articles(merge([plain, adversarial]), articles.validation)
    figures["open retrieval"] = open_figures(reader, answerable(pool), base)
    whole = plain_figures(reader, answerable(pool))
    figures["open retrieval"]["f1 on gold paragraphs"] = whole["f1"]
    figures["open retrieval"]["share of gold"] = figures["open retrieval"]["f1"] / whole["f1"]
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the datasets")
    parser.add_argument("--base", type=Path, required=True, help="folder of the sentence encoder that retrieves")
    parser.add_argument("--model", type=Path, required=True, help="folder with the reader")
    parser.add_argument("--out", type=Path, help="file for the figures")
    options = parser.parse_args()
    torch.set_num_threads(2)
    begun = time.monotonic()
    figures = evaluate(load_reader(options.model), options.data, options.base)
    text = json.dumps(figures, indent=1)
    print(text, f"\n{time.monotonic() - begun:.0f} s")
    if options.out is not None:
        options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
