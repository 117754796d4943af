"""Turn the datasets into numpy arrays: tokens, answer places, and retrieved passages without the answer.

    python -m training.prepare --data DIR --base MODEL --out DIR

With `--tokens MODEL` the tokens are those of another model, such as a teacher; retrieval stays that of the base, so
both sets of arrays hold the same questions and passages in the same order. `--sources` prepares some of the questions
alone: those that only a later stage reads are ready in minutes.
"""

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from qa.question import plain_question
from training.data import (
    Dataset,
    Paragraph,
    Question,
    held_out_articles,
    merge,
    normalised,
    of_articles,
    read_squad,
    title_prefix,
)
from training.made import made_questions
from training.retrieve import rankings
from training.reworded import reworded_questions
from training.texts import written_questions

NEGATIVES = 8  # kept for each question; training samples among them
LOOKED_AT = 20  # retrieved passages among which those without the answer are looked for
NEAR = 100  # characters each side of an answer in which the question's words are counted
SENTENCE_END = re.compile(r"[.!?][\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])|\n+")
YEAR = re.compile(r"(?:1\d|20)\d\d")
LABEL_ENDS = (": ", "\n", " – ", ". ")  # how a timeline's year may be set off from its line

SQUAD, QAMR, QED, TIMELINE, MADE, REWORDED, WRITTEN = range(7)  # where a question comes from
SOURCES = {
    "squad": SQUAD,
    "qamr": QAMR,
    "qed": QED,
    "timeline": TIMELINE,
    "made": MADE,
    "reworded": REWORDED,
    "written": WRITTEN,
}
"""Where questions come from, by the names that commands take."""
ALONE = (QAMR, QED, TIMELINE)
"""Of these each question is asked of its own passage only."""


@dataclass(frozen=True)
class Layout:
    """How a family of models writes question and passage: the ids around them, and whether segments are given."""

    cls: int
    sep: int
    pad: int
    between: int
    segments: bool

    def head(self, question: Sequence[int]) -> list[int]:
        """All ids before the passage."""
        return [self.cls, *question, *[self.sep] * self.between]


def layout_of(tokenizer: Tokenizer) -> Layout:
    """BERT's layout, or that of MPNet and RoBERTa."""
    ids = tokenizer.get_vocab()
    if "<s>" in ids:
        return Layout(ids["<s>"], ids["</s>"], ids["<pad>"], between=2, segments=False)
    return Layout(ids["[CLS]"], ids["[SEP]"], ids["[PAD]"], between=1, segments=True)


@dataclass(frozen=True)
class Ragged:
    """Rows of unequal length in one array: row i is `flat[bounds[i]:bounds[i + 1]]`."""

    flat: NDArray[np.int32]
    bounds: NDArray[np.int64]

    def __getitem__(self, row: int) -> NDArray[np.int32]:
        return self.flat[self.bounds[row] : self.bounds[row + 1]]

    def __len__(self) -> int:
        return len(self.bounds) - 1


def ragged(rows: Iterable[Sequence[int]]) -> Ragged:
    flat: list[int] = []
    bounds = [0]
    for row in rows:
        flat.extend(row)
        bounds.append(len(flat))
    return Ragged(np.array(flat, dtype=np.int32), np.array(bounds, dtype=np.int64))


def load_tokenizer(model: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def sentence_starts(text: str) -> list[int]:
    """Characters at which sentences begin, roughly.

    >>> sentence_starts("It rained. We left.")
    [0, 11]
    """
    return [0, *(m.end() for m in SENTENCE_END.finditer(text) if m.end() < len(text))]


def occurrences(text: str, answer: str) -> list[int]:
    """Where an answer stands in a text as whole words."""
    pattern = rf"(?<!\w){re.escape(answer)}(?!\w)"
    return [m.start() for m in re.finditer(pattern, text)] or [m.start() for m in re.finditer(re.escape(answer), text)]


def answer_places(question: str, text: str, answers: Sequence[str]) -> list[tuple[int, int, float]]:
    """Each place an answer may mean, as (start, end, weight).

    Annotators who agree add up. An answer that stands in several places is weighted towards those near
    the question's words.
    """
    words = set(normalised(question).split())
    places: Counter[tuple[int, int]] = Counter()
    for answer, votes in Counter(answers).items():
        starts = occurrences(text, answer)
        near = [len(words & set(normalised(text[max(0, s - NEAR) : s + len(answer) + NEAR]).split())) for s in starts]
        weights = np.exp(np.array(near, dtype=float) - max(near, default=0))
        for start, weight in zip(starts, weights / weights.sum() if starts else weights, strict=True):
            places[start, start + len(answer)] += votes * float(weight)  # type: ignore[assignment]
    total = sum(places.values())
    return [(start, end, weight / total) for (start, end), weight in places.items()]


def timeline_questions(dataset: Dataset, seed: int = 0) -> Dataset:
    """Questions whose answer is a year, with the year taken out of its sentence and put before it as a label."""
    rng = random.Random(seed)
    lines: dict[str, list[tuple[str, str, Question]]] = {}
    for question in dataset.questions:
        years = Counter(question.answers)
        if not years or not YEAR.fullmatch(year := years.most_common(1)[0][0]):
            continue
        paragraph = dataset.paragraphs[question.paragraph]
        starts = [*sentence_starts(paragraph.text), len(paragraph.text)]
        sentences = [paragraph.text[a:b].strip() for a, b in zip(starts, starts[1:], strict=False)]
        dated = [s for s in sentences if year in s]
        if len(dated) != 1:
            continue
        line = re.sub(rf"(?:,\s*)?\b(?:in|by|since|during)\s+(?:the\s+year\s+)?{year}\b,?", "", dated[0], flags=re.I)
        line = line.strip(" ,")
        if line and year not in line:
            lines.setdefault(paragraph.title, []).append((year, line[0].upper() + line[1:], question))
    paragraphs: list[Paragraph] = []
    questions: list[Question] = []
    for title, items in lines.items():
        for year, line, question in items:
            others = [i for i in items if i[0] != year and i[1] != line]
            chosen = [*rng.sample(others, min(len(others), rng.randrange(4))), (year, line, question)]
            chosen.sort(key=lambda item: item[0])
            end = rng.choice(LABEL_ENDS)
            text = "\n".join(f"{y}{end}{words}" for y, words, _ in chosen)
            questions.append(Question(f"{question.id}-timeline", question.text, (year,), len(paragraphs)))
            paragraphs.append(Paragraph(title, text))
    return Dataset(tuple(paragraphs), tuple(questions))


def negatives(dataset: Dataset, model: Path) -> NDArray[np.int32]:
    """For each question the best retrieved paragraphs, its own apart, that do not hold its answer; -1 fills."""
    texts = [title_prefix(p.title) + p.text for p in dataset.paragraphs]
    plain = [f" {normalised(p.text)} " for p in dataset.paragraphs]
    found = rankings([q.text for q in dataset.questions], texts, str(model), LOOKED_AT)
    rows = np.full((len(dataset.questions), NEGATIVES), -1, dtype=np.int32)
    for row, question in enumerate(dataset.questions):
        answers = [f" {normalised(answer)} " for answer in question.answers]
        kept = [
            place
            for place in found[row]
            if place != question.paragraph and not any(answer in plain[place] for answer in answers)
        ]
        rows[row, : len(kept[:NEGATIVES])] = kept[:NEGATIVES]
    return rows


def token_places(offsets: Sequence[tuple[int, int]], start: int, end: int) -> tuple[int, int]:
    """First and last token that touch the characters [start, end)."""
    touching = [i for i, (a, b) in enumerate(offsets) if b > start and a < end]
    return touching[0], touching[-1]


def save(parts: Sequence[tuple[int, Dataset, NDArray[np.int32]]], tokenizer: Tokenizer, out: Path) -> None:
    """One npz of everything; a part is a source, its dataset and its negatives."""
    titles = sorted({p.title for _, dataset, _ in parts for p in dataset.paragraphs})
    tokens: list[list[int]] = []
    sentences: list[list[int]] = []
    paragraph_titles: list[int] = []
    question_tokens: list[list[int]] = []
    question_rows: list[tuple[int, int]] = []
    answer_rows: list[list[int]] = []
    answer_weights: list[float] = []
    negative_rows: list[NDArray[np.int32]] = []
    skipped = 0
    for source, dataset, negative in parts:
        first = len(tokens)
        encoded = tokenizer.encode_batch([p.text for p in dataset.paragraphs], add_special_tokens=False)
        for paragraph, encoding in zip(dataset.paragraphs, encoded, strict=True):
            starts = sentence_starts(paragraph.text)
            tokens.append(encoding.ids)
            sentences.append([int(np.searchsorted(starts, a, side="right")) - 1 for a, _ in encoding.offsets])
            paragraph_titles.append(titles.index(paragraph.title))
        asked = tokenizer.encode_batch([q.text for q in dataset.questions], add_special_tokens=False)
        for row, question in enumerate(dataset.questions):
            text = dataset.paragraphs[question.paragraph].text
            places = answer_places(question.text, text, question.answers)
            if question.answers and not places:
                skipped += 1
                continue
            offsets = encoded[question.paragraph].offsets
            flat: list[int] = []
            for start, end, weight in places:
                flat.extend(token_places(offsets, start, end))
                answer_weights.append(weight)
            question_tokens.append(asked[row].ids)
            question_rows.append((source, first + question.paragraph))
            answer_rows.append(flat)
            negative_rows.append(np.where(negative[row] >= 0, negative[row] + first, -1))
    ragged_rows = {
        "paragraph_tokens": ragged(tokens),
        "paragraph_sentences": ragged(sentences),
        "question_tokens": ragged(question_tokens),
        "answers": ragged(answer_rows),
        "titles": ragged(tokenizer.encode(title_prefix(title), add_special_tokens=False).ids for title in titles),
    }
    arrays: dict[str, NDArray[np.generic]] = {
        "paragraph_title": np.array(paragraph_titles, dtype=np.int32),
        "question_source": np.array([s for s, _ in question_rows], dtype=np.int32),
        "question_paragraph": np.array([p for _, p in question_rows], dtype=np.int32),
        "answer_weights": np.array(answer_weights, dtype=np.float32),
        "negatives": np.stack(negative_rows),
        "layout": np.array(astuple(layout_of(tokenizer)), dtype=np.int32),
    }
    for name, rows in ragged_rows.items():
        arrays[name] = rows.flat
        arrays[f"{name}_bounds"] = rows.bounds
    out.mkdir(parents=True, exist_ok=True)
    np.savez(out / "train.npz", allow_pickle=False, **arrays)
    counts = {
        "paragraphs": len(tokens),
        "questions by source": dict(sorted(Counter(int(s) for s, _ in question_rows).items())),
        "unanswerable": sum(not row for row in answer_rows),
        "with several places": sum(len(row) > 2 for row in answer_rows),
        "answer not found": skipped,
    }
    (out / "counts.json").write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(counts))


def as_read(dataset: Dataset) -> Dataset:
    """The questions as the program hands them to its reader, with their question mark and without what is around."""
    return replace(dataset, questions=tuple(replace(q, text=plain_question(q.text)) for q in dataset.questions))


def parts(
    data: Path, model: Path, sources: Container[int], *, everything: bool
) -> Iterator[tuple[int, Dataset, NDArray[np.int32]]]:
    """The sources with their negatives; with `everything` the held-out articles are trained on too."""
    squad = merge([read_squad(data / "squad-1.1.json"), read_squad(data / "squad-2.0.json")])
    if not everything:
        squad = of_articles(squad, held_out_articles().all, inside=False)
    qamr, qed = (read_squad(data / name, titled=False) for name in ("qamr.json", "qed.json"))
    datasets: list[tuple[int, Callable[[], Dataset]]] = [
        (SQUAD, lambda: squad),
        (REWORDED, lambda: reworded_questions(squad)),
        (WRITTEN, lambda: as_read(written_questions(data / "texts.json", held_out=False))),
        (MADE, lambda: made_questions(squad)),
        (MADE, lambda: made_questions(merge([qamr, qed]))),
        (QAMR, lambda: qamr),
        (QED, lambda: qed),
        (TIMELINE, lambda: timeline_questions(squad)),
    ]
    for source, make in datasets:
        if source in sources:
            dataset = make()
            if source in ALONE:
                yield source, dataset, np.full((len(dataset.questions), NEGATIVES), -1, dtype=np.int32)
            else:
                yield source, dataset, negatives(dataset, model)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the datasets")
    parser.add_argument("--base", type=Path, required=True, help="folder of the sentence encoder")
    parser.add_argument("--tokens", type=Path, help="folder of the model to be trained, if another")
    parser.add_argument("--out", type=Path, required=True, help="folder for the arrays")
    parser.add_argument("--everything", action="store_true", help="train on the held-out articles as well")
    parser.add_argument("--sources", nargs="+", choices=SOURCES, default=list(SOURCES), help="default: all")
    options = parser.parse_args()
    sources = {SOURCES[name] for name in options.sources}
    made = list(parts(options.data, options.base, sources, everything=options.everything))
    save(made, load_tokenizer(options.tokens or options.base), options.out)


if __name__ == "__main__":
    main()
