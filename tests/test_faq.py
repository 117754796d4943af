"""Questions that documents ask themselves, answered by what stands under them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.embedding import SentenceTransformerEmbedder
from qa.faq import ANSWER_CHARACTERS, SAME_COSINE, entries_in, nearness, shared
from qa.indexing import index_folder
from qa.pipeline import Pipeline
from tests.helpers import write_corpus
from tests.reading import document

HEADINGS = """# Help

## 1.1 How do I close an account?

Write to us.

We answer in a week.

## 1.2 Fees

There are none.

## 1.3 Who may join?

Anyone.
"""
LINES = """Help for members of the club

Here we answer what members ask us most often, at the counter and by mail.

Q: How do I close an account?

A: Write to us.

We answer in a week.

2. Who may join?

Anyone may, as long as there is room in the mill.
"""


def questions(name: str, text: str) -> list[tuple[str, str]]:
    source = document(name, text)
    return [(entry.question, source.text[entry.start : entry.end]) for entry in entries_in(source, 0, len(source.text))]


def test_what_stands_under_a_heading_that_asks_is_its_answer(tmp_path: Path) -> None:
    from qa.documents import read_document

    (tmp_path / "help.md").write_text(HEADINGS, encoding="utf-8")
    source = read_document(tmp_path / "help.md", "help.md")
    found = [(e.question, source.text[e.start : e.end]) for e in entries_in(source, 0, len(source.text))]

    assert found == [
        ("How do I close an account?", "Write to us.\n\nWe answer in a week."),
        ("Who may join?", "Anyone."),
    ]


def test_what_stands_under_a_line_that_asks_is_its_answer() -> None:
    assert questions("a.txt", LINES) == [
        ("How do I close an account?", "Write to us.\n\nWe answer in a week."),
        ("Who may join?", "Anyone may, as long as there is room in the mill."),
    ]


def test_a_long_answer_is_quoted_by_whole_paragraphs() -> None:
    paragraphs = [f"{word} {'and so on ' * 25}to the end." for word in ("First", "Then", "After that", "Last")]
    [(_, answer)] = questions("a.txt", "Help\n\nQ: How is it done?\n\n" + "\n\n".join(paragraphs))

    assert answer == "\n\n".join(paragraphs[:2])
    assert len(answer) <= ANSWER_CHARACTERS


def test_a_list_is_not_cut() -> None:
    items = [f"- {n}. step: turn the wheel {'a little more ' * 8}and look." for n in range(9)]
    [(_, answer)] = questions(
        "a.txt", "Help\n\nQ: How is it done?\n\nDo this:\n\n" + "\n".join(items) + "\n\nThat is all."
    )

    assert answer.startswith("Do this:")
    assert answer.endswith(items[-1][2:])
    assert len(answer) > ANSWER_CHARACTERS


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I close an account?", "How can accounts be closed?"),
        ("how to close an account", "How do you close your account?"),
        ("Where can I buy tickets?", "Where do I buy the tickets?"),
    ],
)
def test_the_same_question_in_nearly_the_same_words(one: str, other: str) -> None:
    assert shared(one, other) == nearness(one, other, cosine=0.0) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("When is it open?", "Where is it open?"),
        ("Why is it open?", "How is it open?"),
        ("Is the office open?", "Which office is open?"),
        ("How do I install a package?", "How do I remove a package?"),
        ("What is the archive?", "What is missing from the archive?"),
    ],
)
def test_the_same_words_may_ask_for_something_else(one: str, other: str) -> None:
    assert nearness(one, other, cosine=SAME_COSINE - 0.01) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I enable two-factor login?", "How do I disable two-factor login?"),
        ("Is the library open on Sundays?", "Is the library open on Mondays?"),
        ("Can I pay in 2024?", "Can I pay in 2023?"),
        ("Who may not join?", "Who may join?"),
    ],
)
def test_vectors_that_are_near_are_not_enough(one: str, other: str) -> None:
    assert nearness(one, other, cosine=0.97) == 0


def test_other_words_are_enough_where_vectors_are_near() -> None:
    assert nearness("Is it possible to shut my account?", "How do I close an account?", cosine=0.9) == 0.9
    assert nearness("Can I join Savers in Mali?", "Can I join?", cosine=0.9, title="Savers in Mali: help") == 0.9


@given(st.lists(st.sampled_from(["Q: Who is it?", "Why so?", "A: It is.", "# Is it?", "It is.", "- one"]), max_size=8))
def test_answers_lie_under_their_questions_and_do_not_overlap(lines: list[str]) -> None:
    text = "\n\n".join(["Start.", *lines])
    source = document("a.txt", text)
    end = 0
    for entry in entries_in(source, 0, len(text)):
        assert end <= entry.start < entry.end <= len(text)
        assert entry.question in text[: entry.start]
        end = entry.end


FAQ = """# Savings club: questions

## How do I close my account?

Yes, you can leave whenever you like. Send the form with your signature to the office, and you get your money within a
week.

## How do I open an account?

Come to the office with your passport.

## Where is the office?

In the old mill, on the first floor.

## Is the office open on Saturdays?

No.
"""


@pytest.fixture(scope="module")
def asking(embedder: SentenceTransformerEmbedder, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    folder = tmp_path_factory.mktemp("faq")
    index_folder(write_corpus(folder / "corpus", {"faq.md": FAQ}), folder / "index", embedder)
    return Pipeline(folder / "index", embedder)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How do I close my account?", "Yes, you can leave whenever"),
        ("how can i close the account", "Yes, you can leave whenever"),
        ("How do I open an account?", "Come to the office"),
        ("Where is the office?", "In the old mill, on the first floor."),
        ("Is the office open on Saturdays?", "No."),
    ],
)
def test_a_question_that_a_document_asks_is_answered_by_what_stands_under_it(
    asking: Pipeline, question: str, answer: str
) -> None:
    found = asking.ask(question)

    assert found.text is not None
    assert found.text.startswith(answer)
    assert found.confidence > 0.5
    assert found.citations[0].quote.startswith(answer)
