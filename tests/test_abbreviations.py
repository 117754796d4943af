"""What an abbreviation stands for, where a document spells it out; silence where none does."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.abbreviations import Asked, asked_abbreviation, named_beside, spelled_out, with_spelled_out
from qa.datatypes import Reading, Span
from qa.embedding import SentenceTransformerEmbedder
from qa.indexing import index_folder
from qa.pipeline import Pipeline
from tests.helpers import write_corpus
from tests.reading import candidates, document


@pytest.mark.parametrize(
    ("question", "short"),
    [
        ("What does PfP stand for?", "PfP"),
        ("what does pfp stand for in the report", "pfp"),
        ("What do the letters UNODC stand for?", "UNODC"),
        ('What does the abbreviation "SPS" mean?', "SPS"),
        ("NMU stands for what?", "NMU"),
        ("What is NMU short for?", "NMU"),
        ("What is NMU an abbreviation of?", "NMU"),
        ("What is the full name of the UNODC?", "UNODC"),
        ("What is meant by EAPC?", "EAPC"),
        ("Spell out IPCP.", "IPCP"),
        ("EAPC meaning", "EAPC"),
        ("meaning of EAPC", "EAPC"),
        ("EAPC full form?", "EAPC"),
        ("What does U.N. stand for?", "U.N."),
        ("What does R&D stand for?", "R&D"),
    ],
)
def test_questions_that_want_an_abbreviation_spelled_out(question: str, short: str) -> None:
    asked = asked_abbreviation(question)
    assert asked is not None
    assert asked.short == short


@pytest.mark.parametrize(
    "question",
    [
        "What does peace mean?",
        "What does the NATO flag stand for?",
        "What is the full name of Minister Zarifi?",
        "When did NATO meet?",
        "What is NATO?",
        "Treaty meaning",
        "",
    ],
)
def test_questions_that_do_not(question: str) -> None:
    assert asked_abbreviation(question) is None


@pytest.mark.parametrize("question", ["What does UN mean?", "What does the minister stand for?"])
def test_where_it_may_be_meant_otherwise_other_answers_are_left(question: str) -> None:
    asked = asked_abbreviation(question)
    assert asked is not None
    assert not asked.only_words


@pytest.mark.parametrize(
    ("short", "text", "words"),
    [
        ("PRI", "a program to assist refugees' integration (PRI)", "program to assist refugees' integration"),
        ("TV", "the viewers' television (TV)", "television"),
        ("VDB", "der Verein für deutsche Brücken (Society for German Bridges) (VDB)", "Verein für deutsche Brücken"),
        ("UNODC", "the United Nations Office on Drugs and Crime (UNODC),", "United Nations Office on Drugs and Crime"),
        ("PARP", "in the PfP Planning and Review Process (PARP)", "Planning and Review Process"),
        ("NMU", "Non-Maintainer\nUploads (NMUs) are", "Non-Maintainer\nUploads"),
        ("SSL", "a Secure Sockets Layer (SSL) of", "Secure Sockets Layer"),
        ("un", "the United Nations (hereinafter the “UN”), which", "United Nations"),
        ("U.S.", "of the United States (U.S.) in", "United States"),
        ("TV", "by television (TV) or", "television"),
        ("HTML", "in hypertext markup language (HTML; see below)", "hypertext markup language"),
        ("GUI", "has a GUI (graphical user interface) since", "graphical user interface"),
        ("EU", "ADB | Asian Development Bank\nEU | European Union\nILO | x", "European Union"),
        ("EU", "| ADB: Asian Development Bank\n| EU: European Union.", "European Union"),
    ],
)  # fmt: skip
def test_words_beside_their_abbreviation(short: str, text: str, words: str) -> None:
    assert [text[start:end] for start, end in spelled_out(Asked(short, True), text)] == [words]


@pytest.mark.parametrize(
    ("short", "text"),
    [
        ("XML", "in XML (see the list of extensions)"),
        ("RT", "by the President of the country (RT) in"),
        ("NATO", "the NATO school (NATO) in"),
        ("EU", "EU | 27 | members"),
        ("PfP", "the Partnership for Peace"),
        ("PfP", "(PfP)"),
        ("P", "the Partnership (P) in"),
    ],
)
def test_what_the_letters_do_not_prove(short: str, text: str) -> None:
    assert spelled_out(Asked(short, True), text) == []


@pytest.mark.parametrize(
    ("short", "text", "words"),
    [
        ("SPI", "of Software in the Public Interest, Inc. SPI was founded", ["Software in the Public Interest"]),
        ("PfP", "PfP: The Partnership for Peace", ["Partnership for Peace"]),
        ("SPI", "of Software in the Public Interest, Inc.", []),  # who says that it has initials?
        ("SPI", "SPI. Software in public. Is it?", []),
        ("UN", "UN. United Nations", []),
        ("SPI", "SPI SPI SPI", []),
    ],
)
def test_names_with_its_initials_where_it_is_used_too(short: str, text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in named_beside(Asked(short, True), text)] == words


words = st.text("abcXYZ é", min_size=1, max_size=40)


@given(st.text("abcXY.&", min_size=1, max_size=5), words, words)
def test_places_lie_in_the_text_and_begin_with_the_first_letter(short: str, before: str, after: str) -> None:
    asked = Asked(short, True)
    text = f"{before} ({short}) {after}\n{short}: {after} ({before})"
    for start, end in (*spelled_out(asked, text), *named_beside(asked, text)):
        assert 0 <= start < end <= len(text)
        assert text[start].casefold() == asked.letters[0].casefold()
        assert start == 0 or not text[start - 1].isalnum()
        assert len(text[start:end]) > len(short)


NOTE = """The Ministry met the United Nations Office on Drugs and Crime (UNODC) in Vienna.

Funds for training come from the UNODC. The UNODC runs a project on border control with the UNODC office in the region.
"""
REPORT = "The UNODC has an office there. What the UNODC does is paid for by members.\n\n" * 30


@pytest.fixture(scope="module")
def asking(embedder: SentenceTransformerEmbedder, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    folder = tmp_path_factory.mktemp("abbreviations")
    reports = {f"report-{i}.txt": f"{i}. {REPORT}" for i in range(12)}
    corpus = write_corpus(folder / "corpus", {"note.txt": NOTE, **reports})
    index_folder(corpus, folder / "index", embedder)
    return Pipeline(folder / "index", embedder)


def test_the_passage_that_spells_it_out_is_found_among_many_that_use_it(asking: Pipeline) -> None:
    answer = asking.ask("What does UNODC stand for?")

    assert answer.text == "United Nations Office on Drugs and Crime"
    assert [citation.document for citation in answer.citations] == ["note.txt"]
    assert answer.alternatives == ()
    assert answer.confidence > 0.9


@pytest.mark.parametrize(
    ("question", "kept"),
    [
        ("What does FTP stand for?", ["file transfer protocol"]),
        ("What does FTP mean?", ["quick download", "FTP", "file transfer protocol"]),
    ],
)
def test_words_that_its_letters_cannot_stand_for_are_no_answer(question: str, kept: list[str]) -> None:
    text = "A quick download is done by FTP, in full: file transfer protocol."
    [only] = candidates(document("a.txt", text))
    found = [(text.index(words), words) for words in ("quick download", "FTP", "file transfer protocol")]
    spans = tuple(Span(only, start, start + len(words), words, 1.0) for start, words in found)
    asked = asked_abbreviation(question)
    assert asked is not None
    reading = with_spelled_out(Reading(spans, 0.0), asked, [only])
    assert [span.text for span in reading.spans] == kept


def test_documents_that_differ_stand_side_by_side(embedder: SentenceTransformerEmbedder, tmp_path: Path) -> None:
    files = {
        "a.txt": "The Midnight Commander (MC) shows two folders. Midnight Commander (MC) is old.",
        "b.txt": "The memory card (MC) was full.",
    }
    index_folder(write_corpus(tmp_path / "corpus", files), tmp_path / "index", embedder)
    answer = Pipeline(tmp_path / "index", embedder).ask("What does MC stand for?")

    assert answer.text == "Midnight Commander"
    assert [other.text for other in answer.alternatives] == ["memory card"]
