"""Title, headings, paragraphs, lists, timelines and dates, as plain text and Markdown show them."""

from __future__ import annotations

import datetime
import itertools
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.structure import MAX_UNDER_DATE, Structure, markdown_structure, parse_date, plain_text_structure, under_dates

Blocks = list[tuple[str, str, str | None]]


def blocks(text: str, read: Callable[[str], Structure] = plain_text_structure) -> Blocks:
    """Each block as (kind, text, label)."""
    return [(b.kind, text[b.start : b.end], b.label.text if b.label else None) for b in read(text).blocks]


def headings(text: str, read: Callable[[str], Structure] = plain_text_structure) -> list[tuple[int, str]]:
    return [(section.level, section.heading) for section in read(text).sections]


# The documents of the repository


@pytest.fixture(scope="module")
def page(corpus: Path) -> str:
    return (corpus / "nato-relations-with-tajikistan.txt").read_text(encoding="utf-8")


def test_the_page_has_its_sections_with_their_levels_and_places(page: str) -> None:
    structure = plain_text_structure(page)

    assert structure.title == "Relations with Tajikistan"
    assert [(s.level, s.heading, s.start, s.end) for s in structure.sections] == [
        (1, "Highlights", 159, 510),
        (1, "More background information", 510, 540),
        (1, "Key areas of cooperation", 540, 5645),
        (2, "Security cooperation", 565, 1463),
        (2, "Defence and security sector reform", 1463, 3898),
        (2, "Civil emergency planning", 3898, 4437),
        (2, "Science and environment", 4437, 4769),
        (2, "Public information", 4769, 5645),
        (1, "Framework for cooperation", 5645, 6322),
        (1, "Milestones in relations", 6322, 7527),
    ]
    assert all(page.startswith(s.heading, s.start) for s in structure.sections)


def test_every_undated_line_of_the_pages_timeline_has_the_year_above_it(page: str) -> None:
    events = [b for b in plain_text_structure(page).blocks if b.kind == "event"]

    assert [(page[b.start : b.start + 22], b.label.text if b.label else None) for b in events] == [
        ("1992: Tajikistan joins", None),
        ("2002: Tajikistan joins", None),
        ("2003: Tajikistan is co", None),
        ("President Emomali Rahm", "2003"),
        ("2004: NATO Secretary G", None),
        ("The Allies sign a tran", "2004"),
        ("Tajikistan completes d", "2004"),
        ("2005: The annual NATO-", None),
        ("2007: Foreign Minister", None),
        ("A group of government ", "2007"),
        ("2008: NATO expert team", None),
        ("2009: President Emomal", None),
        ("2010: President of Taj", None),
        ("2013: President Emomal", None),
    ]
    assert all(page[b.label.start : b.label.end] == b.label.text for b in events if b.label)
    assert all(page[b.label.end :].startswith(": ") for b in events if b.label)


def test_the_pages_highlights_are_items_without_their_dashes(page: str) -> None:
    items = [text for kind, text, _ in blocks(page) if kind == "item"]

    assert [item[:20] for item in items] == ["Dialogue with Tajiki", "Objectives for coope"]


def test_the_report_gives_its_date_and_source_in_its_dateline(corpus: Path) -> None:
    text = (corpus / "asia-plus-2011-06-23-zarifi-receives-appathurai.txt").read_text(encoding="utf-8")
    structure = plain_text_structure(text)

    assert (structure.date, structure.source) == (datetime.date(2011, 6, 23), "Asia-Plus")
    assert (structure.title, structure.sections) == (None, ())
    assert [kind for kind, _, _ in blocks(text)] == ["paragraph"] * 8


# Plain text as it is found


WRAPPED = """\
The Stone Bridge

The committee met in the town hall on the first of May and
decided that the bridge should be built of stone, not wood,
because the old one had burnt twice.

Costs were shared between the two towns on both sides of the
river. It took four years.
"""


def test_lines_wrapped_by_hand_make_one_paragraph() -> None:
    assert plain_text_structure(WRAPPED).title == "The Stone Bridge"
    assert headings(WRAPPED) == []
    assert [(kind, text.replace("\n", " ")) for kind, text, _ in blocks(WRAPPED)] == [
        (
            "paragraph",
            "The committee met in the town hall on the first of May and decided that the bridge should be built of "
            "stone, not wood, because the old one had burnt twice.",
        ),
        (
            "paragraph",
            "Costs were shared between the two towns on both sides of the river. It took four years.",
        ),
    ]


@pytest.mark.parametrize("bullet", ["-", "•", "*", "–"])
def test_a_timeline_may_have_bullets(bullet: str) -> None:
    text = f"Milestones\n{bullet} 2003: The bridge opens.\n{bullet} The mayor cuts a ribbon.\n{bullet} 2007: It burns."

    assert blocks(text) == [
        ("event", "2003: The bridge opens.", None),
        ("event", "The mayor cuts a ribbon.", "2003"),
        ("event", "2007: It burns.", None),
    ]


@pytest.mark.parametrize("year", ["2003 – ", "2003 - ", "2003: ", "May 2003: ", "1 May 2003: ", "2003-04: "])
def test_a_timelines_dates_may_be_written_in_several_ways(year: str) -> None:
    text = f"{year}The bridge opens\nThe mayor cuts a ribbon\n2007: It burns"

    assert [(kind, label) for kind, _, label in blocks(text)] == [
        ("event", None),
        ("event", year.rstrip(" :–-")),
        ("event", None),
    ]


def test_one_line_that_begins_with_a_year_is_no_timeline() -> None:
    assert blocks("2003: the year of the bridge.\nIt opened in May.") == [
        ("paragraph", "2003: the year of the bridge.", None),
        ("paragraph", "It opened in May.", None),
    ]


def test_what_stands_below_an_empty_line_does_not_belong_to_the_year_above() -> None:
    text = "2003: The bridge opens.\n2007: It burns.\n\nThe mayor was sad."

    assert blocks(text)[-1] == ("paragraph", "The mayor was sad.", None)


@pytest.mark.parametrize("bullets", [("1.", "2."), ("1)", "2)"), ("(1)", "(2)"), ("a)", "b)"), ("a.", "b.")])
def test_a_list_is_read_under_its_lead_in(bullets: tuple[str, str]) -> None:
    text = f"It rained. The towns share:\n{bullets[0]} The cost\n{bullets[1]} The tolls"

    assert blocks(text) == [
        ("paragraph", "It rained. The towns share:", None),
        ("item", "The cost", "The towns share:"),
        ("item", "The tolls", "The towns share:"),
    ]
    label = plain_text_structure(text).blocks[1].label
    assert label is not None and text[label.start : label.end] == label.text


def test_a_lead_in_of_half_a_page_is_no_label() -> None:
    assert blocks("x" * 400 + ":\n- The cost")[1] == ("item", "The cost", None)


def test_the_initial_of_a_name_is_no_bullet() -> None:
    assert blocks("J. K. Smith built it in 1901. It is of stone.") == [
        ("paragraph", "J. K. Smith built it in 1901. It is of stone.", None)
    ]


def test_a_divider_closes_the_sections_above_it() -> None:
    text = "Title\nText.\nPart\nChapter\nText.\n---\nAppendix\nText."

    assert headings(text) == [(1, "Part"), (2, "Chapter"), (1, "Appendix")]


def test_chapters_with_a_title_below_their_number_stay_on_their_level() -> None:
    text = "The Book\n\n" + "".join(f"CHAPTER {n}\n\nThe {n}th day\n\nIt rained.\n\n" for n in range(1, 6))

    assert headings(text) == [item for n in range(1, 6) for item in ((1, f"CHAPTER {n}"), (2, f"The {n}th day"))]


def test_many_short_lines_in_a_row_are_text_and_not_headings() -> None:
    text = "Shopping\nApples\nOranges\nPears\nPlums\nGrapes\nThat is all."

    assert [text for _, text, _ in blocks(text)] == ["Apples", "Oranges", "That is all."]
    assert [heading for _, heading in headings(text)] == ["Pears", "Plums", "Grapes"]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Hello world", None),
        ("hello\nworld.", None),
        ("It rained.\nThe bridge held.", None),
        ("The bridge\nIt held.", "The bridge"),
        ("\n\n  The bridge  \nIt held.", "The bridge"),
        ("Published: 5 May 2003\nIt held.", None),
        ("", None),
        (" \n\t\n", None),
        ("---\n***", None),
    ],
)
def test_a_title_is_a_short_first_line_above_a_text(text: str, title: str | None) -> None:
    assert plain_text_structure(text).title == title


def test_text_without_any_structure_is_one_paragraph() -> None:
    assert blocks("hello world") == [("paragraph", "hello world", None)]


@pytest.mark.parametrize(
    ("line", "date", "source"),
    [
        ("DUSHANBE, June 23, 2011, Asia-Plus -- It rained.", datetime.date(2011, 6, 23), "Asia-Plus"),
        ("PARIS, 1 May 2003 — It rained.", datetime.date(2003, 5, 1), None),
        ("NEW YORK (May 1, 2003) - It rained.", datetime.date(2003, 5, 1), None),
        ("Published: 2003-05-01", datetime.date(2003, 5, 1), None),
        ("Last updated: 1 May 2003.", datetime.date(2003, 5, 1), None),
        ("Published: 31 June 2003", None, None),
        ("It rained on 1 May 2003.", None, None),
    ],
)
def test_a_document_states_its_date_near_its_top(line: str, date: datetime.date | None, source: str | None) -> None:
    structure = plain_text_structure(f"Title\n{line}\nMore text.")

    assert (structure.date, structure.source) == (date, source)


def test_a_date_further_down_is_what_the_text_is_about() -> None:
    assert plain_text_structure("It rained.\n" * 8 + "1 May 2003").date is None


@pytest.mark.parametrize("text", ["31 June 2003", "99999999999999999999", "tomorrow", ""])
def test_what_is_no_date_is_none(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Apples\n" * 100_000,
        "Apples\n\n" * 100_000,
        "A" + " " * 1_000_000 + "b",
        "Date" + " " * 1_000_000 + "b",
        "AB, C" + " d" * 500_000,
        "2003" + " " * 1_000_000 + "b\n2004: c",
        "Notes\nIt rained.\n" * 50_000,
        "- " * 500_000,
    ],
)
def test_a_hostile_text_is_read_in_a_moment(text: str) -> None:
    started = time.process_time()
    plain_text_structure(text)

    assert time.process_time() - started < 10


# Markdown


MARKDOWN = """\
# The *stone* bridge

It has:

- a `gate`
- a tower
  - with a bell

1. Walk
2. Rest

> Old stones
> never lie.

Costs
-----

| what | how much |
|------|---------:|
| gate | 5        |

```text
# no heading
```

### [Tolls](tolls.md) & <b>taxes</b> ###

Last word\\
here.

<!-- nobody reads this -->

<div>Plain HTML.</div>
"""


def test_markdown_is_read_by_its_marks() -> None:
    assert markdown_structure(MARKDOWN).title == "The stone bridge"
    assert headings(MARKDOWN, markdown_structure) == [(2, "Costs"), (3, "Tolls & taxes")]
    assert blocks(MARKDOWN, markdown_structure) == [
        ("paragraph", "It has:", None),
        ("item", "a `gate`", "It has:"),
        ("item", "a tower", "It has:"),
        ("item", "with a bell", "It has:"),
        ("item", "Walk", "It has:"),
        ("item", "Rest", "It has:"),
        ("item", "> Old stones\n> never lie.", "It has:"),
        ("row", "| what | how much |", None),
        ("row", "| gate | 5        |", "| what | how much |"),
        ("paragraph", "```text\n# no heading\n```", None),
        ("paragraph", "Last word\\\nhere.", None),
        ("paragraph", "<div>Plain HTML.</div>", None),
    ]


def test_a_setext_heading_of_the_first_level_is_the_title() -> None:
    structure = markdown_structure("The bridge\n==========\n\nIt held.\n\nTolls\n-----\nNone.")

    assert structure.title == "The bridge"
    assert [(s.heading, s.level, s.start) for s in structure.sections] == [("Tolls", 2, 33)]


def test_a_paragraph_right_above_a_rule_is_a_paragraph() -> None:
    text = "It rained on the bridge. " * 10 + "\n---\n\nMore."

    assert [(kind, block[:10]) for kind, block, _ in blocks(text, markdown_structure)] == [
        ("paragraph", "It rained "),
        ("paragraph", "More."),
    ]
    assert headings(text, markdown_structure) == []


def test_markdown_states_its_date_as_plain_text_does() -> None:
    assert markdown_structure("# Title\n\nPublished: 1 May 2003\n\nText.").date == datetime.date(2003, 5, 1)


# Whatever the text


LINES = [
    *("Highlights", "Key areas", "-", "---", "***", "", "", "- one", "* two", "• three", "1. first", "2) second"),
    *("2003: It opens.", "2004 – It burns", "May 2005: It is rebuilt", "- 2006: Again", "The mayor cuts a ribbon"),
    *(
        "It rained all day long. The bridge held; nobody was hurt.",
        "The towns share:",
        "DUSHANBE, June 23, 2011 -- Go.",
    ),
    *("# Heading", "## Second ##", "=====", "| a | b |", "|---|---|", "```", "    code", "> quote", "  - nested"),
    *("decided that the bridge should be built of stone, not of wood,", "J. Smith", "<div>", "[x]: http://y", "\\"),
]
ODD_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\r")
ANY_TEXT = st.one_of(
    st.lists(st.sampled_from(LINES), max_size=25).map("\n".join),
    st.text(ODD_CHARACTERS, max_size=200),
    st.lists(st.one_of(st.sampled_from(LINES), st.text(ODD_CHARACTERS, max_size=30)), max_size=15).map("\n".join),
)


@pytest.mark.parametrize("read", [plain_text_structure, markdown_structure])
@given(text=ANY_TEXT)
def test_blocks_and_sections_are_in_order_and_inside_the_text(read: Callable[[str], Structure], text: str) -> None:
    structure = read(text)

    edges = [0, *(edge for b in structure.blocks for edge in (b.start, b.end)), len(text)]
    assert edges == sorted(edges)
    assert all(text[b.start : b.end].strip() for b in structure.blocks)
    labels = [b.label for b in structure.blocks if b.label is not None]
    assert all(text[label.start : label.end] == label.text for label in labels)
    starts = [s.start for s in structure.sections]
    assert starts == sorted(set(starts))
    assert all(0 <= s.start < s.end <= len(text) and s.level >= 1 for s in structure.sections)
    pairs = itertools.combinations(structure.sections, 2)
    assert all(later.start >= section.end or later.end <= section.end for section, later in pairs)


@given(text=ANY_TEXT)
def test_no_word_of_a_plain_text_is_lost(text: str) -> None:
    structure = plain_text_structure(text)

    rest, end = "", 0
    for block in structure.blocks:
        rest += text[end : block.start] + "\n"
        end = block.end
    rest += text[end:]
    left_over = [line.strip() for line in rest.split("\n") if any(c.isalnum() for c in line)]
    context = [structure.title, *(section.heading for section in structure.sections)]
    assert [line for line in left_over if line not in context and not _is_bullet(line)] == []


def _is_bullet(line: str) -> bool:
    return len(line) <= 5 and line[-1] in ".)"


@pytest.mark.parametrize(
    ("heading", "date"),
    [
        ("2022-11-14", "2022-11-14"),
        ("Monday, 14 November 2022", "14 November 2022"),
        ("[2.1.0] - 2022-11-14", "2022-11-14"),
        ("Version 2.1.0 (November 14, 2022)", "November 14, 2022"),
        ("Meeting of 14 November 2022", None),
        ("2.1.0", None),
    ],
)
def test_what_stands_under_a_date_is_labelled_with_it(heading: str, date: str | None) -> None:
    text = f"# Log\n\nBefore.\n\n## {heading}\n\nThey met.\n\n### Added\n\n- A door.\n- A gate.\n\n## Other\n\nNothing."

    def read(text: str) -> Structure:
        return under_dates(text, markdown_structure(text))

    assert blocks(text, read) == [
        ("paragraph", "Before.", None),
        ("paragraph", "They met.", date),
        ("item", "A door.", date),
        ("item", "A gate.", date),
        ("paragraph", "Nothing.", None),
    ]
    assert all(b.label is None or text[b.label.start : b.label.end] == b.label.text for b in read(text).blocks)


def test_what_stands_far_below_a_date_is_not_labelled_with_it() -> None:
    text = f"# Log\n\n## 2022-11-14\n\n{'They met. ' * (MAX_UNDER_DATE // 10)}\n\nThey left."

    assert [block.label for block in under_dates(text, markdown_structure(text)).blocks] == [None, None]
