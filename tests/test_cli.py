"""The command line: what it prints, in which form, and with which exit code."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import qa.embedding
from qa.cli import main
from qa.embedding import SentenceTransformerEmbedder
from qa.retrieval import BM25_WEIGHT
from tests.helpers import write_corpus

PAGE = "nato-relations-with-tajikistan.txt"
REPORT = "asia-plus-2011-06-23-zarifi-receives-appathurai.txt"
HIGHWAY = "When was Tajikistan connected to the Virtual Silk Highway?"
JOINED = "When did Tajikistan join the Partnership for Peace?"

ANSWER_KEYS = [
    *("schema", "id", "question", "answer", "confidence", "reason"),
    *("citations", "alternatives", "agreement", "seconds"),
]
CITATION_KEYS = [
    *("number", "document", "sha256", "title", "date", "headings", "page", "line"),
    *("start", "end", "quote", "answer_start", "answer_end"),
]
PASSAGE_KEYS = [
    *("rank", "document", "title", "headings", "label", "start", "end", "text"),
    *("score", "dense", "lexical", "copies"),
]


@pytest.fixture(autouse=True)
def loaded_once(embedder: SentenceTransformerEmbedder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command is given the bundled model that is already loaded, and no settings from outside."""
    real = SentenceTransformerEmbedder
    monkeypatch.setattr(
        qa.embedding,
        "SentenceTransformerEmbedder",
        lambda name=qa.embedding.BUNDLED: embedder if name == qa.embedding.BUNDLED else real(name),
    )
    for name in [name for name in os.environ if name.startswith("QA_")]:
        monkeypatch.delenv(name)


def run(*arguments: object, input: str | bytes | None = None) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=input)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "Traceback" not in result.output
    return result


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


# Help


@pytest.mark.parametrize("command", ["index", "ask", "search", "show", "evaluate", "info", "serve"])
def test_every_command_says_what_it_does(command: str) -> None:
    result = run(command, "--help")

    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: main {command} [OPTIONS]")
    assert f"  {command} " in run("--help").stdout
    assert "--index" in result.stdout


def test_the_version_is_told() -> None:
    assert run("--version").stdout.startswith("qa, version ")


# qa ask


def test_an_answer_is_printed_with_its_citations(index_path: Path) -> None:
    result = run("ask", HIGHWAY, "--index", index_path)

    assert (result.exit_code, result.stderr) == (0, "")
    answer, empty, place, quote = result.stdout.splitlines()[:4]
    assert answer.startswith("2003   (confidence ") and answer.endswith("%)")
    assert (empty, place, quote) == (
        "",
        f"[1] {PAGE}, line 37 · Milestones in relations",
        "    »2003«: Tajikistan is connected to the Virtual Silk Highway.",
    )


def test_an_answer_as_json_is_as_the_contract_says(index_path: Path, corpus: Path) -> None:
    result = run("ask", HIGHWAY, "--index", index_path, "--json")
    (answer,) = lines(result.stdout)
    content = (corpus / PAGE).read_bytes()

    assert list(answer) == ANSWER_KEYS
    assert (answer["schema"], answer["id"], answer["question"]) == (1, None, HIGHWAY)
    assert (answer["answer"], answer["reason"]) == ("2003", None)
    assert 0.5 <= answer["confidence"] <= 1 and answer["seconds"] > 0
    assert answer["agreement"] == {"documents": 1}
    assert answer["citations"][0] == {
        "number": 1,
        "document": PAGE,
        "sha256": hashlib.sha256(content).hexdigest(),
        "title": "Relations with Tajikistan",
        "date": None,
        "headings": ["Milestones in relations"],
        "page": None,
        "line": 37,
        "start": 6513,
        "end": 6571,
        "quote": "2003: Tajikistan is connected to the Virtual Silk Highway.",
        "answer_start": 6513,
        "answer_end": 6517,
    }
    for citation in [*answer["citations"], *(c for other in answer["alternatives"] for c in other["citations"])]:
        assert list(citation) == CITATION_KEYS
    assert all(list(other) == ["answer", "confidence", "citations"] for other in answer["alternatives"])


def test_every_citation_can_be_checked_against_the_file_by_anyone(index_path: Path, corpus: Path) -> None:
    result = run("ask", JOINED, "--index", index_path, "--json", "--strictness", "lenient", "--k", 12)
    (answer,) = lines(result.stdout)

    assert answer["answer"] == "2002"
    assert {citation["document"] for citation in answer["citations"]} == {PAGE, REPORT}
    assert [citation["number"] for citation in answer["citations"]] == list(range(1, len(answer["citations"]) + 1))
    for citation in answer["citations"]:
        text = (corpus / citation["document"]).read_text(encoding="utf-8")
        assert text[citation["start"] : citation["end"]] == citation["quote"]
        assert text[citation["answer_start"] : citation["answer_end"]] == "2002"
        assert text[: citation["answer_start"]].count("\n") + 1 == citation["line"]
        assert citation["date"] == ("2011-06-23" if citation["document"] == REPORT else None)


@pytest.mark.parametrize(
    ("question", "reason", "sentence"),
    [
        ("", "empty_question", "There is no question to look for: type a few words."),
        (" \n\t ", "empty_question", "There is no question to look for: type a few words."),
        ("👍👩🏽‍🚀", "empty_question", "There is no question to look for: type a few words."),
        ("Когда построили мост?", "nothing_near", "Nothing in the documents is about this."),
        ("How do I bake sourdough bread?", "nothing_near", "Nothing in the documents is about this."),
        (
            "Wann trat Tadschikistan der Partnerschaft für den Frieden bei?",
            "not_in_documents",
            "The documents do not say.",
        ),
    ],
)
def test_silence_has_its_reason(index_path: Path, corpus: Path, question: str, reason: str, sentence: str) -> None:
    as_text = run("ask", question, "--index", index_path)
    (answer,) = lines(run("ask", question, "--index", index_path, "--json").stdout)

    assert as_text.exit_code == 0
    assert as_text.stdout.splitlines()[0] == sentence
    assert ("The closest passages:" in as_text.stdout) == (reason != "empty_question")
    assert (answer["answer"], answer["reason"], answer["citations"], answer["alternatives"]) == (None, reason, [], [])
    assert ("closest" in answer) == (reason != "empty_question")
    for passage in answer.get("closest", []):
        content = (corpus / passage["document"]).read_text(encoding="utf-8")
        assert passage["text"] == content[passage["start"] : passage["end"]]


def test_what_stands_nowhere_in_the_documents_asked_is_told(index_path: Path) -> None:
    question = "Which NATO Secretary General came to Dushanbe in 2012?"
    asked = run("ask", question, "--index", str(index_path))
    assert "\n“2012” stands nowhere in the documents.\n" in asked.stdout

    misspelt = ["ask", "when did Jaap de Hoop Sheffer visit Dushanbe", "--index", str(index_path), "--json"]
    assert json.loads(run(*misspelt).stdout)["absent"] == [{"name": "Sheffer", "nearest": "Scheffer"}]
    news_alone = run(*misspelt, "--document", REPORT)
    assert [each["name"] for each in json.loads(news_alone.stdout)["absent"]] == ["Jaap", "Hoop", "Sheffer"]


@pytest.mark.parametrize("command", ["ask", "search"])
def test_a_question_of_ten_thousand_characters_is_refused(index_path: Path, command: str) -> None:
    result = run(command, "why " * 2500, "--index", index_path)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "Error: The question has 10,000 characters; at most 2,000 are read. Ask it in fewer words.\n"
    )


def test_as_json_a_refused_question_gives_its_object_too(index_path: Path) -> None:
    result = run("ask", "why " * 2500, "--index", index_path, "--json")

    (answer,) = lines(result.stdout)
    assert (result.exit_code, answer["answer"], answer["reason"]) == (1, None, "failed")
    assert answer["message"] in result.stderr


def test_a_question_with_broken_characters_is_still_a_question(index_path: Path) -> None:
    (answer,) = lines(run("ask", f"\udcff\x1b{HIGHWAY}", "--index", index_path, "--json").stdout)

    assert (answer["question"], answer["answer"]) == (HIGHWAY, "2003")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give one QUESTION, or --batch FILE."),
        (["why?", "--batch", "-", "--json"], "Give one QUESTION, or --batch FILE."),
        (["--batch", "-"], "--batch gives one JSON object a line: say --json too."),
        (["why?", "--k", "0"], "Invalid value for '--k'"),
        (["why?", "--strictness", "very"], "Invalid value for '--strictness'"),
        (["--batch", "nowhere.jsonl", "--json"], "nowhere.jsonl"),
    ],
)
def test_a_wrong_use_is_told_with_exit_code_2(arguments: list[str], message: str) -> None:
    result = run("ask", *arguments)

    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--embedder", "/nowhere/model"], "There is no folder /nowhere/model to load the embedder from."),
        (["--index", "/nowhere/index"], "There is no index in /nowhere/index. Run `qa index` to build it."),
    ],
)
def test_a_model_or_index_that_is_not_there_is_named(index_path: Path, option: list[str], message: str) -> None:
    result = run("ask", "why?", "--index", index_path, *option)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Error: {message}\n"


# Chosen documents


@pytest.mark.parametrize(
    ("options", "documents"),
    [
        ([], {PAGE, REPORT}),
        (["--document", PAGE], {PAGE}),
        (["--document", REPORT, "--document", PAGE], {PAGE, REPORT}),
        (["--since", "2011"], {REPORT}),  # the page states no date
        (["--since", "2011-06-23", "--until", "2011-06"], {REPORT}),
        (["--until", "2010"], set()),
        (["--document", PAGE, "--since", "2011"], set()),
    ],
)
def test_only_the_documents_chosen_are_asked(index_path: Path, options: list[str], documents: set[str]) -> None:
    (answer,) = lines(run("ask", JOINED, "--index", index_path, "--json", *options).stdout)
    (batch,) = lines(
        run(
            *("ask", "--batch", "-", "--json", "--index", index_path, *options),
            input=json.dumps({"id": None, "question": JOINED}),
        ).stdout
    )
    (passages,) = lines(run("search", JOINED, "--index", index_path, "--json", *options).stdout)

    assert {citation["document"] for citation in answer["citations"]} == documents
    assert {passage["document"] for passage in passages} == documents
    assert answer["reason"] == (None if documents else "nothing_near")
    assert {**batch, "seconds": 0} == {**answer, "seconds": 0}


@pytest.mark.parametrize("command", ["ask", "search"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--document", PAGE, "--document", "<b>.txt"], "There is no document '<b>.txt' in the index. `qa info` lists"),
        (["--since", "June"], "'June' is no date: expected is YYYY, YYYY-MM or YYYY-MM-DD, as in 2011-06."),
    ],
)
def test_a_choice_of_documents_that_cannot_be_is_told(
    index_path: Path, command: str, options: list[str], message: str
) -> None:
    result = run(command, JOINED, "--index", index_path, *options)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: {message}")


# qa ask --batch


def test_a_batch_is_answered_line_by_line_with_its_ids(index_path: Path, tmp_path: Path) -> None:
    ids: list[object] = ["a", 7, None, 1.5, True, [1, {"b": None}], {"c": "ü\ud800"}]
    batch = tmp_path / "questions.jsonl"
    questions = [HIGHWAY, *[""] * (len(ids) - 2), HIGHWAY]
    asked = ({"id": each, "question": question} for each, question in zip(ids, questions, strict=True))
    batch.write_text("\n \n".join(json.dumps(item) for item in asked))
    result = run("ask", "--batch", batch, "--json", "--index", index_path)

    assert (result.exit_code, result.stderr) == (0, "")
    found = lines(result.stdout)
    assert [answer["id"] for answer in found] == ids
    assert [answer["question"] for answer in found] == questions
    assert [answer["answer"] for answer in found] == ["2003", *[None] * (len(ids) - 2), "2003"]
    assert all(list(answer) == ANSWER_KEYS for answer in found)


def test_bad_lines_of_a_batch_fail_alone_and_say_why(index_path: Path) -> None:
    batch = [
        '{"id": 1, "question": ""}',
        "no JSON",
        '{"id": 3}',
        '{"id": 4, "question": ["why?"]}',
        '"why?"',
        "[" * 100_000,
        '{"id": ' + "9" * 5_000 + "}",
        json.dumps({"id": 8, "question": "\ud800" * 10_000}),
        json.dumps({"id": 9, "question": HIGHWAY}),
    ]
    result = run("ask", "--batch", "-", "--json", "--index", index_path, input="\n".join(batch))
    found = lines(result.stdout)

    assert result.exit_code == 1
    assert result.stderr == "Error: 7 of the lines could not be answered; their `message` says why.\n"
    assert [answer["id"] for answer in found] == [1, None, 3, 4, None, None, None, 8, 9]
    assert [answer["reason"] for answer in found] == ["empty_question", *["failed"] * 7, None]
    assert [answer["message"][:36] for answer in found[1:-1]] == [
        "Line 2 is no JSON: Expecting value: ",
        'Line 3 is no JSON object with a "que',
        'Line 4 is no JSON object with a "que',
        'Line 5 is no JSON object with a "que',
        "Line 6 is no JSON: maximum recursion",
        "Line 7 is no JSON: Exceeds the limit",
        "The question has 10,000 characters; ",
    ]
    assert all(list(answer) == [*ANSWER_KEYS, "message"] for answer in found[1:-1])


def test_a_batch_that_is_no_utf_8_is_answered_as_far_as_it_can_be_read(index_path: Path) -> None:
    batch = b'{"id": 1, "question": "\xff\xfe"}\n{"id": 2, "question": "' + HIGHWAY.encode() + b'\xff"}\n'
    found = lines(run("ask", "--batch", "-", "--json", "--index", index_path, input=batch).stdout)

    assert [(answer["id"], answer["answer"], answer["reason"]) for answer in found] == [
        (1, None, "empty_question"),
        (2, "2003", None),
    ]


def test_an_empty_batch_gives_nothing(index_path: Path) -> None:
    result = run("ask", "--batch", "-", "--json", "--index", index_path, input="\n\n")

    assert (result.exit_code, result.stdout) == (0, "")


# qa search


def test_passages_are_printed_with_their_scores(index_path: Path) -> None:
    result = run("search", "Virtual Silk Highway", "--index", index_path, "--json", "--k", 2)
    ((first, second),) = lines(result.stdout)

    assert list(first) == list(second) == PASSAGE_KEYS
    assert (first["rank"], first["document"], first["start"], first["end"]) == (1, PAGE, 6513, 6571)
    assert first["text"] == "2003: Tajikistan is connected to the Virtual Silk Highway."
    assert first["score"] == pytest.approx(first["dense"] + BM25_WEIGHT * first["lexical"], abs=1e-4)
    assert first["dense"] > second["dense"] and first["lexical"] > second["lexical"]
    as_text = run("search", "Virtual Silk Highway", "--index", index_path, "--k", 2).stdout.splitlines()
    assert as_text[0].startswith(f"1. {PAGE} [6513:6571]  fused {first['score']:.4f}  dense 0.")
    assert as_text[1] == "   2003: Tajikistan is connected to the Virtual Silk Highway."


def test_an_undated_line_is_found_with_its_label(index_path: Path) -> None:
    result = run("search", "transit agreement in support of ISAF", "--index", index_path, "--json", "--k", 1)
    ((found,),) = lines(result.stdout)

    assert (found["label"], found["start"]) == ("2004", 6723)


def test_a_search_for_nothing_finds_nothing(index_path: Path) -> None:
    assert lines(run("search", "👍", "--index", index_path, "--json").stdout) == [[]]


# qa show


def test_a_document_is_shown_as_it_is(index_path: Path, corpus: Path) -> None:
    result = run("show", PAGE, "--index", index_path)

    assert result.exit_code == 0
    assert result.stdout == (corpus / PAGE).read_text(encoding="utf-8") + "\n"


def test_a_slice_is_shown_between_marks_with_its_surroundings(index_path: Path, corpus: Path) -> None:
    text = (corpus / PAGE).read_text(encoding="utf-8")
    result = run("show", PAGE, "--start", 6513, "--end", 6517, "--index", index_path)

    assert result.stdout == f"{text[6213:6513]}»2003«{text[6517:6817]}\n"


def test_a_slice_as_json_says_where_it_stands(index_path: Path) -> None:
    (found,) = lines(run("show", PAGE, "--start", 6572, "--end", 6581, "--index", index_path, "--json").stdout)

    assert found.pop("sha256").startswith("0bf5f071")
    assert found == {
        "document": PAGE,
        "title": "Relations with Tajikistan",
        "date": None,
        "start": 6572,
        "end": 6581,
        "line": 38,
        "page": None,
        "headings": ["Milestones in relations"],
        "text": "President",
    }


def test_a_slice_may_be_open_at_its_end(index_path: Path, corpus: Path) -> None:
    text = (corpus / PAGE).read_text(encoding="utf-8")
    (found,) = lines(run("show", PAGE, "--start", 7500, "--index", index_path, "--json").stdout)

    assert (found["end"], found["text"]) == (len(text), text[7500:])


@pytest.mark.parametrize(("start", "end"), [(9, 3), (0, 7528), (8000, 8001)])
def test_a_slice_that_is_none_is_refused(index_path: Path, start: int, end: int) -> None:
    result = run("show", PAGE, "--start", start, "--end", end, "--index", index_path)

    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: {PAGE} has 7,527 characters: [{start}, {end}) is no slice of it. "
        "Give --start and --end as a citation has them.\n"
    )


@pytest.mark.parametrize("name", ["other.txt", "../../etc/passwd", "\udcff.txt"])
def test_a_document_that_is_not_there_is_named(index_path: Path, name: str) -> None:
    result = run("show", name, "--index", index_path)

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: There is no document ")
    assert result.stderr.endswith(" in the index. `qa info` lists what there is.\n")


# qa info


def test_info_says_what_is_indexed(index_path: Path) -> None:
    result = run("info", "--verify", "--index", index_path)

    assert result.exit_code == 0
    first, second, *documents, last = result.stdout.splitlines()
    assert first.startswith("2 documents, 33 passages, built 20")
    assert second.startswith("embedder all-MiniLM-L6-v2 (")
    assert [line.split(":")[0].strip() for line in documents] == [REPORT, PAGE]
    assert last == "Every file is as it was written."


def test_info_as_json_is_the_manifest(index_path: Path) -> None:
    (found,) = lines(run("info", "--verify", "--json", "--index", index_path).stdout)

    assert found.pop("verified") is True
    (manifest,) = index_path.glob("generations/*/manifest.json")
    assert found == json.loads(manifest.read_text(encoding="utf-8"))
    assert [(d["id"], d["date"], d["passages"]) for d in found["documents"]] == [
        (REPORT, "2011-06-23", 5),
        (PAGE, None, 28),
    ]
    (unverified,) = lines(run("info", "--json", "--index", index_path).stdout)
    assert unverified["verified"] is False


@pytest.mark.parametrize("command", [["ask", "why?"], ["search", "why?"], ["show", PAGE], ["info"]])
def test_a_damaged_index_is_refused_with_the_command_that_mends_it(
    index_path: Path, tmp_path: Path, command: list[str]
) -> None:
    copy = shutil.copytree(index_path, tmp_path / "index")
    (vectors,) = copy.glob("generations/*/vectors.faiss")
    vectors.write_bytes(vectors.read_bytes()[:-1])
    result = run(*command, "--index", copy)

    assert (result.exit_code, result.stdout) == (1, "")
    assert "vectors.faiss has " in result.stderr
    assert result.stderr.endswith("Run `qa index --full` to build it again.\n")


@pytest.mark.parametrize("command", [["ask", "why?"], ["search", "why?"], ["show", PAGE], ["info"]])
def test_a_missing_index_is_told_with_the_command_that_builds_it(tmp_path: Path, command: list[str]) -> None:
    result = run(*command, "--index", tmp_path / "index")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Error: There is no index in {tmp_path / 'index'}. Run `qa index` to build it.\n"
    assert not (tmp_path / "index").exists()


# qa index


def test_indexing_lists_what_was_not_read_and_why(tmp_path: Path) -> None:
    corpus = write_corpus(
        tmp_path / "corpus",
        {"cat.txt": "The cat sleeps.", "empty.txt": b"", "nul\x1b[31m.txt": b"a\0b", "picture.p\x07ng": b"\x89PNG"},
    )
    Path(os.fsdecode(os.fsencode(corpus) + b"/bad.\xff")).write_bytes(b"x")
    Path(os.fsdecode(os.fsencode(corpus) + b"/good\xff.txt")).write_bytes(b"The dog barks.")
    result = run("index", "--corpus", corpus, "--index", tmp_path / "index")

    assert (result.exit_code, result.stdout) == (
        0,
        f"Indexed 2 documents, 2 passages in {tmp_path / 'index'} (2 new, 2 passages embedded).\n",
    )
    assert [line for line in result.stderr.splitlines() if line.startswith("not read: ")] == [
        "not read: bad.\\xff: files ending in .\\xff are not read",
        "not read: empty.txt: it is empty",
        "not read: nul\\x1b[31m.txt: it holds NUL bytes: a binary file, or text in an encoding that is not marked",
        "not read: picture.p\\x07ng: files ending in .p\\x07ng are not read",
    ]
    again = run("index", "--corpus", corpus, "--index", tmp_path / "index")
    assert again.stdout == f"Nothing has changed: 2 documents, 2 passages in {tmp_path / 'index'}.\n"
    full = run("index", "--corpus", corpus, "--index", tmp_path / "index", "--full")
    assert full.stdout.startswith("Indexed 2 documents")
    shown = run("show", "good\udcff.txt", "--index", tmp_path / "index")
    assert shown.stdout == "The dog barks.\n"


def test_folders_may_be_named_by_the_environment(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", {"cat.txt": "The cat sleeps."})
    environment = {"QA_CORPUS": str(corpus), "QA_INDEX": str(tmp_path / "index")}
    result = CliRunner().invoke(main, ["index"], env=environment)

    assert result.stdout == f"Indexed 1 documents, 1 passages in {tmp_path / 'index'} (1 new, 1 passages embedded).\n"
    assert CliRunner().invoke(main, ["show", "cat.txt"], env=environment).stdout == "The cat sleeps.\n"


def test_an_empty_folder_of_documents_is_told(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", {})
    result = run("index", "--corpus", corpus, "--index", tmp_path / "index")

    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        f"Error: Nothing in {corpus} could be read, so there is nothing to answer from. Put documents "
        "there (text, PDF, Word, web pages, mail, …), or name another folder with --corpus."
    )


def test_a_folder_of_documents_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = run("index", "--corpus", tmp_path / "corpus", "--index", tmp_path / "index")

    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: There is no folder of documents at {tmp_path / 'corpus'}. Make it, or name another with --corpus.\n"
    )


def test_the_command_starts_as_a_program_of_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "qa.cli", "info", "--index", str(tmp_path)]
    result = subprocess.run(command, cwd=Path(__file__).parents[1], check=False, capture_output=True, text=True)

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"Error: There is no index in {tmp_path}. Run `qa index` to build it.\n"


def test_indexing_tells_scripts_what_became_of_each_file(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", {"a.txt": "The cat sleeps.", "b.bin": b"x"})
    result = run("index", "--corpus", corpus, "--index", tmp_path / "index", "--json", "--verbose")
    told = json.loads(result.stdout)

    assert {key: told[key] for key in ("schema", "built", "documents", "passages", "embedded", "notes")} == {
        "schema": 1,
        "built": True,
        "documents": 1,
        "passages": 1,
        "embedded": 1,
        "notes": [],
    }
    assert [(file["id"], file["status"], file["reason"]) for file in told["files"]] == [
        ("a.txt", "new", None),
        ("b.bin", "refused", "files ending in .bin are not read"),
    ]
    log = [json.loads(line) for line in result.stderr.splitlines()]
    assert [(line["event"], line.get("document")) for line in log] == [
        ("read", "a.txt"),
        ("refused", "b.bin"),
        ("written", None),
    ]
    assert all(line["time"] and line["seconds"] >= 0 for line in log)


def test_full_and_watch_exclude_each_other(tmp_path: Path) -> None:
    result = run("index", "--corpus", tmp_path, "--index", tmp_path / "index", "--full", "--watch")

    assert result.exit_code == 2
    assert "give one of them" in result.stderr
