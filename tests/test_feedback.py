"""Judgements as examples: made, kept, taken back, run by the evaluation, and safe from crashes and other processes."""

from __future__ import annotations

import json
import logging
import multiprocessing
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from qa.cli import main
from qa.datatypes import Answer, Candidate, Document, Reading, Span
from qa.errors import QAError, QuestionsError
from qa.evaluation import Accepted, Example, Mark, Place, evaluate, held_examples, read_examples
from qa.feedback import Judgements, asked, default_examples
from qa.indexing import index_folder
from qa.pipeline import Pipeline
from qa.report import report_html, report_json, report_text
from tests.helpers import TinyEmbedder, write_corpus

BRIDGE = "The bridge was opened in 1902 by the mayor. It was widened in 1955."
MAYOR = "In 1955 the mayor had the bridge widened."
WHEN = "When was the bridge widened?"
HOSTILE = "<script>alert(1)</script>\"'&\u2028\udcff"


class Finding:
    """A reader that finds one text, wherever it stands; none where that is empty."""

    name = "span-reader"

    def __init__(self, words: str) -> None:
        self.words = words

    def read(self, question: str, found: Sequence[Candidate]) -> Reading:
        places = [(c, c.passage.start + c.passage.text.find(self.words)) for c in found if self.words]
        spans = [
            Span(c, start, start + len(self.words), self.words, 20.0) for c, start in places if start >= c.passage.start
        ]
        return Reading(tuple(spans), null=0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two documents on a bridge."""
    return write_corpus(tmp_path / "corpus", {"bridge.txt": BRIDGE, "mayor.txt": MAYOR})


@pytest.fixture
def reader() -> Finding:
    """Reads that the bridge was widened in 1955, until it is told otherwise."""
    return Finding("1955")


@pytest.fixture
def pipeline(folder: Path, tmp_path: Path, tiny_embedder: TinyEmbedder, reader: Finding) -> Pipeline:
    index_folder(folder, tmp_path / "index", tiny_embedder)
    return Pipeline(tmp_path / "index", tiny_embedder, reader)


@pytest.fixture
def judgements(pipeline: Pipeline, tmp_path: Path) -> Judgements:
    return Judgements(default_examples(tmp_path / "index"), pipeline.document)


def verdicts(pipeline: Pipeline, judgements: Judgements) -> dict[str, str]:
    """What the evaluation makes of each question that was judged."""
    report = evaluate(pipeline, read_examples(judgements.path))
    return {outcome.example.question: outcome.verdict for outcome in report.outcomes}


# Made


def test_a_right_answer_becomes_an_example_with_its_citations_as_accepted_answers(
    pipeline: Pipeline, judgements: Judgements, reader: Finding
) -> None:
    judgements.right(pipeline.ask(WHEN))

    [example] = read_examples(judgements.path)
    assert (example.split, example.question, example.tags) == ("test", WHEN, ("right",))
    sha256 = {name: pipeline.document(name).sha256 for name in ("bridge.txt", "mayor.txt")}
    assert {(a.text, a.place) for a in example.answers} == {
        ("1955", Place("bridge.txt", 62, 66, sha256["bridge.txt"])),
        ("1955", Place("mayor.txt", 3, 7, sha256["mayor.txt"])),
    }
    assert verdicts(pipeline, judgements) == {WHEN: "right"}
    reader.words = "1902"
    assert verdicts(pipeline, judgements) == {WHEN: "wrong"}
    reader.words = ""
    assert verdicts(pipeline, judgements) == {WHEN: "wrongly silent"}


def test_a_silence_that_is_right_becomes_a_question_without_an_answer(
    pipeline: Pipeline, judgements: Judgements, reader: Finding
) -> None:
    reader.words = ""
    judgements.right(pipeline.ask(WHEN))

    [example] = read_examples(judgements.path)
    assert (example.answers, example.rejected) == ((), None)
    assert verdicts(pipeline, judgements) == {WHEN: "rightly silent"}
    reader.words = "1955"
    assert verdicts(pipeline, judgements) == {WHEN: "wrong"}


def test_of_a_wrong_answer_it_is_known_only_that_it_is_wrong(
    pipeline: Pipeline, judgements: Judgements, reader: Finding
) -> None:
    reader.words = "1902"
    judgements.wrong(pipeline.ask(WHEN))

    [example] = read_examples(judgements.path)
    assert [r.text for r in example.rejected or ()] == ["1902"]
    assert verdicts(pipeline, judgements) == {WHEN: "wrong"}
    for words in ("1955", ""):  # another answer, and silence
        reader.words = words
        report = evaluate(pipeline, read_examples(judgements.path))
        assert [outcome.verdict for outcome in report.outcomes] == ["not judged"]
        assert report.figures["rejected again"] == 0.0
        assert not {"right answers", "rightly silent", "good outcomes", "ECE"} & set(report.figures)
    assert "1 not judged" in report_html(report)


def test_a_silence_that_is_wrong_is_wrong_again_only_when_silent(
    pipeline: Pipeline, judgements: Judgements, reader: Finding
) -> None:
    reader.words = ""
    judgements.wrong(pipeline.ask(WHEN))

    assert read_examples(judgements.path)[0].rejected == ()
    assert verdicts(pipeline, judgements) == {WHEN: "wrong"}
    reader.words = "1955"
    assert verdicts(pipeline, judgements) == {WHEN: "not judged"}


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ("1955", "right"),  # inside what was selected
        ("It was widened in 1955.", "right"),
        ("1902", "wrong"),
    ],
)
def test_a_selected_place_is_where_the_answer_must_stand(
    pipeline: Pipeline, judgements: Judgements, reader: Finding, given: str, verdict: str
) -> None:
    bridge = pipeline.document("bridge.txt")
    selected = " It was widened in 1955"
    start = BRIDGE.index(selected)
    judgements.located(WHEN, "bridge.txt", bridge.sha256, start, start + len(selected))

    [example] = read_examples(judgements.path)
    place = Place("bridge.txt", start + 1, start + len(selected), bridge.sha256)
    assert example.answers == (Accepted(place, "It was widened in 1955"),)
    reader.words = given
    assert verdicts(pipeline, judgements) == {WHEN: verdict}


def test_an_answer_that_cites_the_selected_place_among_others_is_right(
    pipeline: Pipeline, judgements: Judgements
) -> None:
    answer = pipeline.ask(WHEN)
    second = answer.citations[1]
    judgements.located(WHEN, second.document, second.sha256, second.answer_start, second.answer_end)

    assert verdicts(pipeline, judgements) == {WHEN: "right"}


def test_a_question_that_leant_on_the_one_before_is_judged_as_it_was_read(judgements: Judgements) -> None:
    answer = Answer("And when?", reason="not_in_documents", read_as=WHEN, carried=("bridge",))
    assert asked(answer) == WHEN
    assert judgements.right(answer).question == WHEN


# Refused


@pytest.mark.parametrize(
    ("document", "start", "end", "message"),
    [
        ("bridge.txt", 4, 4, "Nothing is selected"),
        ("bridge.txt", 3, 4, "Nothing is selected"),  # a space
        ("bridge.txt", 0, 9_999, "no place in it"),
        ("bridge.txt", -5, 4, "no place in it"),
        ("gone.txt", 0, 4, "no longer in the index"),
    ],
)
def test_what_is_no_place_is_refused_in_a_sentence(
    pipeline: Pipeline, judgements: Judgements, document: str, start: int, end: int, message: str
) -> None:
    with pytest.raises(QAError, match=message):
        judgements.located(WHEN, document, pipeline.document("bridge.txt").sha256, start, end)
    assert not judgements.path.exists()


def test_more_than_a_long_sentence_is_no_answer() -> None:
    long = Document("long.txt", "Long", "word " * 100, "ab")
    with pytest.raises(QAError, match="100 words are selected"):
        Judgements(Path("never-written"), lambda _: long).located(WHEN, "long.txt", "ab", 0, 500)


def test_where_nothing_was_answered_there_is_nothing_to_judge(judgements: Judgements) -> None:
    with pytest.raises(QAError, match="no answer to judge"):
        judgements.right(Answer("", reason="empty_question"))


def test_a_judgement_that_cannot_be_written_says_where_and_what_to_do(pipeline: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(QAError, match=r"cannot be written to .*file/examples\.jsonl.*--examples"):
        Judgements(tmp_path / "file" / "examples.jsonl", pipeline.document).right(pipeline.ask(WHEN))


# Changed documents


def test_an_answer_from_before_a_change_is_not_judged(
    folder: Path, pipeline: Pipeline, judgements: Judgements, tiny_embedder: TinyEmbedder, tmp_path: Path
) -> None:
    answer = pipeline.ask(WHEN)
    (folder / "bridge.txt").write_text(f"News. {BRIDGE}")
    index_folder(folder, tmp_path / "index", tiny_embedder)

    with pytest.raises(QAError, match="has changed since the question was asked"):
        judgements.right(answer)


def test_examples_on_a_changed_document_are_outdated_not_wrong(
    folder: Path, pipeline: Pipeline, judgements: Judgements, tiny_embedder: TinyEmbedder, tmp_path: Path
) -> None:
    bridge, mayor = (pipeline.document(name) for name in ("bridge.txt", "mayor.txt"))
    judgements.located("When was the bridge opened?", "bridge.txt", bridge.sha256, 25, 29)
    judgements.located(WHEN, "mayor.txt", mayor.sha256, 3, 7)
    (folder / "bridge.txt").write_text(f"News. {BRIDGE}")
    index_folder(folder, tmp_path / "index", tiny_embedder)

    report = evaluate(pipeline, read_examples(judgements.path))

    assert [outcome.example.question for outcome in report.outcomes] == [WHEN]
    assert [(left.example.question, left.reason) for left in report.left_out] == [
        ("When was the bridge opened?", "bridge.txt has changed since it was judged.")
    ]
    assert "bridge.txt has changed" in report_text(report) and "bridge.txt has changed" in report_html(report)
    assert report_json(report)["left_out"][0]["reason"].startswith("bridge.txt has changed")

    (folder / "mayor.txt").unlink()
    index_folder(folder, tmp_path / "index", tiny_embedder)
    report = evaluate(pipeline, read_examples(judgements.path))
    assert (report.outcomes, report.figures) == ((), {})
    assert "mayor.txt is no longer in the index." in report_text(report)


# Kept and taken back


def test_the_last_judgement_of_a_question_holds_and_can_be_taken_back(
    pipeline: Pipeline, judgements: Judgements
) -> None:
    answer = pipeline.ask(WHEN)
    judgements.wrong(answer)
    judgements.right(answer)
    judgements.right(pipeline.ask("Where is the mayor?"))

    held = judgements.of("  when was THE bridge widened? ")  # spaced and capitalised in another way
    assert held is not None and held.tags == ("right",)
    assert [example.question for example in judgements.examples()] == [WHEN, "Where is the mayor?"]
    before = judgements.undo(WHEN)
    assert before is not None and before.tags == ("wrong",)
    assert judgements.undo(WHEN) is None
    assert judgements.undo(WHEN) is None  # nothing is left to take back
    assert [example.question for example in judgements.examples()] == ["Where is the mayor?"]


def test_nothing_is_written_before_the_first_judgement(judgements: Judgements) -> None:
    assert judgements.examples() == []
    assert judgements.undo(WHEN) is None
    assert not judgements.path.exists()


def test_hostile_text_comes_back_as_it_went_in(pipeline: Pipeline, judgements: Judgements) -> None:
    judgements.right(Answer(HOSTILE, reason="not_in_documents"))
    assert judgements.path.read_bytes().isascii() and judgements.path.read_bytes().count(b"\n") == 1
    assert judgements.examples()[0].question == "<script>alert(1)</script>\"'&"  # without what breaks a line or UTF-8
    assert HOSTILE[:8] not in report_html(evaluate(pipeline, judgements.examples()))


# Crashes and other processes


@pytest.mark.parametrize("cut", [1, 40, -2])
def test_a_line_that_a_crash_cut_short_costs_only_itself(
    pipeline: Pipeline, judgements: Judgements, caplog: pytest.LogCaptureFixture, cut: int
) -> None:
    judgements.right(pipeline.ask(WHEN))
    whole = judgements.path.read_bytes()
    judgements.path.write_bytes(whole + whole[:cut])

    with caplog.at_level(logging.WARNING):
        assert [example.question for example in judgements.examples()] == [WHEN]
    assert "is cut short" in caplog.text
    judgements.right(pipeline.ask("Where is the mayor?"))
    assert [example.question for example in judgements.examples()] == [WHEN, "Where is the mayor?"]
    assert all(json.loads(line) for line in judgements.path.read_bytes().splitlines())


def test_a_line_without_its_end_that_is_whole_is_kept(pipeline: Pipeline, judgements: Judgements) -> None:
    judgements.right(pipeline.ask(WHEN))
    judgements.path.write_bytes(judgements.path.read_bytes().rstrip())  # as an editor might leave it
    judgements.right(pipeline.ask("Where is the mayor?"))
    assert len(judgements.examples()) == 2


def judge_many(path: Path, name: str) -> None:
    judgements = Judgements(path, {}.__getitem__)
    for number in range(25):
        judgements.right(Answer(f"{name} {number}?", reason="not_in_documents"))


def test_processes_that_judge_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "examples.jsonl"
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=judge_many, args=(path, name)) for name in ("Ada", "Bob")]
    for other in others:
        other.start()
    for other in others:
        other.join()

    assert sorted(example.question for example in held_examples(path)) == sorted(
        f"{name} {number}?" for name in ("Ada", "Bob") for number in range(25)
    )


# Files of questions


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[]", "it is no JSON object"),
        ("nonsense", "Expecting value"),
        ('{"question": "Q?", "answers": []}', '"id" is missing'),
        ('{"id": 1, "question": "Q?"}', '"answers" is missing'),
        ('{"id": 1, "question": 5, "answers": []}', '"question" is 5, and should be a string'),
        ('{"id": 1, "question": "Q?", "answers": [7]}', "7 stands where an object"),
        (
            '{"id": 1, "question": "Q?", "answers": [{"text": "x", "document": "a", "start": true, "end": 2}]}',
            '"start" is true, and should be a whole number',
        ),
        (
            '{"id": 1, "question": "Q?", "answers": [{"text": "x", "document": "a", "start": 5, "end": 2}]}',
            "no characters stand from 5 to 2",
        ),
        (f'{{"id": 1, "question": "{"why " * 3000}", "answers": []}}', "Ask it in fewer words"),
        ('{"id": 0, "question": "Q?", "answers": []}', 'the "id" "0" is that of a line before it'),
        ("[" * 100_000, "maximum recursion depth"),
    ],
)
def test_a_line_that_is_no_example_is_named_with_what_is_wrong(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(f'{{"id": 0, "question": "First?", "answers": []}}\n\n{line}\n')
    with pytest.raises(QuestionsError, match="line 3, is no example") as raised:
        read_examples(path)
    assert message in str(raised.value)


def test_separators_that_json_allows_inside_a_line_do_not_end_it(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text('{"id": 0, "question": "First\u2028 or\x85 second?", "answers": []}\r\n', encoding="utf-8")
    assert [example.question for example in read_examples(path)] == ["First\u2028 or\x85 second?"]


def test_a_mark_on_a_figure_that_there_is_not_is_said_so(pipeline: Pipeline) -> None:
    asked = Example("q", "test", "", (), WHEN, (), ())
    with pytest.raises(QuestionsError, match="a mark for 'F1'"):
        evaluate(pipeline, [asked], [Mark("F1", "at_least", 0.5)])


# The command line


def test_the_command_line_runs_judgements_and_says_what_it_left_out(index_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "examples.jsonl"
    document = {"document": "nato-relations-with-tajikistan.txt", "start": 0, "end": 2, "sha256": "0" * 64}
    gone = {"id": "a", "kind": "judged", "question": "Old?", "answers": [{"text": "xx", **document}]}
    silent = {"id": "b", "kind": "judged", "question": "Who won the 1998 World Cup?", "answers": []}
    path.write_text(f"{json.dumps(gone)}\n{json.dumps(silent)}\n")

    done = CliRunner().invoke(main, ["evaluate", "--questions", str(path), "--index", str(index_path)])

    assert done.exit_code == 0, done.output
    assert "1 question of the split 'test'" in done.output and "rightly silent    100.0%" in done.output
    assert "Left out: a (Old?): nato-relations-with-tajikistan.txt has changed since it was judged." in done.output
