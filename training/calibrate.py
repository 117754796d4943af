"""Fit the calibration of a reader on the `tune` questions, and on those of held-out articles where they are given.

    python -m training.calibrate --reader sentence
    python -m training.calibrate --reader span --articles TUNING VALIDATION
    python -m training.calibrate --reader span --manuals MANUALS/office MANUALS/images

Writes `qa/models/calibration-<reader>.json`: the coefficients of a logistic model over `qa.calibration.Features`. For
each question the model is shown the best answer that the reader found and whether it is right; to a question that the
documents do not answer, every answer is wrong. The articles' questions of yes or no are a source of their own, and so
are, with `--written`, those on paragraphs that nothing was trained on (see `training.texts`). Also prints how well the
confidence holds on articles that it was not fitted on: each article's with the coefficients fitted on all others.

With manuals (see `training.manuals`) only the coefficients for questions of what to do are fitted, and the others stay.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torchmetrics.functional.classification import binary_calibration_error

from qa.calibration import Calibrator, Features
from qa.embedding import SentenceTransformerEmbedder
from qa.evaluation import CALIBRATION_BINS, Example, is_right, read_examples
from qa.pipeline import READERS, Pipeline, open_reader
from qa.question import asks_for_steps, plain_question

REGULARISATION = 3.0
"""A hundred questions, a dozen features: held well towards zero, so that none is believed for a few examples."""

FITTED = 4
"""Answers to a question of what to do that are shown to the model: the surest of them is given, so that it must tell
them apart. With all of them the confidence is less true."""

WRITTEN_COUNT = 2
"""Written questions count twice, being nearer to what people ask than adversarial ones. What is shipped was fitted
without them: with them the ECE on `tune`, ten-fold, was .128 instead of .105."""

Observed = tuple[list[Features], list[bool]]
"""Of some questions: the features of answers, and whether each is right."""


def observe(pipeline: Pipeline, examples: Iterable[Example], steps: bool = False) -> Observed:
    """The best answer to each question; with `steps` the best few to each question of what to do."""
    answerer = pipeline.answerer()
    found, right = [], []
    for example in examples:
        if asks_for_steps(plain_question(example.question)) != steps:
            continue
        candidates = answerer.retrieve(example.question)
        groups = answerer.groups(example.question, answerer.read(example.question, candidates))
        for group in sorted(groups, key=lambda group: -group.features.margin)[: FITTED if steps else 1]:
            found.append(group.features)
            right.append(is_right(example, answerer.citations(group.spans, first_number=1)))
    return found, right


def fit(sources: Sequence[Observed]) -> dict[str, Any]:
    """The coefficients for features as they are (the scaling used in fitting is folded in), none below zero.

    Every source of questions counts the same, however many it has: hundreds of adversarial questions on encyclopaedia
    articles would otherwise decide how sure to be of a news report.

    Each feature is evidence for an answer, so that more of it may count for nothing but never against the answer: a
    hundred questions would otherwise teach the model that agreement is a bad sign.
    """
    names = [field.name for field in fields(Features)]
    rows = np.array([[asdict(item)[name] for name in names] for found, _ in sources for item in found])
    right = [value for _, values in sources for value in values]
    each = np.concatenate([np.full(len(values), len(right) / len(sources) / len(values)) for _, values in sources])
    mean, scale = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-6)
    scaled, signs = (rows - mean) / scale, np.where(right, 1.0, -1.0)

    def loss(weights: NDArray[np.float64]) -> float:
        margins = signs * (weights[0] + scaled @ weights[1:])
        return float(each @ np.logaddexp(0.0, -margins) + REGULARISATION * (weights[1:] ** 2).sum() / 2)

    bounds = [(None, None)] + [(0.0, None)] * len(names)
    weights = minimize(loss, np.zeros(len(names) + 1), method="L-BFGS-B", bounds=bounds).x
    coefficients = weights[1:] / scale
    intercept = weights[0] - float(np.dot(coefficients, mean))
    return {
        "intercept": round(float(intercept), 4),
        "coefficients": {name: round(float(value), 4) for name, value in zip(names, coefficients, strict=True)},
        "fitted_on": {"answers": len(right), "right": int(sum(right))},
    }


def together(parts: Iterable[Observed]) -> Observed:
    """Several sources as one."""
    found, right = zip(*parts, strict=True)
    return list(chain.from_iterable(found)), list(chain.from_iterable(right))


def left_out(own: Observed, held_out: Mapping[str, Mapping[str, Observed]]) -> None:
    """Print the calibration error on each file's questions on held-out articles, each left out of the fit in turn."""
    for file, articles in held_out.items():
        confidences: list[float] = []
        right: list[bool] = []
        for title, (found, values) in articles.items():
            others = [together(p for t, p in parts.items() if t != title) for parts in held_out.values()]
            fitted = fit([own, *others])
            calibrator = Calibrator(fitted["intercept"], fitted["coefficients"])
            confidences += [calibrator.confidence(item) for item in found]
            right += values
        error = float(
            binary_calibration_error(torch.tensor(confidences), torch.tensor(right).long(), n_bins=CALIBRATION_BINS)
        )
        print(f"{file}: ECE on {len(right)} questions of articles that were left out of the fit: {error:.3f}")


def main() -> None:
    """Run from the repository's root, where the index and the questions are."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--reader", default=READERS[0])
    arguments.add_argument("--index", type=Path, default=Path("index"))
    arguments.add_argument("--questions", type=Path, default=Path("tests/evaluation/questions.jsonl"))
    arguments.add_argument("--articles", type=Path, nargs="*", default=[], help="folders of training.articles, indexed")
    arguments.add_argument("--written", type=Path, nargs="*", default=[], help="folders of training.texts, indexed")
    arguments.add_argument("--manuals", type=Path, nargs="*", default=[], help="folders of training.manuals, indexed")
    given = arguments.parse_args()
    embedder = SentenceTransformerEmbedder()
    reader = open_reader(given.reader, embedder)
    path = Path("qa/models") / f"calibration-{reader.name}.json"
    shipped = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if given.manuals:
        manuals = [
            observe(Pipeline(folder / "index", embedder, reader), read_examples(folder / "how_to.jsonl"), steps=True)
            for folder in given.manuals
        ]
        write(path, {**shipped, "steps": fit(manuals)})
        return
    own = [example for example in read_examples(given.questions) if example.split == "tune"]
    sources = [observe(Pipeline(given.index, embedder, reader), own)]
    held_out: dict[str, dict[str, Observed]] = {"questions.jsonl": {}, "yes_no.jsonl": {}}
    for folder in given.articles:
        pipeline = Pipeline(folder / "index", embedder, reader)
        for file, articles in held_out.items():
            by_title = sorted(read_examples(folder / file), key=lambda example: example.kind)
            for title, examples in groupby(by_title, key=lambda example: example.kind):
                articles[title] = observe(pipeline, list(examples))
    for folder in given.written:
        written = observe(Pipeline(folder / "index", embedder, reader), read_examples(folder / "questions.jsonl"))
        sources += [written] * WRITTEN_COUNT
    if given.articles:
        left_out(sources[0], held_out)
        sources += [together(articles.values()) for articles in held_out.values()]
    steps = {"steps": shipped["steps"]} if "steps" in shipped else {}
    write(path, {"reader": reader.name, **fit(sources), **steps})


def write(path: Path, calibration: dict[str, Any]) -> None:
    """Write coefficients, and show them."""
    path.write_text(json.dumps(calibration, indent=1) + "\n", encoding="utf-8")
    print(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
