"""The cell of a table's row that a question asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answering import cite
from qa.cells import PROVED, asked_column, row_of, with_cells
from qa.datatypes import Candidate, Reading, Span
from qa.documents import document_of
from qa.embedding import SentenceTransformerEmbedder
from qa.passages import passages
from tests.reading import candidate
from tests.writers import table_file

BRIDGES = """Bridge,Town,Opened,Length (m),Engineer
Exe,Exeter,1905,210,Ann Lee
Teign,Newton Abbot,1827,95,"Hale, Tom"
Old Exe,Exeter,1238,230,
"""


def rows(name: str = "bridges.csv", text: str = BRIDGES) -> list[Candidate]:
    """All rows of a table, as if retrieved in their order."""
    found = passages(document_of(name, text.encode()))
    return [candidate(passage, rank) for rank, passage in enumerate(found, start=1)]


Alike = Callable[[str, Sequence[str]], list[float]]


def unlike(text: str, others: Sequence[str]) -> list[float]:
    """Nothing is near in meaning."""
    return [0.0] * len(others)


def answers(question: str, *marked: str, alike: Alike = unlike) -> list[tuple[str, float]]:
    """What is made of words that a reader marked in the table's rows, best first."""
    found, spans = rows(), []
    for words, score in zip(marked, (3.0, 2.0, 1.0), strict=False):
        only = next(each for each in found if words in each.passage.text)
        start = only.passage.start + only.passage.text.index(words)
        spans.append(Span(only, start, start + len(words), words, score))
    source = document_of("bridges.csv", BRIDGES.encode())
    reading = with_cells(Reading(tuple(spans), null=0.0), question, found, {"bridges.csv": source}.__getitem__, alike)
    assert all(source.text[span.start : span.end] == span.text for span in reading.spans)
    return [(span.text, span.score) for span in reading.spans]


@pytest.mark.parametrize(
    ("name", "text", "cells"),
    [
        ("a.csv", 'a;"b; c";d\n1;"2; 3";4\n', ["1", "2; 3", "4"]),
        ("a.tsv", "a\tb\tc\n1\t\t3\n", ["1", "", "3"]),
        ("a.md", "| a | b |\n|---|---|\n| 1 | 2 |\n", ["1", "2"]),
        ("a.md", "a | b\n--|--\n1 | 2\n", ["1", "2"]),
        ("a.html", "<table><tr><th>a<th>b<th>c</tr><tr><td>1<td><td>3</tr></table>", ["1", "", "3"]),
        ("a.html", "<table><tr><th>a<th>b<th>c</tr><tr><td><td>2<td>3</tr></table>", ["", "2", "3"]),
    ],
)
def test_a_row_has_its_cells_in_every_format(name: str, text: str, cells: list[str]) -> None:
    document = document_of(name, text.encode())
    row = next(row for row in map(row_of, passages(document), repeat(document)) if row and row.columns)

    assert [cell.text for cell in row.cells] == cells
    assert [document.text[cell.start : cell.end] for cell in row.cells] == cells
    assert len(row.columns) >= len(cells)


CORNER = (("", "Year 1", "Year 2", "Change"), ("Income", "5", "40", "35"), ("Costs", "7", "", ""))


@pytest.mark.parametrize("kind", ["csv", "md", "html", "docx", "pptx", "xlsx", "pdf"])
def test_columns_stand_over_their_cells_beside_an_empty_corner(kind: str) -> None:
    document = document_of(f"a.{kind}", table_file(f"a.{kind}", CORNER))
    first, second = (row for row in map(row_of, passages(document), repeat(document)) if row and row.columns)

    assert list(zip(first.columns, [cell.text for cell in first.cells], strict=True)) == [
        *zip(*CORNER[:2], strict=True)
    ]
    assert second.columns == CORNER[0]
    assert [second.words(column) for column in range(4)] == list(CORNER[2])


@pytest.mark.parametrize("text", ["# Home | News\n\nIt is 9 | 10 again.", "# a, b\n\nOne, two."])
def test_what_is_no_row(text: str) -> None:
    document = document_of("a.md", text.encode())
    assert [row_of(passage, document) for passage in passages(document)] == [None]


@pytest.mark.parametrize(
    ("question", "column"),
    [
        ("When was the Exe bridge opened?", "Opened"),
        ("Which bridge was opened in 1905?", "Bridge"),
        ("Which town has a bridge of Ann Lee?", "Town"),
        ("What is the length of the Exe bridge?", "Length (m)"),
        ("How many lengths has the Exe bridge?", "Length (m)"),
        ("Who engineered the Exe bridge?", "Engineer"),
        ("What did Ann Lee open?", "Opened"),
        ("Which bridge of Devon was opened in 1905?", "Bridge"),
        ("What is the bridge's height?", None),
        ("Who opened the Exe bridge?", None),  # a year is nobody
        ("Where is the Exe bridge?", None),
        ("Does the bridge of this town have an engineer?", None),
        ("Is there an engineer in the town?", None),  # two columns
    ],
)
def test_the_column_that_a_question_names(question: str, column: str | None) -> None:
    row = row_of(rows()[0].passage, document_of("bridges.csv", BRIDGES.encode()))
    assert row is not None
    place = asked_column(question, row)
    assert (None if place is None else row.columns[place]) == column


def test_several_cells_are_cut_to_the_one_whose_column_means_the_same(embedder: SentenceTransformerEmbedder) -> None:
    def alike(text: str, others: Sequence[str]) -> list[float]:
        first, *vectors = embedder.encode([text, *others])
        return [float(first @ vector) for vector in vectors]

    assert answers("How long is the Exe?", "1905,210", alike=alike) == [("210", 3.0)]
    assert answers("How deep is the Exe?", "Exeter,1905", alike=alike) == [("Exeter,1905", 3.0)]
    assert answers("How long is the Exe?", "1905", alike=alike) == [("1905", 3.0)]  # one cell is the reader's choice


def test_a_name_that_the_question_has_whole_comes_before_one_in_part() -> None:
    votes = document_of("a.csv", b"District,Lee,Hale,Votes in all\nExe,20,30,50\n")
    row = row_of(passages(votes)[0], votes)
    assert row is not None
    assert asked_column("How many votes did Lee get in Exe?", row) == 1
    assert asked_column("How many votes did Lee and Hale get in Exe?", row) is None


def test_a_table_of_one_thing_has_its_names_in_the_first_column() -> None:
    found = rows("mali.csv", "Country,Mali\nCapital,Bamako\nCurrency,CFA franc\n")
    source = document_of("mali.csv", b"Country,Mali\nCapital,Bamako\nCurrency,CFA franc\n")

    def answer(question: str) -> list[str]:
        reading = with_cells(Reading((), 0.0), question, found, {"mali.csv": source}.__getitem__, unlike)
        return [span.text for span in reading.spans]

    assert answer("What is the capital of Mali?") == ["Bamako"]
    assert answer("What is the country's currency?") == []  # left to the reader


def test_a_cell_beside_and_several_cells_become_the_one_asked_for() -> None:
    assert answers("What is the length of the arch at Exeter?", "1905,210") == [("210", 3.0)]
    assert answers("What is the length of the arch at Exeter?", "1827,95") == [("210", 3.0), ("230", 3.0)]
    assert answers("Which engineer made the arch at Newton Abbot?", "Newton Abbot,1827") == [("Hale, Tom", 3.0)]


def test_where_row_and_column_leave_no_word_over_the_cell_is_proved() -> None:
    assert answers("What is the length of the Teign bridge?", "Ann Lee") == [("95", PROVED)]
    assert answers("What is the length of the Teign bridge?") == [("95", PROVED)]  # whatever the reader marks
    assert answers("What is the exact length of the Teign bridge?", "Ann Lee") == [("95", 3.0)]
    assert answers("Which bridge was opened before 1905?", "Newton Abbot") == [("Teign", 3.0)]


def test_what_an_empty_cell_does_not_say_no_other_row_says() -> None:
    assert answers("Who is the engineer of the Old Exe?", "Ann Lee", "1238") == []
    assert answers("Who is the engineer of the Tamar bridge?", "Ann Lee") == []
    assert answers("When was the bridge of Ben Lee opened?", "1905") == []
    assert answers("When was the bridge of Mr Lee opened?", "1905") == [("1905", 3.0)]
    assert answers("What was the length of the Exe bridge in 1950?", "210") == []


def test_other_questions_are_left_as_they_were_read() -> None:
    assert answers("Where is the Exe?", "Exeter,1905") == [("Exeter,1905", 3.0)]
    assert answers("Why is the length of the Exe bridge 210?", "Exeter,1905") == [("Exeter,1905", 3.0)]


def test_a_cell_is_cited_under_the_name_of_its_column() -> None:
    text = (
        f"# Bridges\n\n## Devon\n\n|{BRIDGES.splitlines()[0].replace(',', '|')}|\n|-|-|-|-|-|\n|Exe|Exeter|1905|210||\n"
    )
    source = document_of("a.md", text.encode())
    only = candidate(passages(source)[-1])
    start = text.index("1905")

    def headings(end: int) -> tuple[str, ...]:
        return cite(Span(only, start, end, text[start:end], 1.0), only.passage, source, 1).headings

    assert headings(start + 4) == ("Devon", "Opened")
    assert headings(start + 8) == ("Devon",)  # two cells


def test_the_rest_of_a_long_row_is_no_row_of_its_own() -> None:
    text = f"Bridge,Story,Opened\nExe,{'It held. ' * 200},1905\n"
    source = document_of("a.csv", text.encode())
    found = [candidate(passage, rank) for rank, passage in enumerate(passages(source), start=1)]
    last = found[-1]
    start = last.passage.end - 4
    reading = Reading((Span(last, start, last.passage.end, "1905", 1.0),), null=0.0)

    assert len(found) > 1
    left = with_cells(reading, "When was the Exe opened?", found, {"a.csv": source}.__getitem__, unlike)
    assert left.spans[-1].text == "1905"


HEADERS = {"a.csv": "a,b,c\n", "a.tsv": "a, x\tb\tc\n", "a.md": "|a|b|c|\n|-|-|-|\n", "b.md": "a|b|c\n-|-|-\n"}


@given(st.lists(st.text("ab |,;\t\"'", max_size=8), min_size=1, max_size=6), st.sampled_from(sorted(HEADERS)))
def test_any_row_has_cells_at_their_places(lines: list[str], name: str) -> None:
    document = document_of(name, (HEADERS[name] + "\n".join(lines)).encode())
    for passage in passages(document):
        row = row_of(passage, document)
        for cell in row.cells if row else ():
            assert passage.start <= cell.start <= cell.end <= passage.end
            assert document.text[cell.start : cell.end] == cell.text


def test_a_comma_in_a_name_divides_no_columns_of_tabs() -> None:
    document = document_of("a.tsv", b"a, x\tb\n1, 2\t3\n")
    row = row_of(passages(document)[0], document)
    assert row is not None
    assert (row.columns, [cell.text for cell in row.cells]) == (("a, x", "b"), ["1, 2", "3"])
