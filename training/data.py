"""Questions and paragraphs read from files in SQuAD's layout, and the articles that are held out."""

import json
import re
import string
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ARTICLES = Path(__file__).with_name("validation_articles.json")


@dataclass(frozen=True)
class Paragraph:
    """A text to read; `title` is empty when the source gives none."""

    title: str
    text: str


@dataclass(frozen=True)
class Question:
    """A question about one paragraph (its place in the list); no answers means it cannot be answered there."""

    id: str
    text: str
    answers: tuple[str, ...]
    paragraph: int


@dataclass(frozen=True)
class Dataset:
    """Questions and the paragraphs they point into."""

    paragraphs: tuple[Paragraph, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class HeldOut:
    """Article titles that no training question comes from: for the figures, and for choosing thresholds."""

    validation: frozenset[str]
    tuning: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        return self.validation | self.tuning


def held_out_articles(path: Path = ARTICLES) -> HeldOut:
    titles = json.loads(path.read_text(encoding="utf-8"))
    return HeldOut(frozenset(titles["validation"]), frozenset(titles["tuning"]))


def read_squad(path: Path, *, titled: bool = True) -> Dataset:
    """Everything in one file of SQuAD's layout, in its order."""
    paragraphs: list[Paragraph] = []
    questions: list[Question] = []
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        title = article["title"] if titled else ""
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                answers = tuple(answer["text"] for answer in qa["answers"])
                questions.append(Question(qa["id"], qa["question"].strip(), answers, len(paragraphs)))
            paragraphs.append(Paragraph(title, paragraph["context"]))
    return Dataset(tuple(paragraphs), tuple(questions))


def merge(datasets: Iterable[Dataset]) -> Dataset:
    """The union: equal paragraphs become one, and of questions with the same id the first is kept."""
    places: dict[tuple[str, str], int] = {}
    paragraphs: list[Paragraph] = []
    questions: dict[str, Question] = {}
    for dataset in datasets:
        moved: list[int] = []
        for paragraph in dataset.paragraphs:
            key = (paragraph.title, " ".join(paragraph.text.split()))
            if key not in places:
                places[key] = len(paragraphs)
                paragraphs.append(paragraph)
            moved.append(places[key])
        for question in dataset.questions:
            placed = Question(question.id, question.text, question.answers, moved[question.paragraph])
            questions.setdefault(question.id, placed)
    return Dataset(tuple(paragraphs), tuple(questions.values()))


def of_articles(dataset: Dataset, titles: frozenset[str], *, inside: bool = True) -> Dataset:
    """The part of a dataset whose article is (or with `inside=False` is not) among `titles`."""
    kept = [i for i, p in enumerate(dataset.paragraphs) if (p.title in titles) is inside]
    moved = {old: new for new, old in enumerate(kept)}
    questions = tuple(
        Question(q.id, q.text, q.answers, moved[q.paragraph]) for q in dataset.questions if q.paragraph in moved
    )
    return Dataset(tuple(dataset.paragraphs[i] for i in kept), questions)


def normalised(text: str) -> str:
    """Lower case without punctuation, articles and extra space: the form in which answers are compared.

    >>> normalised("The  U.S. Army")
    'us army'
    """
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def title_prefix(title: str) -> str:
    """The words put before a paragraph when it is read.

    >>> title_prefix("Prime_number")
    'Prime number. '
    """
    return f"{title.replace('_', ' ')}. " if title else ""
