"""Score a reader on the held-out articles: gold paragraphs, unanswerable questions, and open retrieval.

    python -m training.evaluate --data DIR --base MODEL --model FOLDER [--runtime torch|openvino] [--out FILE.json]

SQuAD 1.1 and 2.0 are scored with the official measures on each question's own paragraph; 2.0's threshold is the
best one on the tuning articles. Open retrieval gives each answerable question the k best of all paragraphs of the
validation articles and takes the span with the highest log-odds against its passage's null.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import nn
from torchmetrics.functional.text import squad

from training.data import Dataset, held_out_articles, merge, of_articles, read_squad, title_prefix
from training.prepare import load_tokenizer
from training.reading import Floats, Found, Ints, Model, read
from training.retrieve import rankings

K = 8  # passages read for a question, as the product does
WATCHED = 4  # one in so many tuning questions is asked while training goes on


def torch_model(model: nn.Module) -> Model:
    """A torch reader run in the precision of its weights."""
    segments = getattr(model.config, "type_vocab_size", 0) > 1

    def run(ids: Ints, mask: Ints, types: Ints) -> tuple[Floats, Floats]:
        given = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
        if segments:
            given["token_type_ids"] = torch.from_numpy(types)
        with torch.inference_mode():
            found = model(**given)
        return found.start_logits.float().numpy(), found.end_logits.float().numpy()

    return run


def load_torch(folder: Path, base: Path) -> Model:
    """Weights saved by training, or any folder that transformers can load."""
    from safetensors.torch import load_file
    from transformers import AutoModelForQuestionAnswering

    if (folder / "config.json").exists():
        return torch_model(AutoModelForQuestionAnswering.from_pretrained(folder).eval())
    model = AutoModelForQuestionAnswering.from_pretrained(base)
    model.load_state_dict(load_file(folder / "model.safetensors"))
    return torch_model(model.eval())


def load_openvino(folder: Path) -> Model:
    """An exported reader at the runtime's defaults."""
    import openvino

    compiled = openvino.Core().compile_model(folder / "reader.xml", "CPU")

    def run(ids: Ints, mask: Ints, types: Ints) -> tuple[Floats, Floats]:
        found = compiled({"input_ids": ids, "attention_mask": mask, "token_type_ids": types})
        return found["start_logits"], found["end_logits"]

    return run


def scores(prediction: str, answers: Sequence[str]) -> tuple[float, float]:
    """Exact match and F1 of one prediction, out of 100; no answers means the right prediction is empty."""
    texts = list(answers) or [""]
    measured = squad(
        {"prediction_text": prediction, "id": "0"},
        {"answers": {"answer_start": [0] * len(texts), "text": texts}, "id": "0"},
    )
    return float(measured["exact_match"]), float(measured["f1"])


def read_own(model: Model, tokenizer: Tokenizer, dataset: Dataset) -> list[tuple[str, float]]:
    """For each question the best span of its own paragraph, and the span's score."""
    asked = []
    for question in dataset.questions:
        paragraph = dataset.paragraphs[question.paragraph]
        asked.append((question.text, [(title_prefix(paragraph.title), paragraph.text)]))
    found = read(model, tokenizer, asked)
    texts = [dataset.paragraphs[q.paragraph].text for q in dataset.questions]
    return [(text[spans[0].start : spans[0].end], spans[0].score) for text, spans in zip(texts, found, strict=True)]


def best_threshold(spoken: NDArray[np.float64], silent: NDArray[np.float64], margins: NDArray[np.float64]) -> float:
    """The score below which silence is best, given each question's F1 when answered and when silent."""
    order = np.argsort(-margins)
    gained = np.concatenate([[0.0], np.cumsum((spoken - silent)[order])])
    best = int(np.argmax(gained))
    edges = np.concatenate([[np.inf], margins[order], [-np.inf]])
    if best in (0, len(order)):
        return float(margins[order[0]] + 1 if best == 0 else margins[order[-1]] - 1)
    return float((edges[best] + edges[best + 1]) / 2)


def margins_and_f1(
    model: Model, tokenizer: Tokenizer, dataset: Dataset
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Of each question: margin, exact match and F1 when answered, F1 when silent."""
    read_spans = read_own(model, tokenizer, dataset)
    measured = [scores(text, q.answers) for (text, _), q in zip(read_spans, dataset.questions, strict=True)]
    silent = [0.0 if q.answers else 100.0 for q in dataset.questions]
    return (
        np.array([margin for _, margin in read_spans]),
        np.array([em for em, _ in measured]),
        np.array([f1 for _, f1 in measured]),
        np.array(silent),
    )


def adversarial_figures(
    model: Model, tokenizer: Tokenizer, dataset: Dataset, threshold: float | None = None
) -> dict[str, float]:
    """SQuAD 2.0's measures; without a threshold the best one on these very questions is used."""
    margins, em, f1, silent = margins_and_f1(model, tokenizer, dataset)
    best = best_threshold(f1, silent, margins)
    used = best if threshold is None else threshold
    spoken = margins >= used
    answerable = silent == 0
    figures = {
        "questions": len(margins),
        "threshold": used,
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


def plain_figures(model: Model, tokenizer: Tokenizer, dataset: Dataset) -> dict[str, float]:
    """SQuAD 1.1's measures: always an answer."""
    _, em, f1, _ = margins_and_f1(model, tokenizer, dataset)
    return {"questions": len(em), "em": float(em.mean()), "f1": float(f1.mean())}


def open_figures(model: Model, tokenizer: Tokenizer, dataset: Dataset, base: Path) -> dict[str, float]:
    """Questions answered from the k best of all paragraphs."""
    texts = [title_prefix(p.title) + p.text for p in dataset.paragraphs]
    places = rankings([q.text for q in dataset.questions], texts, str(base), K)
    asked = []
    for question, row in zip(dataset.questions, places, strict=True):
        passages = [dataset.paragraphs[place] for place in row]
        asked.append((question.text, [(title_prefix(p.title), p.text) for p in passages]))
    found = read(model, tokenizer, asked)

    def f1(spans: Sequence[Found], question: int, weight: float) -> float:
        """With `weight` of the log reciprocal rank mixed into a span's score."""
        best = max(spans, key=lambda span: span.score - weight * float(np.log1p(span.passage)))
        text = dataset.paragraphs[places[question][best.passage]].text
        return scores(text[best.start : best.end], dataset.questions[question].answers)[1]

    plain = [f1(spans, i, 0.0) for i, spans in enumerate(found)]
    mixed = [f1(spans, i, 1.0) for i, spans in enumerate(found)]
    there = [q.paragraph in row for q, row in zip(dataset.questions, places, strict=True)]
    return {
        "questions": len(found),
        "paragraphs": len(dataset.paragraphs),
        "own paragraph retrieved": float(np.mean(there)),
        "f1": float(np.mean(plain)),
        "f1 with rank mixed in": float(np.mean(mixed)),
    }


def answerable(dataset: Dataset) -> Dataset:
    return Dataset(dataset.paragraphs, tuple(q for q in dataset.questions if q.answers))


def every(n: int, dataset: Dataset) -> Dataset:
    return Dataset(dataset.paragraphs, dataset.questions[::n])


def tuning_figures(model: Model, data: Path, base: Path) -> dict[str, float]:
    """A short look at some questions of the tuning articles, for watching training."""
    tokenizer, tuning = load_tokenizer(base), held_out_articles().tuning
    plain, adversarial = (
        every(WATCHED, of_articles(read_squad(data / name), tuning)) for name in ("squad-1.1.json", "squad-2.0.json")
    )
    plain_found = plain_figures(model, tokenizer, plain)
    adversarial_found = adversarial_figures(model, tokenizer, adversarial)
    return {
        "1.1 em": round(plain_found["em"], 1),
        "1.1 f1": round(plain_found["f1"], 1),
        "2.0 f1": round(adversarial_found["f1"], 1),
        "above": round(adversarial_found["answerable above unanswerable"], 3),
    }


def evaluate(model: Model, data: Path, base: Path) -> dict[str, dict[str, float]]:
    """All figures."""
    tokenizer, articles = load_tokenizer(base), held_out_articles()
    plain, adversarial = (read_squad(data / name) for name in ("squad-1.1.json", "squad-2.0.json"))
    tuned = adversarial_figures(model, tokenizer, of_articles(adversarial, articles.tuning))
    own = of_articles(plain, articles.validation)
    figures = {
        "SQuAD 1.1": plain_figures(model, tokenizer, own),
        "SQuAD 2.0": adversarial_figures(
            model, tokenizer, of_articles(adversarial, articles.validation), tuned["threshold"]
        ),
        "tuning articles": tuned,
    }
    pool = of_articles(merge([plain, adversarial]), articles.validation)
    figures["open retrieval"] = open_figures(model, tokenizer, answerable(pool), base)
    whole = plain_figures(model, tokenizer, answerable(pool))
    figures["open retrieval"]["f1 on gold paragraphs"] = whole["f1"]
    figures["open retrieval"]["share of gold"] = figures["open retrieval"]["f1"] / whole["f1"]
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the datasets")
    parser.add_argument("--base", type=Path, required=True, help="folder of the sentence encoder")
    parser.add_argument("--model", type=Path, required=True, help="folder with the reader")
    parser.add_argument("--runtime", choices=("torch", "openvino"), default="torch")
    parser.add_argument("--out", type=Path, help="file for the figures")
    options = parser.parse_args()
    torch.set_num_threads(2)
    loaded = load_torch(options.model, options.base) if options.runtime == "torch" else load_openvino(options.model)
    begun = time.monotonic()
    figures = evaluate(loaded, options.data, options.base)
    text = json.dumps(figures, indent=1)
    print(text, f"\n{time.monotonic() - begun:.0f} s")
    if options.out is not None:
        options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
