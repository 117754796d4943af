"""The page: its HTML, its examples, its endpoints, and the whole of it in a browser over the real documents."""

from __future__ import annotations

import ast
import asyncio
import dataclasses
import datetime
import html
import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

import pytest
from axe_playwright_python.sync_playwright import Axe
from gradio_client import Client
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from playwright.sync_api import Browser, Locator
from playwright.sync_api import Page as BrowserPage

from qa.datatypes import (
    Absent,
    Alternative,
    Answer,
    Block,
    Candidate,
    Citation,
    Document,
    Ground,
    Label,
    Page,
    Passage,
    Section,
    Sentence,
)
from qa.embedding import SentenceTransformerEmbedder
from qa.errors import QAError
from qa.indexing import index_folder
from qa.page import check_access, check_address
from qa.page.examples import MAX_EXAMPLES, Examples, possible_examples
from qa.page.parts import Options, Turn, answer_html, busy_html, conversation_html, message_html, turn_html
from qa.page.source import Place, source_html
from qa.pipeline import Pipeline
from tests.visiting import IS_IN_VIEW, Visit, free_port, wait_until

CORPUS = Path(__file__).parents[1] / "corpus"
JOINED = "When did Tajikistan join the Partnership for Peace?"
NEWS = "asia-plus-2011-06-23-zarifi-receives-appathurai.txt"
COUNCIL = "Which council did Tajikistan join in 1992?"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&${alert(3)}{{alert(4)}}"


def document(text: str, **fields: Any) -> Document:
    return dataclasses.replace(Document("mines.txt", "On mines", text, "ab12"), **fields)


def citation(number: int, source: Document, sentence: str, answer: str) -> Citation:
    start, answer_start = source.text.index(sentence), source.text.index(answer)
    return Citation(
        number=number,
        document=source.id,
        sha256=source.sha256,
        title=source.title,
        date=source.date,
        headings=source.headings_at(answer_start),
        page=source.page_at(answer_start),
        line=source.line_at(answer_start),
        start=start,
        end=start + len(sentence),
        quote=sentence,
        answer_start=answer_start,
        answer_end=answer_start + len(answer),
    )


MINES = document(
    "Results\nOver 1000 mines were found. All are gone.\nOver 1200 mines, says another report.",
    sections=(Section("Results", 1, 0, 89),),
    date=datetime.date(2004, 5, 3),
)
FIRST = citation(1, MINES, "Over 1000 mines were found.", "Over 1000")
SECOND = citation(2, MINES, "Over 1200 mines, says another report.", "Over 1200")


def text_of(fragment: str) -> str:
    """What a person reads of some HTML."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", fragment)).split())


# Answers


def test_an_answer_shows_its_words_its_sentence_its_place_and_the_other_answers() -> None:
    answer = Answer("How many?", 0.83, (FIRST,), (Alternative(0.4, (SECOND,)),), independent_documents=2)

    shown = answer_html(answer, lambda _: MINES)

    assert "<p class='words'>Over 1000</p>" in shown
    assert "<mark>Over 1000</mark> mines were found." in shown
    assert "<mark>Over 1200</mark> mines, says another report." in shown
    assert text_of(shown) == (
        "How many? Over 1000 Very likely right · 83 % Of a hundred answers with this number, about 83 are right. "
        "2 documents agree. Over 1000 mines were found. [1] On mines · Results · line 2 · 3 May 2004 "
        "Other answers in the documents Over 1200 [2] On mines, 3 May 2004 · 40 % "
        "Over 1200 mines, says another report. [2] On mines · Results · line 3 · 3 May 2004"
    )


def test_a_list_that_answers_stands_there_once_item_by_item() -> None:
    steps = document("Close the <valve>.\nOpen the lid.", blocks=(Block("item", 0, 18), Block("item", 19, 32)))
    whole = dataclasses.replace(citation(1, steps, steps.text, steps.text), items=((0, 18), (19, 32)))
    shown = answer_html(Answer("How do I fill it?", 0.8, (whole,)), lambda _: steps)
    assert "<ul class='words list'><li>Close the &lt;valve&gt;.</li><li>Open the lid.</li></ul>" in shown
    assert text_of(shown).count("Open the lid.") == 1

    numbered = document("1. Close it.\n2. Open it.")
    own = dataclasses.replace(citation(1, numbered, numbered.text, numbered.text), items=((3, 12), (16, 24)))
    shown = answer_html(Answer("How do I fill it?", 0.8, (own,)), lambda _: numbered)
    assert "<ul class='words list bulleted'><li>1. Close it.</li><li>2. Open it.</li></ul>" in shown

    under = dataclasses.replace(whole, answer_end=13, items=())
    assert "<blockquote><mark>Close the &lt;va</mark>" in answer_html(Answer("How?", 0.8, (under,)), lambda _: steps)


def test_a_silent_answer_gives_its_reason_and_the_closest_passages() -> None:
    sentence = Sentence(36, 49, "All are gone.")
    passage = Passage(MINES.id, 36, 49, sentence.text, (sentence,), MINES.title, ("Results",))
    answer = Answer("Why?", 0.2, candidates=(Candidate(passage, 1, 0.1, 0.5, 1.0),), reason="not_in_documents")

    assert text_of(answer_html(answer, lambda _: MINES)).startswith(
        "Why? The documents do not say. The likeliest answer found has a chance of 20 % to be right: too little. "
        "The closest passages All are gone. On mines · Results · line 2 Why this answer"
    )


def test_what_the_documents_have_no_word_of_is_said_before_the_answer_and_before_the_reason() -> None:
    answer = Answer("How many in <i>?", 0.8, (FIRST,), absent=(Absent("<i>", "<b>"),))
    silent = Answer("Who met Peru in 1999?", reason="nothing_near", absent=(Absent("Peru"), Absent("1999")))

    assert text_of(answer_html(answer, lambda _: MINES)).startswith(
        "How many in <i>? “<i>” stands nowhere in the documents; “<b>” does. Ask it so Over 1000"
    )
    assert text_of(answer_html(silent, lambda _: MINES)) == (
        "Who met Peru in 1999? “Peru” and “1999” stand nowhere in the documents. "
        "Nothing in the documents is about this."
    )


def test_a_passage_of_a_paged_document_is_named_by_its_page() -> None:
    paged = dataclasses.replace(MINES, pages=(Page(7, 0, len(MINES.text)),))
    passage = Passage(paged.id, 36, 49, "All are gone.", (), paged.title)
    answer = Answer("Why?", candidates=(Candidate(passage, 1, 0.1, 0.5, 1.0),), reason="nothing_near")

    assert text_of(answer_html(answer, lambda _: paged)).endswith("All are gone. On mines · page 7")


def test_answers_of_like_confidence_stand_side_by_side_and_a_far_surer_one_does_not() -> None:
    rival = Alternative(0.55, (dataclasses.replace(SECOND, date=datetime.date(2008, 1, 2)),))
    disagreeing = Answer("How many?", 0.6, (FIRST,), (rival,))

    assert text_of(answer_html(disagreeing, lambda _: MINES)) == (
        "How many? The documents give different answers: Over 1000 3 May 2004 · 60 % likely right Over 1000 mines were "
        "found. [1] On mines · Results · line 2 · 3 May 2004 Over 1200 2 January 2008 · 55 % likely right Over 1200 "
        "mines, says another report. [2] On mines · Results · line 3 · 2 January 2008"
    )
    several = dataclasses.replace(disagreeing, question="Which numbers are given?")
    assert "The documents give several answers:" in answer_html(several, lambda _: MINES)
    sure = dataclasses.replace(disagreeing, confidence=0.98)
    assert "Other answers in the documents" in answer_html(sure, lambda _: MINES)


def test_why_an_answer_was_given_is_shown_in_figures() -> None:
    sentence = Sentence(8, 35, "Over 1000 mines were found.")
    passage = Passage(MINES.id, 8, 35, sentence.text, (sentence,), MINES.title, ("Results",))
    answer = Answer(
        "How many?",
        0.9,
        (FIRST,),
        candidates=(Candidate(passage, 1, 0.033, 0.5, 7.25, read=2.5),),
        grounds=(
            Ground("margin", 2.5, 1.2),
            Ground("words", 0.5, 0.0),  # counts for nothing
            Ground("agreement", 0.0, 0.0),
            Ground("yes_no", 0.0, 0.0),  # was not asked
        ),
    )

    assert text_of(answer_html(answer, lambda _: MINES)).endswith(
        "Why this answer What speaks for it, in log-odds How clearly the reader marks it +1.2 Another document says so "
        "too +0.0 1 passage found Passage Meaning Words Together Reader Over 1000 mines were found. 0.50 7.2 0.033 "
        "+2.5"
    )


def test_earlier_questions_are_kept_below_the_newest() -> None:
    turns = [Turn(Answer("How many?", 0.83, (FIRST,))), Turn(Answer("Why?", reason="nothing_near"))]

    shown = text_of(conversation_html(turns, lambda _: MINES))

    assert shown.startswith("Why? Nothing in the documents")
    assert "Earlier questions How many? Over 1000 How many? Over 1000 Very likely right" in shown


def test_a_question_that_leant_on_the_one_before_says_how_it_was_read() -> None:
    answer = Answer("When was it found?", 0.83, (FIRST,), read_as="When was the mine found?", carried=("the mine",))

    assert "Read as “When was the mine found?”. From the question before: the mine . Ask it alone" in text_of(
        answer_html(answer, lambda _: MINES)
    )

    passage = Passage("mines.txt", 0, 3, MINES.text[:3], ())
    read = dataclasses.replace(answer, candidates=(Candidate(passage, 1, 0.1, 0.5, 1.0, read=2.0, carried=True),))
    shown = text_of(answer_html(read, lambda _: MINES))

    assert "From the question before: the mine and the passage cited there. Ask it alone" in shown
    assert "· cited to the question before" in shown


def test_what_is_copied_is_the_answer_with_its_places_and_a_link_that_asks_it_again() -> None:
    options = Options(documents=("a b.txt", "c.txt"), since="2004", strictness="strict", k=3)
    turn = Turn(Answer("How many?", 0.83, (FIRST,)), options)

    shown = turn_html(turn, 0, lambda _: MINES)
    copies = [html.unescape(text) for text in re.findall('data-copy="([^"]*)"', shown)]

    quoted = "“Over 1000 mines were found.” On mines. mines.txt, line 2 · Results · 2004-05-03 (SHA-256 ab12…)."
    assert copies == [
        f"Over 1000\n\n[1] {quoted}",
        f"**How many?**\n\n> Over 1000[^1]\n\nConfidence 83%.\n\n[^1]: {quoted}\n",
        quoted,
    ]
    assert turn.link == "?q=How+many%3F&documents=a+b.txt&documents=c.txt&since=2004&strictness=strict&k=3"
    assert html.escape(turn.link) in shown


def test_whatever_documents_questions_and_messages_hold_is_shown_as_text() -> None:
    hostile = document(f"Before {HOSTILE} after", id=HOSTILE, title=HOSTILE, source=HOSTILE)
    hostile = dataclasses.replace(hostile, sections=(Section(HOSTILE, 1, 0, len(hostile.text)),))
    cited = citation(1, hostile, hostile.text, HOSTILE)
    answer = Answer(HOSTILE, 0.9, (cited,), (Alternative(0.4, (cited,)),))
    leaning = dataclasses.replace(answer, read_as=HOSTILE, carried=(HOSTILE,))

    def given(_: str) -> Document:
        return hostile

    shown = [
        answer_html(answer, given),
        source_html(hostile, Place.of_citation(cited), clicked=False, opened=1),
        busy_html(HOSTILE, HOSTILE),
        conversation_html([Turn(answer), Turn(leaning)], given),
        message_html(HOSTILE),
    ]

    for fragment in shown:
        assert "<script" not in fragment and "<img" not in fragment
        assert HOSTILE in html.unescape(fragment)


# The source


def test_a_document_is_shown_whole_with_its_headings_and_the_place_marked() -> None:
    shown = source_html(MINES, Place.of_citation(SECOND), clicked=True, opened=7)

    assert shown.endswith(
        "<b>Results</b>\nOver 1000 mines were found. All are gone.\n"
        "<span class='quote' id='quote'><mark>Over 1200</mark> mines, says another report.</span></div></article>"
    )
    assert text_of(shown).startswith("On mines mines.txt · 3 May 2004 Back to the answer")


def test_a_place_comes_back_from_the_browser_as_it_went_out() -> None:
    place = Place.of_citation(FIRST)
    assert Place.from_json(dataclasses.asdict(place)) == place


@pytest.mark.parametrize(
    "data", [None, {}, [], "mines.txt", {**dataclasses.asdict(Place.of_citation(FIRST)), "end": "9"}]
)
def test_what_is_no_place_is_refused(data: object) -> None:
    with pytest.raises(QAError, match="names no place"):
        Place.from_json(data)


@pytest.mark.parametrize("change", [{"sha256": "cd34"}, {"end": 10_000}, {"start": -1}, {"answer_end": 0}])
def test_a_place_in_a_document_that_changed_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(QAError, match="has changed"):
        source_html(MINES, dataclasses.replace(Place.of_citation(FIRST), **change), clicked=True, opened=1)


# Examples


def test_examples_are_made_from_timelines_lists_abbreviations_and_beginnings() -> None:
    text = (
        "2002: Mali joins the Union.\nThe Council visits Mali.\n"
        "Key areas of work are: borders; roads.\nThe Trade Union (TU) met.\nSince 2005, Mali has sponsored a school."
    )
    lines = [(m.start(), m.end()) for m in re.finditer(".+", text)]
    events = (Block("event", *lines[0]), Block("event", *lines[1], Label("2002", 0, 4)))
    source = document(text, blocks=(*events, *(Block("paragraph", *line) for line in lines[2:])))

    assert [(e.question, text[e.start : e.end]) for e in possible_examples([source])] == [
        ("When did Mali join the Union?", "2002: Mali joins the Union."),
        ("What are the key areas of work?", "Key areas of work are: borders; roads."),
        ("What does TU stand for?", "(TU)"),
        ("Since when has Mali sponsored a school?", "Since 2005, Mali has sponsored a school."),
        ("When did the Council visit Mali?", "The Council visits Mali."),
    ]


def test_examples_are_those_of_the_documents_there_are_now(
    corpus: Path, embedder: SentenceTransformerEmbedder, tmp_path: Path
) -> None:
    folder = tmp_path / "corpus"
    shutil.copytree(corpus, folder)
    index_folder(folder, tmp_path / "index", embedder)
    pipeline = Pipeline(tmp_path / "index", embedder)
    examples = Examples(pipeline)

    wait_until(lambda: examples.now()[1])
    before, _ = examples.now()
    assert len(before) == MAX_EXAMPLES and all(pipeline.ask(question).citations for question in before)
    (folder / "nato-relations-with-tajikistan.txt").unlink()
    index_folder(folder, tmp_path / "index", embedder)
    wait_until(lambda: examples.now()[1])

    after, _ = examples.now()
    assert after and len(after) < len(before)
    assert {cited.document for question in after for cited in pipeline.ask(question).citations} == {NEWS}


# For programs


def call(address: str, endpoint: str, **arguments: object) -> Any:
    """What an endpoint of the page returns."""
    request = Request(
        f"{address}gradio_api/call/v2/{endpoint}",
        json.dumps(arguments).encode(),
        {"Content-Type": "application/json"},
    )
    with urlopen(request) as begun:
        event = json.load(begun)["event_id"]
    with urlopen(f"{address}gradio_api/call/{endpoint}/{event}") as stream:
        lines = stream.read().decode().splitlines()
    assert lines[-3] == "event: complete", lines
    return json.loads(lines[-2].removeprefix("data: "))[0]


def test_programs_ask_and_get_the_json_of_the_contract(address: str) -> None:
    given = call(address, "ask", question=JOINED)

    assert (given["schema"], given["question"], given["answer"], given["reason"]) == (1, JOINED, "2002", None)
    for cited in given["citations"]:
        text = (CORPUS / cited["document"]).read_text(encoding="utf-8")
        assert text[cited["start"] : cited["end"]] == cited["quote"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"question": "x" * 10_000}, "Ask it in fewer words"),
        ({"question": JOINED, "k": 0}, "at least one passage"),
        ({"question": JOINED, "strictness": "lax"}, "none of lenient, normal, strict"),
        ({"question": JOINED, "since": "yesterday"}, "is no date"),
        ({"question": JOINED, "documents": ["none.txt"]}, "There is no document 'none.txt' in the index"),
    ],
)
def test_programs_are_told_what_is_wrong(address: str, arguments: dict[str, object], message: str) -> None:
    given = call(address, "ask", **arguments)

    assert (given["answer"], given["reason"]) == (None, "failed")
    assert message in given["message"]


def test_programs_search_and_list_documents(address: str) -> None:
    found = call(address, "search", question="landmines", k=2)
    listed = call(address, "documents")

    assert [passage["rank"] for passage in found] == [1, 2]
    assert "landmines" in found[0]["text"]
    assert [entry["id"] for entry in listed] == sorted(path.name for path in CORPUS.iterdir())


def test_programs_ask_some_documents_only_and_questions_that_lean_on_another(address: str) -> None:
    given = call(address, "ask", question=JOINED, documents=[NEWS])
    dated = call(address, "search", question="landmines", since="2011-06", until="2011")
    leaning = call(address, "ask", question="And when was it renamed?", previous=COUNCIL)

    assert {cited["document"] for cited in given["citations"]} == {NEWS}
    assert {passage["document"] for passage in dated} == {NEWS}
    assert (leaning["answer"], leaning["question"]) == ("1997", "And when was it renamed?")
    assert leaning["read_as"] == "when was North Atlantic Cooperation Council renamed?"


def test_twenty_people_at_once_are_answered_as_one_alone(address: str) -> None:
    wanted = {JOINED: "2002", COUNCIL: "North Atlantic Cooperation Council"}
    asked = [*wanted] * 10
    with ThreadPoolExecutor(len(asked)) as people:
        given = list(people.map(lambda question: call(address, "ask", question=question), asked))

    assert [answer["answer"] for answer in given] == [wanted[question] for question in asked]
    assert len({answer["confidence"] for answer in given}) == 2


def test_an_address_that_is_taken_or_none_is_said_so(address: str) -> None:
    for host, port in [("127.0.0.1", urlsplit(address).port or 0), ("127.0.0.1", 70_000), ("no.such.host.invalid", 80)]:
        with pytest.raises(QAError, match="--port"):
            check_address(host, port)


def test_assistants_ask_over_mcp(address: str) -> None:
    async def talk() -> tuple[dict[str, Any], Any, Any]:
        async with (
            streamable_http_client(f"{address}gradio_api/mcp/") as (received, sent, _),
            ClientSession(received, sent) as session,
        ):
            await session.initialize()
            tools = {tool.name: tool for tool in (await session.list_tools()).tools}
            answer = await session.call_tool("ask", {"question": JOINED})
            silent = await session.call_tool("ask", {"question": "Who won the 1998 World Cup?", "strictness": "strict"})
            return tools, answer, silent

    tools, answer, silent = asyncio.run(talk())
    given = ast.literal_eval(answer.content[0].text)  # Gradio writes a tool's result as a Python literal

    assert sorted(tools) == ["ask", "documents", "search"]
    assert tools["ask"].description.startswith("Answer a question with the exact words of the user's documents")
    described = tools["ask"].inputSchema["properties"]
    assert {"question", "k", "strictness", "documents", "since", "until", "previous"} == set(described)
    assert "whole sentence" in described["question"]["description"]
    assert (given["answer"], given["citations"][0]["answer_end"] > 0) == ("2002", True)
    assert ast.literal_eval(silent.content[0].text)["answer"] is None


def test_programs_are_told_whether_it_can_answer(address: str) -> None:
    with urlopen(f"{address}healthz") as response:
        assert json.load(response) == {"status": "ready", "documents": 2, "passages": 33}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_others_are_let_in_only_with_a_password_or_on_demand(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QA_USER", raising=False)
    monkeypatch.delenv("QA_PASSWORD", raising=False)
    with pytest.raises(QAError, match="Set QA_USER and QA_PASSWORD, leave --host out, or say --without-password"):
        check_access(host, without_password=False)
    assert check_access(host, without_password=True) is None
    assert check_access("127.0.0.1", without_password=False) is None
    assert check_access("localhost", without_password=False) is None

    monkeypatch.setenv("QA_USER", "ada")
    with pytest.raises(QAError, match="only one is set"):
        check_access("127.0.0.1", without_password=False)
    monkeypatch.setenv("QA_PASSWORD", "difference engine")
    assert check_access(host, without_password=False) == ("ada", "difference engine")


LOCKED = """
import sys
from pathlib import Path
import gradio as gr
from gradio.events import api
from qa.page.layout import launch
from qa.pipeline import Pipeline

def ask() -> str:
    return "what the documents say"

with gr.Blocks() as blocks:
    api(ask, api_name="ask")
print(launch(blocks, Pipeline(Path(sys.argv[1])), "127.0.0.1", int(sys.argv[2]), ("ada", "engine")), flush=True)
blocks.block_thread()
"""


def test_without_the_password_nothing_is_told_but_that_it_is_ready(index_path: Path) -> None:
    command = [sys.executable, "-c", LOCKED, str(index_path), str(free_port())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CORPUS.parent) as app:
        try:
            assert app.stdout is not None
            address = next(line.strip() for line in app.stdout if line.startswith("http://"))
            with urlopen(f"{address}healthz") as response:
                assert json.load(response)["status"] == "ready"
            for path in ("config", "gradio_api/info", "gradio_api/call/ask/none"):
                with pytest.raises(HTTPError, match="401"):
                    urlopen(f"{address}{path}")
            with pytest.raises(ValueError, match="Could not login"):
                Client(address, auth=("ada", "wrong"), verbose=False)
            client = Client(address, auth=("ada", "engine"), verbose=False)
            assert client.predict(api_name="/ask") == "what the documents say"
        finally:
            app.terminate()


KEEPING = """
import sys
from pathlib import Path
from gradio_client import Client
from qa.page.layout import launch, page
from qa.page.service import Service
from qa.pipeline import Pipeline

pipeline = Pipeline(Path(sys.argv[1]))
blocks = page(Service(pipeline, Path("corpus"), Path(sys.argv[1])))
address = launch(blocks, pipeline, "127.0.0.1", int(sys.argv[2]))
client = Client(address, verbose=False)
client.predict(api_name="/documents")
print(len(client.predict("landmines", k=2, api_name="/search")), len(blocks.state_holder.session_data), flush=True)
"""


def test_of_what_programs_ask_nothing_is_kept(index_path: Path) -> None:
    command = [sys.executable, "-c", KEEPING, str(index_path), str(free_port())]
    told = subprocess.run(command, capture_output=True, text=True, cwd=CORPUS.parent)

    assert told.stdout.splitlines()[-1:] == ["2 0"], told.stderr


# For people


@pytest.mark.browser
def test_a_question_is_answered_with_citations_that_open_at_the_highlight(visit: Visit) -> None:
    answer = visit.ask(JOINED)

    assert visit.page.title() == "Chapter & Verse"
    assert answer.locator(".words").inner_text() == "2002"
    assert "2 documents agree." in answer.inner_text()
    openers = answer.locator("> .citations .open")
    assert {place(opener)["document"] for opener in openers.all()} == {path.name for path in CORPUS.iterdir()}

    for opener in openers.all():
        opener.click()
        source = visit.page.locator("#source .source:focus")
        source.and_(visit.page.locator(f"[aria-label='{title(opener)}']")).wait_for()
        wanted = place(opener)
        text = (CORPUS / wanted["document"]).read_text(encoding="utf-8")
        source.locator("mark").filter(visible=True).wait_for()
        assert source.locator("#quote").text_content() == text[wanted["start"] : wanted["end"]]
        assert source.locator("mark").text_content() == text[wanted["answer_start"] : wanted["answer_end"]] == "2002"
        assert source.locator(".text").text_content() == text
        assert source.locator("mark").evaluate(IS_IN_VIEW)


@pytest.mark.browser
def test_while_the_documents_are_read_the_page_says_so(visit: Visit) -> None:
    visit.page.evaluate(
        """() => {
          window.seen = [];
          const answer = document.querySelector("#answer");
          new MutationObserver(() => seen.push(answer.innerText)).observe(answer, {subtree: true, childList: true});
        }"""
    )
    for question in (JOINED, "Who heads the office?", "What was built in Dushanbe?"):  # a busy browser may skip some
        visit.ask(question)

    seen = visit.page.evaluate("seen.join()")
    assert "Searching the documents…" in seen or "Reading 8 passages of 2 documents…" in seen


@pytest.mark.browser
def test_where_the_documents_disagree_both_answers_are_seen(visit: Visit) -> None:
    answer = visit.ask("How many landmines were destroyed under the Trust Fund project?").inner_text()

    assert "1000" in answer and "1200" in answer


@pytest.mark.browser
def test_when_the_documents_do_not_say_the_closest_passages_open_too(visit: Visit) -> None:
    answer = visit.ask("What is the population of Dushanbe?")

    assert answer.locator(".words").inner_text() == "The documents do not say."
    opener = answer.locator(".open").first
    opener.click()
    visit.page.locator("#source .source:focus").wait_for()
    wanted = place(opener)
    text = (CORPUS / wanted["document"]).read_text(encoding="utf-8")
    assert visit.page.locator("#quote").text_content() == text[wanted["start"] : wanted["end"]]
    assert visit.page.locator("#quote").evaluate(IS_IN_VIEW)


@pytest.mark.browser
@pytest.mark.parametrize(
    ("question", "message"),
    [("  ", "There is no question to look for: type a few words."), ("why " * 3000, "Ask it in fewer words.")],
)
def test_a_question_that_cannot_be_answered_is_told_in_a_sentence(visit: Visit, question: str, message: str) -> None:
    assert message in visit.ask(question).inner_text()


@pytest.mark.browser
def test_hostile_text_in_a_question_is_shown_as_text(visit: Visit) -> None:
    assert visit.ask(HOSTILE).locator(".question").inner_text() == HOSTILE


@pytest.mark.browser
@pytest.mark.parametrize("visit", [{"path": f"?q={quote(HOSTILE)}"}], indirect=True)
def test_hostile_text_in_a_link_is_shown_as_text(visit: Visit) -> None:
    assert visit.answer().locator(".question").inner_text() == HOSTILE


@pytest.mark.browser
def test_an_example_is_asked_and_answered_and_its_link_asks_it_again(visit: Visit) -> None:
    visit.page.locator("#examples button").nth(MAX_EXAMPLES - 1).wait_for()  # nothing is under way when it reloads
    example = visit.page.locator("#examples button").first
    question = example.inner_text()
    example.click()
    words = visit.answer().locator(".words:not(.silent)").inner_text()
    visit.page.wait_for_url("**q=**")
    visit.page.locator("#source .source").wait_for()
    visit.page.wait_for_timeout(1000)  # a stream that is cut by loading the page again is told as an error

    visit.page.reload()

    assert visit.answer().locator(".question").inner_text() == question
    assert visit.page.locator(".words").inner_text() == words


@pytest.mark.browser
def test_a_question_may_lean_on_the_one_before_or_be_asked_alone(visit: Visit) -> None:
    visit.ask(COUNCIL)
    answer = visit.ask("And when was it renamed?")

    assert "Read as “when was North Atlantic Cooperation Council renamed?”" in answer.inner_text()
    assert answer.locator(".words").first.inner_text() == "1997"
    earlier = visit.page.locator(".earlier")
    assert COUNCIL in earlier.inner_text()
    visit.page.wait_for_url("**North+Atlantic+Cooperation+Council+renamed**")

    answer.locator(".alone").click()
    visit.page.locator(".earlier").nth(1).wait_for()
    assert visit.answer().locator(".carried").count() == 0


@pytest.mark.browser
def test_a_misspelt_name_is_told_and_asked_as_the_documents_spell_it(visit: Visit) -> None:
    answer = visit.ask("When did Jaap de Hoop Sheffer visit Dushanbe?")
    assert "“Sheffer” stands nowhere in the documents; “Scheffer” does." in answer.inner_text()

    answer.locator(".respelt").click()
    visit.page.locator(".earlier").wait_for()
    again = visit.answer()
    assert again.locator(".question").inner_text() == "When did Jaap de Hoop Scheffer visit Dushanbe?"
    assert again.locator(".absent").count() == 0
    assert again.locator(".words").first.inner_text() == "2004"


@pytest.mark.browser
def test_a_question_that_waits_can_be_stopped_and_stays_in_its_box(visit: Visit, address: str) -> None:
    with ThreadPoolExecutor(60) as people:  # who keep the two that are answered at a time busy for seconds
        others = [people.submit(call, address, "ask", question=COUNCIL) for _ in range(60)]
        visit.page.get_by_label("Your question").fill(JOINED)
        visit.page.keyboard.press("Enter")
        visit.page.get_by_text("Waiting for its turn…").wait_for()
        visit.page.get_by_role("button", name="Stop").click()
        visit.page.get_by_role("button", name="Ask", exact=True).wait_for()

    assert visit.page.locator("#answer .answer").count() == 0
    assert visit.page.get_by_label("Your question").input_value() == JOINED
    assert {other.result()["answer"] for other in others} == {"North Atlantic Cooperation Council"}


@pytest.mark.browser
def test_only_chosen_documents_are_asked_and_the_link_keeps_the_choice(
    visit: Visit, browser: Browser, address: str
) -> None:
    visit.page.get_by_text("Which documents, and how sure").click()
    visit.page.get_by_label("Dated from").fill("2011")
    answer = visit.ask(JOINED)

    openers = answer.locator(".citations .open")
    assert {place(opener)["document"] for opener in openers.all()} == {NEWS}
    visit.page.wait_for_url("**since=2011**")
    other = Visit(browser.new_page(), address).open(visit.page.url.removeprefix(address))
    again = other.answer()
    assert {place(opener)["document"] for opener in again.locator(".citations .open").all()} == {NEWS}
    other.close()


@pytest.mark.browser
@pytest.mark.parametrize(
    "visit", [{"path": f"?q={quote(JOINED)}&documents={NEWS}&k=3&strictness=none-of-these"}], indirect=True
)
def test_a_link_names_the_documents_that_are_asked(visit: Visit) -> None:
    answer = visit.answer()

    assert {place(opener)["document"] for opener in answer.locator(".citations .open").all()} == {NEWS}
    assert answer.locator(".why tbody").last.locator("tr").count() == 3


@pytest.mark.browser
@pytest.mark.parametrize(
    ("kind", "name", "start"),
    [
        ("Markdown", "answers.md", f"**{JOINED}**"),
        ("HTML", "answers.html", "<!doctype html>"),
        ("JSON", "answers.json", "["),
    ],
)
def test_the_conversation_is_saved_as_a_file(visit: Visit, kind: str, name: str, start: str) -> None:
    visit.ask(JOINED)
    with visit.page.expect_download() as saving:
        visit.page.get_by_role("button", name=f"Save all as {kind}").click()

    assert saving.value.suggested_filename == name
    text = saving.value.path().read_text(encoding="utf-8")
    assert text.startswith(start) and JOINED in text and "2002" in text


@pytest.mark.browser
def test_shift_enter_breaks_a_line_and_copying_copies(visit: Visit) -> None:
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    box = visit.page.get_by_label("Your question")
    box.fill("When did Tajikistan join")
    box.press("Shift+Enter")
    box.press_sequentially("the Partnership for Peace?")
    assert box.input_value() == "When did Tajikistan join\nthe Partnership for Peace?"
    box.press("Enter")
    answer = visit.answer()

    answer.get_by_role("button", name="Copy", exact=True).click()
    answer.get_by_text("Copied").wait_for()
    assert visit.page.evaluate("navigator.clipboard.readText()").startswith("2002\n\n[1] “")


@pytest.mark.browser
def test_all_is_done_by_keyboard(visit: Visit) -> None:
    visit.ask(JOINED)
    opener = visit.page.locator(".open").first
    for _ in range(5):
        visit.page.keyboard.press("Tab")
        if opener.evaluate("element => element === document.activeElement"):
            break
    visit.page.keyboard.press("Enter")
    visit.page.locator("#source .source:focus").wait_for()
    visit.page.keyboard.press("Escape")
    assert opener.evaluate("element => element === document.activeElement")


@pytest.mark.browser
@pytest.mark.parametrize("visit", [{"color_scheme": "dark"}, {"color_scheme": "light"}], indirect=True)
def test_axe_finds_no_serious_fault(visit: Visit) -> None:
    visit.page.locator("#examples button").first.wait_for()
    assert serious_faults(visit.page) == []
    visit.page.get_by_text("Which documents, and how sure").click()
    visit.ask(COUNCIL)
    visit.ask(JOINED).locator(".why summary").click()
    visit.page.locator(".earlier > summary").click()
    assert serious_faults(visit.page) == []


@pytest.mark.browser
@pytest.mark.parametrize(
    "visit",
    [
        {"viewport": {"width": 360, "height": 700}},
        {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},
    ],
    ids=["phone", "enlarged to 200 %"],
    indirect=True,
)
def test_where_there_is_little_room_nothing_runs_over_the_edge_and_a_citation_comes_into_view(visit: Visit) -> None:
    width = visit.page.evaluate("innerWidth")
    answer = visit.ask(JOINED)
    answer.locator(".open").first.click()
    visit.page.locator("#source .source:focus").wait_for()

    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    assert visit.page.locator("#source mark").evaluate(IS_IN_VIEW)
    visit.page.get_by_text("Back to the answer").click()
    assert answer.locator(".open").first.evaluate("element => element === document.activeElement")


@pytest.mark.browser
@pytest.mark.parametrize("visit", [{"color_scheme": "dark"}, {"color_scheme": "light"}], indirect=True)
def test_light_or_dark_is_the_systems_choice(visit: Visit, request: pytest.FixtureRequest) -> None:
    ink = visit.page.locator("h1 a").evaluate("element => getComputedStyle(element).color")
    paper = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    dark = request.node.callspec.params["visit"]["color_scheme"] == "dark"
    assert (brightness(ink) > brightness(paper)) == dark


def serious_faults(page: BrowserPage) -> list[str]:
    """What axe-core finds wrong with the page as it is now, from "serious" on."""
    found = Axe().run(page).response["violations"]
    return [
        f"{fault['id']}: {node['html'][:200]}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


def place(opener: Locator) -> dict[str, Any]:
    """The place that a citation's button opens."""
    found: dict[str, Any] = json.loads(opener.get_attribute("data-place") or "")
    return found


def title(opener: Locator) -> str:
    return opener.locator("cite").inner_text()


def brightness(colour: str) -> float:
    """The sum of the channels of a CSS colour such as "rgb(28, 25, 23)"."""
    return sum(float(channel) for channel in re.findall(r"[\d.]+", colour)[:3])
