"""Answers as text, Markdown, HTML and JSON to keep."""

from __future__ import annotations

import dataclasses
import json

from qa.datatypes import Absent, Alternative, Answer, Citation
from qa.export import answer_markdown, conversation_html, conversation_json, conversation_markdown, markdown
from tests.reading import candidates, document

CITED = Citation(1, "a.txt", "ab12cd34", "On * mines", None, (), None, 3, 0, 16, "Over 1000 <mines", 0, 9)
ANSWER = Answer("How *many*?", 0.9, (CITED,), (Alternative(0.4, (dataclasses.replace(CITED, number=2, line=7),)),))
SILENT = Answer("Why?", reason="nothing_near")
NEAR = Answer(
    "Why?",
    reason="not_in_documents",
    candidates=tuple(candidates(*(document(f"{n}.txt", f"Text *{n}* <of> it.\nIts end.") for n in range(1, 5)))),
)


def test_markdown_has_a_footnote_for_each_citation_and_takes_nothing_for_markup() -> None:
    assert answer_markdown(ANSWER) == (
        "**How \\*many\\*?**\n\n> Over 1000[^1]\n\nConfidence 90%.\n\nAnother answer (40%): Over 1000[^2]\n\n"
        "[^1]: “Over 1000 \\<mines” On \\* mines. a.txt, line 3 (SHA-256 ab12cd34…).\n"
        "[^2]: “Over 1000 \\<mines” On \\* mines. a.txt, line 7 (SHA-256 ab12cd34…).\n"
    )


def test_footnotes_of_a_conversation_are_numbered_through() -> None:
    text = conversation_markdown([ANSWER, SILENT, ANSWER])

    assert [f"[^{n}]:" in text for n in (1, 2, 3, 4, 5)] == [True, True, True, True, False]
    assert "**Why?**\n\nNothing in the documents" in text


def test_a_silent_answer_is_kept_with_its_three_closest_passages() -> None:
    assert answer_markdown(NEAR).endswith(
        "\n\nThe closest passages:\n\n"
        "- Text \\*1\\* \\<of\\> it. Its end. (1.txt)\n"
        "- Text \\*2\\* \\<of\\> it. Its end. (2.txt)\n"
        "- Text \\*3\\* \\<of\\> it. Its end. (3.txt)\n"
    )
    page = conversation_html([NEAR])
    assert "<blockquote>Text *1* &lt;of&gt; it.\nIts end.<br><cite>1.txt</cite></blockquote>" in page
    assert page.count("<blockquote>") == 3


def test_what_the_documents_have_no_word_of_is_kept_with_the_answer() -> None:
    answer, silent = (dataclasses.replace(each, absent=(Absent("*i*"), Absent("<i>"))) for each in (ANSWER, SILENT))

    assert "Confidence 90%. “\\*i\\*” and “\\<i\\>” stand nowhere in the documents.\n" in answer_markdown(answer)
    assert "is about this. “\\*i\\*” and “\\<i\\>” stand nowhere in the documents.\n" in answer_markdown(silent)
    page = conversation_html([answer, silent])
    assert page.count("“*i*” and “&lt;i&gt;” stand nowhere in the documents.") == 2
    assert [one["absent"] for one in json.loads(conversation_json([answer, silent]))] == [
        [{"name": "*i*", "nearest": None}, {"name": "<i>", "nearest": None}]
    ] * 2
    assert "absent" not in json.loads(conversation_json([ANSWER]))[0]


def test_lists_and_headings_in_a_document_stay_text() -> None:
    assert markdown("- one\n1. two\n# three") == "\\- one\n1\\. two\n\\# three"


def test_html_shows_everything_as_text_and_loads_nothing() -> None:
    page = conversation_html([dataclasses.replace(ANSWER, question="<script>alert(1)</script>"), SILENT])

    assert "<script" not in page and "&lt;script&gt;" in page
    assert "<mark>Over 1000</mark> &lt;mines" in page
    assert "http" not in page


def test_json_is_a_list_of_answers_as_scripts_read_them() -> None:
    found = json.loads(conversation_json([ANSWER, SILENT]))

    assert [(one["answer"], one["reason"], one["schema"]) for one in found] == [
        ("Over 1000", None, 1),
        (None, "nothing_near", 1),
    ]
