"""The evaluation on the page: what it says of a question that went wrong, and all of it in a browser."""

from __future__ import annotations

import dataclasses
import html
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from qa.datatypes import Answer, Candidate, Citation, Document, Passage, Section, Sentence
from qa.errors import QAError
from qa.evaluation import Accepted, Example, LeftOut, Mark, Outcome, Place, Rejected, summed
from qa.feedback import Judgements
from qa.page.judging import Run, chosen_examples, marks_html, misses_html, progress_html
from qa.page.service import Service
from qa.pipeline import Pipeline
from qa.report import MARKS_ARE_EXACT, counted, figures_html, left_out_html, report_html
from tests.visiting import IS_IN_VIEW, Visit

CORPUS = Path(__file__).parents[1] / "corpus"
QUESTIONS = Path(__file__).parent / "evaluation" / "questions.jsonl"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&${alert(3)}{{alert(4)}}"

BRIDGE = Document(
    "bridge.txt",
    "The bridge",
    "History\nOpened in 1902.\nWidened in 1955.",
    "ab12",
    sections=(Section("History", 1, 0, 40),),
)
OPENED = Accepted(Place("bridge.txt", 18, 22, "ab12"), "1902")
CITED = Citation(1, "bridge.txt", "ab12", "The bridge", None, ("History",), None, 3, 24, 40, "Widened in 1955.", 35, 39)


def example(
    *answers: Accepted, question: str = "When was it opened?", rejected: tuple[Rejected, ...] | None = None
) -> Example:
    return Example("q", "test", "judged", (), question, answers, (), rejected)


def outcome(asked: Example, answer: Answer, right: bool = False, again: bool = False) -> Outcome:
    return Outcome(asked, answer, right, True, float(right), float(right), (), 0, 0, again)


def read(document: Document, start: int, end: int, rank: int = 1) -> Candidate:
    text = document.text[start:end]
    passage = Passage(document.id, start, end, text, (Sentence(start, end, text),), document.title)
    return Candidate(passage, rank, 0.1, 0.5, 1.0)


def text_of(fragment: str) -> str:
    """What a person reads of some HTML."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", fragment)).split())


# What went wrong


def test_a_miss_says_what_was_expected_given_and_read_and_opens_each() -> None:
    passages = (read(BRIDGE, 24, 40, 1), read(BRIDGE, 8, 23, 2))
    answer = Answer("When was it opened?", 0.7, (CITED,), candidates=passages, independent_documents=1)

    shown = misses_html([outcome(example(OPENED), answer)], lambda _: BRIDGE)

    assert text_of(shown) == (
        "What went wrong wrong When was it opened? Expected 1902 The bridge · History · line 2 "
        "Given With a confidence of 70%: 1955 The bridge · History · line 3 "
        "Passages found The right answer is in passage 2. "
        "Widened in 1955. The bridge · History · line 3 Opened in 1902. The bridge · History · line 2"
    )
    places = [json.loads(html.unescape(place)) for place in re.findall(r'data-place="([^"]*)"', shown)]
    assert [(p["start"], p["end"], BRIDGE.text[p["answer_start"] : p["answer_end"]]) for p in places] == [
        (18, 22, "1902"),
        (24, 40, "1955"),
        (24, 40, ""),
        (8, 23, ""),
    ]


@pytest.mark.parametrize(
    ("asked", "answer", "again", "said"),
    [
        (
            example(OPENED),
            Answer("Q?", 0.2, withheld=(CITED,), reason="not_in_documents", candidates=(read(BRIDGE, 24, 40),)),
            False,
            "wrongly silent When was it opened? Expected 1902 The bridge · History · line 2 Given Silence. Withheld, "
            "with a confidence of 20%: 1955 The bridge · History · line 3 Passages found No passage found holds the "
            "right answer. Widened in 1955. The bridge · History · line 3",
        ),
        (
            example(),
            Answer("Q?", 0.7, (CITED,)),
            False,
            "wrong When was it opened? Expected Silence: the documents do not say. Given With a confidence of 70%: "
            "1955 The bridge · History · line 3 Passages found Nothing.",
        ),
        (
            example(rejected=(Rejected(Place("bridge.txt", 35, 39, "ab12"), "1955"),)),
            Answer("Q?", 0.7, (CITED,)),
            True,
            "wrong When was it opened? Expected Another answer than this, which was called wrong: 1955 The bridge · "
            "History · line 3 Given With a confidence of 70%: 1955 The bridge · History · line 3 "
            "Passages found Nothing.",
        ),
        (
            example(rejected=()),
            Answer("Q?", reason="nothing_near"),
            True,
            "wrong When was it opened? Expected An answer: silence was called wrong. Given Silence. "
            "Passages found Nothing.",
        ),
    ],
)
def test_every_kind_of_miss_is_told_in_words(asked: Example, answer: Answer, again: bool, said: str) -> None:
    assert text_of(misses_html([outcome(asked, answer, again=again)], lambda _: BRIDGE)) == f"What went wrong {said}"


def test_what_is_right_or_not_judged_is_no_miss() -> None:
    right = outcome(example(OPENED), Answer("Q?", 0.7, (CITED,)), right=True)
    unknown = outcome(example(rejected=()), Answer("Q?", 0.7, (CITED,)))
    assert text_of(misses_html([right, unknown], lambda _: BRIDGE)) == "What went wrong Nothing."
    assert counted([right, unknown]) == "1 right, 1 not judged"


def test_whatever_questions_and_documents_hold_is_shown_as_text() -> None:
    hostile = Document(HOSTILE, HOSTILE, HOSTILE, "ab12", sections=(Section(HOSTILE, 1, 0, len(HOSTILE)),))
    end = len(HOSTILE)
    cited = Citation(1, HOSTILE, "ab12", HOSTILE, None, (HOSTILE,), None, 1, 0, end, HOSTILE, 0, end)
    asked = example(Accepted(Place(HOSTILE, 0, end), HOSTILE), question=HOSTILE)
    asked = dataclasses.replace(asked, id=HOSTILE, split=HOSTILE)
    missed = outcome(asked, Answer(HOSTILE, 0.7, (cited,), candidates=(read(hostile, 0, end),)))
    report = summed(HOSTILE, [missed], left_out=[LeftOut(asked, HOSTILE)])

    for fragment in (misses_html([missed], lambda _: hostile), left_out_html(report), report_html(report)):
        assert "<script" not in fragment and "<img" not in fragment
        assert HOSTILE in html.unescape(fragment)


# Figures


def test_figures_stand_by_stage_with_their_meaning_and_their_mark(pipeline: Pipeline) -> None:
    silent = outcome(example(), Answer("Q?", reason="nothing_near", seconds=0.1))
    marks = [Mark("rightly silent", "at_least", 0.9), Mark("good outcomes", "at_most", 0.5)]

    shown = text_of(figures_html(summed("test", [silent], marks)))

    assert shown.startswith(
        "figure value pass mark Answering rightly silent of the questions that the documents do not"
    )
    assert "not answered 100.0% ✓ kept ≥ 90.0%" in shown
    assert "✗ missed ≤ 50.0%" in shown


def test_marks_are_not_asked_of_a_part_of_the_questions() -> None:
    silent = outcome(example(), Answer("Q?", reason="nothing_near"))
    whole = Run("test", 1, marks=(Mark("rightly silent", "at_least", 0.9),), outcomes=(silent,))
    assert whole.report.marks == whole.marks
    assert dataclasses.replace(whole, total=2).report.marks == ()
    assert text_of(progress_html(dataclasses.replace(whole, total=2))) == "1 of 2 questions asked: 1 rightly silent."


def test_where_a_mark_is_missed_it_is_told_what_the_marks_are_set_for() -> None:
    silent = outcome(example(), Answer("Q?", reason="nothing_near"))
    kept, missed = Mark("rightly silent", "at_least", 0.9), Mark("good outcomes", "at_most", 0.5)
    for marks, told in (((kept,), ""), ((kept, missed), f" {MARKS_ARE_EXACT}")):
        run = Run("test", 1, marks=marks, outcomes=(silent,))
        assert text_of(marks_html(run.report, run)) == f"1 of {len(marks)} pass marks are kept.{told}"
        assert (MARKS_ARE_EXACT in report_html(run.report)) == bool(told)


# Which questions


def service(pipeline: Pipeline, folder: Path, questions: Path | None = QUESTIONS) -> Service:
    return Service(pipeline, CORPUS, folder / "index", questions=questions)


def test_the_fixed_questions_are_asked_of_the_documents_they_are_about(pipeline: Pipeline, tmp_path: Path) -> None:
    assert len(chosen_examples(service(pipeline, tmp_path), "fixed", None)) == 251

    other = tmp_path / "other.jsonl"
    answer = {"text": "x", "document": "elsewhere.txt", "start": 0, "end": 1}
    other.write_text(json.dumps({"id": 1, "question": "Q?", "answers": [answer]}))
    with pytest.raises(QAError, match="this index holds others. Judge answers, or choose a file"):
        chosen_examples(service(pipeline, tmp_path, other), "fixed", None)
    with pytest.raises(QAError, match="There are no fixed questions"):
        chosen_examples(service(pipeline, tmp_path, tmp_path / "none.jsonl"), "fixed", None)


def test_own_judgements_are_asked_once_there_are_any(pipeline: Pipeline, tmp_path: Path) -> None:
    with pytest.raises(QAError, match="No answer has been judged yet"):
        chosen_examples(service(pipeline, tmp_path), "own", None)

    Judgements(tmp_path / "index-examples.jsonl", pipeline.document).right(Answer("Who won?", reason="nothing_near"))

    assert [e.question for e in chosen_examples(service(pipeline, tmp_path), "own", None)] == ["Who won?"]


# In a browser


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Ten fixed questions, one of them made hostile and one put into a hostile part, which makes eleven."""
    lines = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    chosen = [line for line in lines if line["split"] == "test"][:10]
    chosen[0] |= {"question": HOSTILE}
    path = tmp_path / "small.jsonl"
    path.write_text("\n".join(map(json.dumps, [*chosen, {**chosen[1], "id": "other", "split": HOSTILE}])))
    return path


def open_evaluation(visit: Visit) -> Callable[[str], Locator]:
    visit.page.get_by_role("tab", name="Evaluation").click()
    expect(visit.page.locator("#judged-note")).to_contain_text("251 questions")
    return lambda name: visit.page.get_by_role("button", name=name, exact=True)


def choose_file(visit: Visit, path: Path) -> None:
    visit.page.get_by_label("A file").check()
    visit.page.locator("#questions input[type=file]").set_input_files(str(path))


def wait_for(visit: Visit, text: str) -> None:
    expect(visit.page.locator("#progress")).to_contain_text(text, timeout=120_000)


@pytest.mark.browser
def test_questions_of_a_file_are_asked_and_a_miss_opens_its_document(visit: Visit, small: Path) -> None:
    button = open_evaluation(visit)
    choose_file(visit, small)
    expect(visit.page.locator("#judged-note")).to_contain_text("11 questions")
    button("Run").click()
    wait_for(visit, "Done. 10 of 10 questions asked")

    figures = visit.page.locator(".figures")
    assert re.search(r"recall@10.*\d+\.\d%", figures.inner_text())
    assert "pass mark" not in figures.inner_text()
    expect(visit.page.locator("#found .vega-embed, #found [role=graphics-document]").first).to_be_visible()
    for table in visit.page.locator("#found details:has(table)").all():
        table.locator("summary").click()
        assert re.search(r"\d+%", table.locator("table").inner_text())

    miss = visit.page.locator("#misses details").filter(has_text=HOSTILE)
    miss.locator("summary").click()
    opener = miss.locator(".open").first
    opener.click()
    wanted = json.loads(opener.get_attribute("data-place") or "")
    source = visit.page.locator("#judged-source .source:focus")
    source.locator("mark").wait_for()
    text = (CORPUS / wanted["document"]).read_text(encoding="utf-8")
    assert source.locator("mark").text_content() == text[wanted["start"] : wanted["end"]]
    assert source.locator("mark").evaluate(IS_IN_VIEW)
    visit.page.keyboard.press("Escape")
    assert opener.evaluate("element => element === document.activeElement")

    with visit.page.expect_download() as download:
        button("Save the report").click()
    assert "<h1>Evaluation: 10 questions" in Path(download.value.path()).read_text(encoding="utf-8")
    with visit.page.expect_download() as download:
        button("Save the report as JSON").click()
    assert json.loads(Path(download.value.path()).read_text(encoding="utf-8"))["questions"] == 10


@pytest.mark.browser
def test_while_an_evaluation_runs_questions_are_answered_and_it_can_be_stopped(visit: Visit) -> None:
    button = open_evaluation(visit)
    button("Run").click()
    wait_for(visit, " of 151 questions asked")
    visit.page.get_by_role("tab", name="Ask").click()
    assert visit.ask("When did Tajikistan join the Partnership for Peace?").locator(".words").inner_text() == "2002"
    visit.page.get_by_role("tab", name="Evaluation").click()

    button("Stop").click()

    wait_for(visit, "Stopped.")
    assert int(re.search(r"(\d+) of 151", visit.page.locator("#progress").inner_text())[1]) < 151  # type: ignore[index]
    expect(visit.page.locator("#figures")).to_contain_text("The figures are those of the questions asked until")
    expect(button("Run")).to_be_visible()
    expect(button("Stop")).to_be_hidden()


@pytest.mark.browser
@pytest.mark.parametrize("visit", [{"viewport": {"width": 360, "height": 700}}], indirect=True)
def test_a_file_that_is_none_is_said_so_on_a_phone_too(visit: Visit, tmp_path: Path) -> None:
    button = open_evaluation(visit)
    (tmp_path / "bad.jsonl").write_text(f'{{"id": 1, "question": {json.dumps(HOSTILE)}, "answers": 7}}\n')
    choose_file(visit, tmp_path / "bad.jsonl")

    expect(visit.page.locator("#judged-note .message")).to_have_text(
        'bad.jsonl, line 1, is no example: "answers" is 7, and should be a list.'
    )
    expect(button("Run")).to_be_disabled()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360
