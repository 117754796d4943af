"""What a document means by a term, where it says so in the forms of contracts, licences and policies."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.datatypes import Reading, Span
from qa.definitions import DEFINED, NAMED, asked_term, defined_in, with_definitions
from qa.embedding import SentenceTransformerEmbedder
from qa.indexing import index_folder
from qa.pipeline import Pipeline
from tests.helpers import write_corpus
from tests.reading import candidates, document


@pytest.mark.parametrize(
    ("question", "term"),
    [
        ("What does “Larger Work” mean?", "Larger Work"),
        ('What does the licence mean by "Larger Work"?', "Larger Work"),
        ("What does 'convey' mean under this agreement?", "convey"),
        ("What is meant by the term “Title Page”?", "Title Page"),
        ("What is a user product?", "user product"),
        ("What is the definition of user product?", "user product"),
        ("Who is the Affirmer?", "Affirmer"),
        ("How is a user product defined in the contract?", "user product"),
        ("How does the act define source code?", "source code"),
        ("Define aggregate.", "aggregate"),
        ("What’s an aggregate?", "aggregate"),
        ("What does to propagate mean?", "propagate"),
    ],
)
def test_questions_that_ask_for_the_meaning_of_a_term(question: str, term: str) -> None:
    assert asked_term(question) == term


@pytest.mark.parametrize(
    "question",
    [
        "When did it mean that?",
        "How do I define a style?",
        "What is 12?",
        "What is the first thing that the man who came to the house did there?",
        "",
    ],
)
def test_questions_that_do_not(question: str) -> None:
    assert asked_term(question) is None


@pytest.mark.parametrize(
    ("term", "text", "score"),
    [
        ("covered work", "A “covered work” means either the Program or a work based on it.", DEFINED),
        ("Covered Works", "A “covered work” means either the Program or a work based on it.", DEFINED),
        ("Legal Entity", '"Legal Entity" shall mean the union of all entities.', DEFINED),
        ("source code", "2.1 The “source code” for a work means its preferred form.", DEFINED),
        ("convey", "To “convey” a work means to let others have it.", DEFINED),
        ("Object form", "“Object” form shall mean what is made by translation.", DEFINED),
        ("content", '"Content" shall refer collectively to all pictures.', DEFINED),
        ("group", "A “group” (or “team”) formed by members means three of them.", DEFINED),
        ("user\nproduct", "A “user  product” is either a toy or a tool.", DEFINED),
        ("party", "“Parties” are the buyer and the seller.", DEFINED),
        ("force majeure", "Force majeure means what nobody can prevent.", DEFINED),
        ("Company", "Oslo Mines AS (the “Company”) sells ore.", NAMED),
        ("Affirmer", "The person who signs (hereinafter “Affirmer”) gives up all rights.", NAMED),
        ("Title Page", "For works without one, “Title Page” means the text near its title.", NAMED),
    ],
)
def test_forms_of_definition(term: str, text: str, score: float) -> None:
    [only] = candidates(document("a.txt", text))
    assert [(sentence.text, found) for sentence, found in defined_in(term, only.passage)] == [(text, score)]


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("covered software", "A “covered work” means either the Program or a work based on it."),
        ("user product", "“Installation Information” for a User Product means all that is needed."),
        ("group", "A “group site” means a place where groups meet."),
        ("capital", "The capital of Mali is Bamako."),  # no quotes: as any sentence has it
        ("Company", "The Company (Oslo Mines AS) sells ore."),
        ("Titanic", "The “Titanic” was sunk by ice."),
        ("Titanic", "The “Titanic” is known to all."),
        ("peace", "In times of peace means are scarce and “peaceful” is not what it was."),
    ],
)
def test_what_only_looks_like_one(term: str, text: str) -> None:
    [only] = candidates(document("a.txt", text))
    assert list(defined_in(term, only.passage)) == []


def test_what_something_is_defines_it_where_nothing_else_is_asked_for() -> None:
    text = "We use a “virtual” package system. A virtual package is a name for several. The leader is a member of it."
    [only] = candidates(document("a.txt", text))
    for term, sentence in (("virtual package", 1), ("leader", 2)):
        assert list(defined_in(term, only.passage)) == []
        assert list(defined_in(term, only.passage, plainly=True)) == [(only.passage.sentences[sentence], DEFINED)]

    source = document("a.txt", text)
    for question, first in (("What is a virtual package?", "A virtual package"), ("Who is the leader?", "We use")):
        marked = only.passage.sentences[0]
        reading = Reading((Span(only, marked.start, marked.end, marked.text, 9.0),), null=0.0)
        found = with_definitions(reading, question, [only], {"a.txt": source}.__getitem__)
        assert found.spans[0].text.startswith(first)


def test_what_several_things_are_comes_before_what_one_of_them_is() -> None:
    text = "A Founding Paper is a text that all must know. The Founding Papers are the Charter and the\nRules."
    source = document("a.txt", text)
    reading = Reading((), null=0.0)

    def first(question: str) -> str:
        return with_definitions(reading, question, candidates(source), {"a.txt": source}.__getitem__).spans[0].text

    assert first("What are the Founding Papers?") == "The Founding Papers are the Charter and the\nRules."
    assert first("What is a Founding Paper?") == "A Founding Paper is a text that all must know."


@given(st.text("ab c.*([“", min_size=1, max_size=12), st.text("ab c.:“”()", max_size=40))
def test_any_term_may_be_looked_for_in_any_text(term: str, text: str) -> None:
    for only in candidates(document("a.txt", f"“{term}” means {text}.")):
        assert {score for _, score in defined_in(term, only.passage)} <= {DEFINED, NAMED} if term.split() else True


def test_a_definition_stands_in_the_place_of_what_the_reader_marks_more_clearly() -> None:
    text = "A “secondary section” means a part at the end. A “secondary licence” means one that may be chosen."
    source = document("a.txt", text)
    [only] = candidates(source)
    other = "A “secondary section” means a part at the end."
    reading = Reading((Span(only, 0, len(other), other, 14.0),), null=1.0)

    found = with_definitions(reading, "What is a secondary licence?", [only], {"a.txt": source}.__getitem__)
    assert [span.text for span in found.spans] == [text[len(other) + 1 :]]
    assert found.spans[0].score == 14.0

    found = with_definitions(reading, "What is a third licence?", [only], {"a.txt": source}.__getitem__)
    assert found == reading


LICENCE = """# Sea Licence

## 1. Definitions

### 1.1. “Larger Work”

means a work that combines Covered Software with other material.

### 1.2. “Covered Software”

means any of the following:

- the source code of the program;
- what is made of it.

## 2. Use

A “covered vessel” means a ship of more than 300 tons. Covered Software may be used on a covered vessel.
"""
MORE = "Covered Software is used in port {i}. The harbour master keeps the Covered Software there.\n\n"


@pytest.fixture(scope="module")
def asking(embedder: SentenceTransformerEmbedder, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    folder = tmp_path_factory.mktemp("definitions")
    reports = {f"port-{i}.txt": MORE.format(i=i) * 3 for i in range(12)}
    corpus = write_corpus(folder / "corpus", {"licence.md": LICENCE, **reports})
    index_folder(corpus, folder / "index", embedder)
    return Pipeline(folder / "index", embedder)


@pytest.mark.parametrize(
    "question", ["What does “Covered Software” mean?", "What is covered software?", "How is covered software defined?"]
)
def test_a_definition_is_found_among_many_uses_with_the_list_that_completes_it(asking: Pipeline, question: str) -> None:
    answer = asking.ask(question)

    assert answer.text is not None
    assert answer.text.startswith("means any of the following:")
    assert answer.text.endswith("what is made of it.")
    assert answer.citations[0].headings[-1] == "1.2. “Covered Software”"


def test_documents_that_define_it_differently_stand_side_by_side(
    embedder: SentenceTransformerEmbedder, tmp_path: Path
) -> None:
    files = {"a.txt": "“Vessel” means a ship of any size.", "b.txt": "“Vessel” means a boat with oars."}
    index_folder(write_corpus(tmp_path / "corpus", files), tmp_path / "index", embedder)
    answer = Pipeline(tmp_path / "index", embedder).ask("What is a vessel?")

    texts = [answer.text, *(other.text for other in answer.alternatives)]
    assert sorted(map(str, texts)) == sorted(files.values())
