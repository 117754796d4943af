"""Held-out SQuAD articles as a folder of documents with questions, so that the program itself can be judged on them.

    python -m training.articles --data DIR --part validation --out FOLDER
    qa index --corpus FOLDER/corpus --index FOLDER/index
    qa evaluate --questions FOLDER/questions.jsonl --index FOLDER/index

Each article is one long plain-text file, and its title the `kind` of its questions. The questions of the tuning
articles have the split `tune`, those of the validation articles `test`. Unanswerable questions are SQuAD 2.0's, every
other one answerable. SQuAD has next to no questions of yes or no: FOLDER/yes_no.jsonl holds those of `yes_no.jsonl`,
which were written for this, without a look at what the program makes of them. FOLDER/reworded.jsonl holds some of the
articles' questions in other words (see `training.reworded`).
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from training.data import Dataset, Paragraph, Question, held_out_articles, merge, of_articles, read_squad
from training.reworded import read_wordings

SPLITS = {"tuning": "tune", "validation": "test"}

SENTENCE = re.compile(r"[A-Z\"“(].*[.\"”)]", re.DOTALL)
"""What stands at the place of an answer to yes or no, unless the article is not the one that it was written for."""

MOST_QUESTIONS = 400
"""Half of them unanswerable: enough for a calibration error to within some hundredths, few enough for two cores."""


def write_articles(dataset: Dataset, folder: Path) -> list[int]:
    """Write each article as `<title>.txt` and give the place of each paragraph in its file."""
    folder.mkdir(parents=True, exist_ok=True)
    texts: dict[str, str] = {}
    places = []
    for paragraph in dataset.paragraphs:
        before = texts.get(paragraph.title, paragraph.title.replace("_", " ")) + "\n\n"
        places.append(len(before))
        texts[paragraph.title] = before + on_one_line(paragraph)
    for title, text in texts.items():
        (folder / file_name(title)).write_text(text, encoding="utf-8", newline="\n")
    return places


def on_one_line(paragraph: Paragraph) -> str:
    """A paragraph with its line ends as spaces: the same length, so that places stay."""
    return paragraph.text.replace("\r", " ").replace("\n", " ")


def file_name(title: str) -> str:
    """The name of an article's file."""
    return f"{title}.txt"


def example(question: Question, dataset: Dataset, places: list[int], split: str) -> dict[str, object]:
    """A question as a line of an evaluation set; every occurrence of an answer in its paragraph is accepted."""
    paragraph = dataset.paragraphs[question.paragraph]
    start = places[question.paragraph]
    found = {(at, text) for text in question.answers for at in occurrences(text, on_one_line(paragraph))}
    return {
        "id": question.id,
        "split": split,
        "kind": paragraph.title,
        "tags": [] if question.answers else ["unanswerable"],
        "question": question.text,
        "answers": [
            {
                "text": text,
                "document": file_name(paragraph.title),
                "start": start + at,
                "end": start + at + len(text),
                "variant": "A",
            }
            for at, text in sorted(found)
        ],
        "evidence": [],
    }


def occurrences(text: str, paragraph: str) -> Iterator[int]:
    """Where a text stands in a paragraph."""
    at = paragraph.find(text)
    while at >= 0:
        yield at
        at = paragraph.find(text, at + 1)


def yes_no_examples(folder: Path, titles: Iterable[str], split: str) -> Iterator[dict[str, object]]:
    """Questions of yes or no on the articles in a folder, each with the sentence that decides it, or with none.

    Raises ValueError where an article does not have a sentence at the place.
    """
    texts = {title: (folder / file_name(title)).read_text(encoding="utf-8") for title in titles}
    lines = Path(__file__).with_name("yes_no.jsonl").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(map(json.loads, lines), start=1):
        if line["title"] not in texts:
            continue
        answers = []
        if "start" in line:
            place = {"document": file_name(line["title"]), "start": line["start"], "end": line["end"]}
            sentence = texts[line["title"]][line["start"] : line["end"]]
            if not SENTENCE.fullmatch(sentence):
                raise ValueError(f"{line['title']} reads otherwise than when its questions were written: {sentence!r}")
            answers.append({"text": sentence, **place, "variant": "A"})
        yield {
            "id": f"yes-no-{number}",
            "split": split,
            "kind": line["title"],
            "tags": [] if answers else ["unanswerable"],
            "question": line["question"],
            "answers": answers,
            "evidence": [],
        }


def reworded_examples(dataset: Dataset, places: list[int], split: str) -> Iterator[dict[str, object]]:
    """The questions that were put in other words, once in each."""
    wordings = read_wordings()
    for question in dataset.questions:
        for number, text in enumerate(wordings.get(question.id, ()), start=1):
            reworded = replace(question, id=f"{question.id}-{number}", text=text)
            yield example(reworded, dataset, places, split)


def spread(questions: list[Question], most: int) -> list[Question]:
    """At most so many, taken evenly from all."""
    step = max(1, len(questions) // most)
    return questions[::step][:most]


def main() -> None:
    """Write the folder of one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the datasets")
    parser.add_argument("--part", choices=sorted(SPLITS), required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--most", type=int, default=MOST_QUESTIONS, help="questions at most")
    options = parser.parse_args()
    pool = merge(read_squad(options.data / name) for name in ("squad-1.1.json", "squad-2.0.json"))
    part = of_articles(pool, getattr(held_out_articles(), options.part))
    places = write_articles(part, options.out / "corpus")
    answerable = spread([q for q in part.questions if q.answers], options.most // 2)
    unanswerable = spread([q for q in part.questions if not q.answers], options.most // 2)
    split, titles = SPLITS[options.part], {paragraph.title for paragraph in part.paragraphs}
    write_lines(
        options.out / "questions.jsonl", [example(q, part, places, split) for q in (*answerable, *unanswerable)]
    )
    yes_no = list(yes_no_examples(options.out / "corpus", titles, split))
    write_lines(options.out / "yes_no.jsonl", yes_no)
    reworded = list(reworded_examples(part, places, split))
    write_lines(options.out / "reworded.jsonl", reworded)
    print(
        f"{len(answerable)} answerable, {len(unanswerable)} unanswerable questions, {len(yes_no)} of yes or no and "
        f"{len(reworded)} in other words in {options.out}"
    )


def write_lines(path: Path, lines: Iterable[dict[str, object]]) -> None:
    """A file of JSON Lines."""
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    main()
