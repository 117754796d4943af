"""Documents cut into passages that keep their context."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answering import cite
from qa.datatypes import Document, Passage, Span
from qa.documents import document_of, read_document
from qa.passages import MAX_PASSAGE_CHARACTERS, PASSAGE_CHARACTERS, in_context, passages
from qa.structure import Structure, markdown_structure, plain_text_structure
from tests.reading import candidate
from tests.test_structure import ANY_TEXT


def document(text: str, read: Callable[[str], Structure] = plain_text_structure) -> Document:
    structure = read(text)
    return Document(
        "bridge.txt",
        structure.title or "Bridge",
        text,
        "ab12",
        sections=structure.sections,
        blocks=structure.blocks,
    )


def texts(text: str) -> list[str]:
    return [passage.text for passage in passages(document(text))]


def line(characters: int, letter: str = "a") -> str:
    """One sentence of so many characters."""
    return letter.upper() + letter * (characters - 2) + "."


def test_paragraphs_are_joined_while_they_fit() -> None:
    one, two, three = line(300, "a"), line(399, "b"), line(50, "c")

    assert texts(f"{one}\n{two}\n{three}") == [f"{one}\n{two}", three]
    assert len(f"{one}\n{two}") == PASSAGE_CHARACTERS


def test_a_paragraph_that_fits_the_window_stays_whole() -> None:
    sentences = [line(99, letter) for letter in "abcdefghij"]
    paragraph = " ".join(sentences)

    assert len(paragraph) == 999
    assert texts(f"It rained.\n{paragraph}\nIt stopped.") == ["It rained.", paragraph, "It stopped."]


def test_a_longer_paragraph_is_cut_between_sentences_and_repeats_the_last() -> None:
    a, b, c, d = (line(400, letter) for letter in "abcd")

    assert texts(" ".join([a, b, c, d])) == [f"{a} {b}", f"{b} {c}", f"{c} {d}"]


def test_a_sentence_that_leaves_no_room_is_not_repeated() -> None:
    a, b = line(900, "a"), line(900, "b")

    assert texts(f"{a} {b}") == [a, b]


def test_no_passage_reaches_into_another_section_even_of_the_same_name() -> None:
    text = "Title\nNotes\nIt rained.\nNotes\nIt stopped.\nTolls\nNone."
    found = passages(document(text))

    assert [(p.text, p.headings) for p in found] == [
        ("It rained.", ("Notes",)),
        ("It stopped.", ("Notes",)),
        ("None.", ("Tolls",)),
    ]


def test_each_event_of_a_timeline_is_alone() -> None:
    found = passages(
        document("The bridge in short:\n2003: It opens.\nThe mayor is there.\n2007: It burns. It is lost.")
    )

    assert [(p.text, p.label.text if p.label else None) for p in found] == [
        ("The bridge in short:", None),
        ("2003: It opens.", None),
        ("The mayor is there.", "2003"),
        ("2007: It burns. It is lost.", None),
    ]
    assert [len(p.sentences) for p in found] == [1, 1, 1, 2]


def test_items_join_the_lead_in_they_stand_under() -> None:
    (found,) = passages(document("The towns share:\n- The cost.\n- The tolls."))

    assert [s.text for s in found.sentences] == ["The towns share:", "The cost.", "The tolls."]
    assert found.text == "The towns share:\n- The cost.\n- The tolls."


def test_items_that_are_cut_off_from_their_lead_in_keep_it_as_label() -> None:
    found = passages(document(f"The towns share:\n- {line(690, 'a')}\n- {line(690, 'b')}"))

    assert [p.label.text if p.label else None for p in found] == [None, "The towns share:", "The towns share:"]


def test_context_stands_before_the_text_with_both_places() -> None:
    found = passages(document("The bridge\nMilestones\n2003: It opens.\nThe mayor is there.\n2007: It burns."))
    dated, undated = in_context(found[0]), in_context(found[1])

    assert dated.text == "The bridge. Milestones. 2003: It opens."
    assert (dated.text[dated.text_start :], dated.label_start) == ("2003: It opens.", None)
    assert undated.text == "The bridge. Milestones. 2003: The mayor is there."
    assert undated.text[undated.text_start :] == "The mayor is there."
    assert undated.label_start is not None
    assert undated.text[undated.label_start :].startswith("2003: ")


def test_a_lead_in_keeps_its_colon_in_context() -> None:
    found = passages(document(f"The towns share:\n- {line(690)}"))[1]

    assert in_context(found).text == f"Bridge. The towns share: {line(690)}"
    assert in_context(dataclasses.replace(found, title="", label=None)).text == line(690)


def test_a_document_without_blocks_has_no_passages() -> None:
    assert passages(document("---")) == []


def test_the_page_of_the_repository_is_cut_by_its_sections(corpus: Path) -> None:
    page = read_document(corpus / "nato-relations-with-tajikistan.txt", "page.txt")
    found = passages(page)

    by_heading: dict[str, int] = {}
    for passage in found:
        by_heading["".join(passage.headings[-1:])] = by_heading.get("".join(passage.headings[-1:]), 0) + 1
    assert by_heading == {
        "": 1,
        "Highlights": 1,
        "Security cooperation": 2,
        "Defence and security sector reform": 5,
        "Civil emergency planning": 1,
        "Science and environment": 1,
        "Public information": 2,
        "Framework for cooperation": 1,
        "Milestones in relations": 14,
    }
    assert found[-1].headings == ("Milestones in relations",)
    assert found[2].headings == ("Key areas of cooperation", "Security cooperation")


LONG_TEXT = st.lists(
    st.one_of(ANY_TEXT, st.integers(2, 1500).map(line), st.integers(2, 300).map(lambda n: "It rained. " * n)),
    max_size=6,
).map("\n".join)


def check(document: Document, found: list[Passage]) -> None:
    text = document.text
    covered = set()
    for passage in found:
        assert text[passage.start : passage.end] == passage.text == passage.text.strip() != ""
        assert len(passage.text) <= MAX_PASSAGE_CHARACTERS
        assert (passage.start, passage.end) == (passage.sentences[0].start, passage.sentences[-1].end)
        edges = [edge for s in passage.sentences for edge in (s.start, s.end)]
        assert edges == sorted(edges)
        assert all(text[s.start : s.end] == s.text for s in passage.sentences)
        assert {document.sections_at(s.start) for s in passage.sentences} == {document.sections_at(passage.start)}
        assert passage.headings == document.headings_at(passage.start)
        context = in_context(passage)
        assert context.text[context.text_start :] == passage.text
        if passage.label is not None:
            assert text[passage.label.start : passage.label.end] == passage.label.text
            assert context.label_start is not None
            assert context.text.startswith(passage.label.text, context.label_start)
        covered.update(range(passage.start, passage.end))
    assert [p.start for p in found] == sorted(p.start for p in found)
    said = {i for block in document.blocks for i in range(block.start, block.end) if not text[i].isspace()}
    assert said <= covered


@pytest.mark.parametrize("read", [plain_text_structure, markdown_structure])
@given(text=LONG_TEXT)
def test_passages_are_slices_in_order_and_hold_every_block(read: Callable[[str], Structure], text: str) -> None:
    made = document(text, read)
    check(made, passages(made))


def test_each_item_under_a_date_is_read_by_itself_with_the_date() -> None:
    text = "# Log\n\n## 2.1.0 (2022-11-14)\n\nThey met.\n\n### Added\n\n- A door.\n- A gate.\n"
    source = document_of("log.md", text.encode())
    found = passages(source)

    assert [in_context(passage).text for passage in found] == [
        "Log. 2.1.0 (2022-11-14). 2022-11-14: They met.",
        "Log. 2.1.0 (2022-11-14). Added. 2022-11-14: A door.",
        "Log. 2.1.0 (2022-11-14). Added. 2022-11-14: A gate.",
    ]
    # The lead-in of a list is no date, though a heading has the same words.
    list_of_rules = document_of("a.md", b"# A\n\n## Rules:\n\nRules:\n\n- No dogs.\n- No cats.\n")
    assert [passage.text for passage in passages(list_of_rules)] == ["Rules:\n\n- No dogs.\n- No cats."]

    start, label = found[-1].start, found[-1].label
    assert label is not None
    # What is said under the date is quoted alone, the date with what it is told for.
    said = Span(candidate(found[-1]), start, start + 6, "A gate", 1.0)
    assert cite(said, found[-1], source, 1).quote == "A gate."
    told = Span(candidate(found[-1]), label.start, label.end, label.text, 1.0, support=(start, found[-1].end))
    assert cite(told, found[-1], source, 1).quote == text[label.start : found[-1].end]
