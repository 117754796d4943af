"""From spans to answers: grouping, agreement, disagreement, citing, silence. The reader is made by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from qa.answering import MAX_CITATIONS, THRESHOLDS, Answerer, cite, group_spans
from qa.calibration import Calibrator, Features
from qa.datatypes import Absent, Answer, Candidate, Document, Passage, Reading, Span
from qa.errors import IndexDamaged, QuestionError
from tests.reading import candidate, candidates, document

MARGIN_ALONE = Calibrator(0.0, {field.name: float(field.name == "margin") for field in dataclasses.fields(Features)})
"""Confidence 0.5 at the null's score, 0.73 one above it, 0.98 four above it."""

PAGE = document("page.txt", "The fund destroyed over 1000 mines.\n\nIn all, over 1200 mines were destroyed by 2004.")
NEWS = document("news.txt", "Officials said that over 1000 mines are gone. Nobody was hurt.")


class Finding:
    """A reader that finds given words, each with its score, wherever they stand."""

    name = "finding"

    def __init__(self, **scores: float) -> None:
        self.scores = {words.replace("_", " "): score for words, score in scores.items()}

    def read(self, question: str, found: Sequence[Candidate]) -> Reading:
        spans = [
            Span(c, c.passage.start + at, c.passage.start + at + len(words), words, score)
            for c in found
            for words, score in self.scores.items()
            if (at := c.passage.text.find(words)) >= 0
        ]
        return Reading(tuple(sorted(spans, key=lambda span: -span.score)), null=0.0)


class Giving:
    """A retriever that gives the same candidates for every question."""

    def __init__(self, found: Sequence[Candidate]) -> None:
        self.found = list(found)

    def retrieve(
        self, question: str, k: int, documents: frozenset[str] | None = None, carried: Sequence[Passage] = ()
    ) -> list[Candidate]:
        return self.found[:k]


def ask(reader: Finding, *documents: Document, question: str = "How many mines?", **options: object) -> Answer:
    return answerer(reader, candidates(*documents), *documents, **options).ask(question)


def answerer(reader: Finding, found: Sequence[Candidate], *documents: Document, **options: object) -> Answerer:
    by_id = {each.id: each for each in documents}
    return Answerer(Giving(found), reader, MARGIN_ALONE, by_id.__getitem__, **options)  # type: ignore[arg-type]


def test_an_answer_is_quoted_with_its_sentence_and_place():
    answer = ask(Finding(over_1200=4.0), PAGE)
    [citation] = answer.citations
    assert answer.text == "over 1200"
    assert citation.quote == "In all, over 1200 mines were destroyed by 2004."
    assert PAGE.text[citation.start : citation.end] == citation.quote
    assert PAGE.text[citation.answer_start : citation.answer_end] == "over 1200"
    assert (citation.number, citation.document, citation.line) == (1, "page.txt", 3)
    assert answer.confidence == pytest.approx(0.982, abs=0.001)


def test_equal_answers_are_one_answer_with_a_citation_for_each_place():
    answer = ask(Finding(over_1000=4.0), PAGE, NEWS)
    assert [c.document for c in answer.citations] == ["page.txt", "news.txt"]
    assert answer.independent_documents == 2
    assert answer.alternatives == ()


def test_names_and_numbers_that_the_documents_lack_are_told_whatever_is_answered():
    question = "How many mines were found in Mali in 2004, asks Mr Zarifi?"
    absence = {"Mali": Absent("Mali"), "Zarifi": Absent("Zarifi", "Sharifi")}.get
    absent = (Absent("Mali"), Absent("Zarifi", "Sharifi"))

    assert ask(Finding(over_1200=4.0), PAGE, question=question, absence=absence).absent == absent
    assert ask(Finding(), PAGE, question=question, absence=absence).absent == absent
    assert ask(Finding(over_1200=4.0), PAGE, question=question).absent == ()


def test_different_answers_are_shown_as_alternatives_with_their_citations():
    answer = ask(Finding(over_1000=4.0, over_1200=3.0), PAGE, NEWS)
    assert answer.text == "over 1000"
    [other] = answer.alternatives
    assert (other.text, other.citations[0].number, other.citations[0].document) == ("over 1200", 3, "page.txt")
    assert other.confidence == pytest.approx(0.953, abs=0.001)


def test_near_duplicates_are_each_cited_and_count_once():
    originals = {"page.txt": "page.txt", "news.txt": "page.txt"}
    answer = ask(Finding(over_1000=4.0), PAGE, NEWS, original=originals.__getitem__)

    assert [c.document for c in answer.citations] == ["page.txt", "news.txt"]
    assert answer.independent_documents == 1


def test_a_place_below_the_null_is_not_cited_as_agreeing():
    [page, news] = candidates(PAGE, NEWS)
    reading = Reading(
        (Span(page, 19, 28, "over 1000", 4.0), Span(news, 20, 29, "over 1000", -1.0)),
        null=0.0,
    )

    class Fixed(Finding):
        def read(self, question: str, found: Sequence[Candidate]) -> Reading:
            return reading

    answer = answerer(Fixed(), [page, news], PAGE, NEWS).ask("How many mines?")
    assert [c.document for c in answer.citations] == ["page.txt"]
    assert answer.independent_documents == 1


def test_copies_of_a_passage_are_cited_but_count_once():
    copy = document("copy.txt", NEWS.text)
    [original], [copied] = candidates(NEWS), candidates(copy)
    found = candidate(original.passage, copies=(copied.passage,))
    answer = answerer(Finding(over_1000=4.0), [found], NEWS, copy).ask("How many mines?")
    assert [c.document for c in answer.citations] == ["news.txt", "copy.txt"]
    assert answer.independent_documents == 1


def test_an_unsure_answer_is_withheld_with_the_closest_passages():
    answer = ask(Finding(over_1200=-1.0), PAGE)
    assert (answer.text, answer.reason, answer.citations) == (None, "not_in_documents", ())
    assert answer.confidence == pytest.approx(0.269, abs=0.001)
    assert answer.withheld[0].answer == "over 1200"
    [closest] = answer.closest
    assert closest.marked is not None and PAGE.text[slice(*closest.marked)] == "over 1200"


def test_the_closest_passages_are_those_that_the_reader_finds_likeliest():
    [near, also] = candidates(PAGE, NEWS)
    answer = answerer(Finding(over_1200=-3.0, Nobody=-2.0), [near, also], PAGE, NEWS).ask("How many mines?")
    assert [c.passage.document for c in answer.candidates] == ["page.txt", "news.txt"]
    assert [c.passage.document for c in answer.closest] == ["news.txt", "page.txt"]


@pytest.mark.parametrize(("strictness", "given"), [("lenient", True), ("normal", True), ("strict", False)])
def test_strictness_is_the_least_confidence_of_an_answer(strictness: str, given: bool):
    answer = ask(Finding(over_1200=0.5), PAGE, strictness=strictness)
    assert answer.confidence == pytest.approx(0.622, abs=0.001)
    assert (answer.text is not None) is given
    assert THRESHOLDS["lenient"] < THRESHOLDS["normal"] < THRESHOLDS["strict"]


def test_a_reader_that_finds_nothing_leaves_the_answer_silent():
    answer = ask(Finding(), PAGE)
    assert (answer.reason, answer.confidence, answer.withheld) == ("not_in_documents", 0.0, ())


@pytest.mark.parametrize("question", ["", "   \n\t", "🤷‍♀️🎉", "?!…", "\x00\x07"])
def test_a_question_without_a_word_is_told_apart(question: str):
    answer = ask(Finding(over_1200=4.0), PAGE, question=question)
    assert (answer.reason, answer.candidates) == ("empty_question", ())


def test_far_passages_are_told_apart_from_silent_ones():
    far = [dataclasses.replace(c, dense=0.05, lexical=0.0) for c in candidates(PAGE)]
    answer = answerer(Finding(over_1200=4.0), far, PAGE).ask("Who won the cup?")
    assert (answer.reason, len(answer.candidates)) == ("nothing_near", 1)


def test_a_passage_far_behind_in_both_searches_is_not_read_but_still_found():
    near, far = candidates(PAGE, NEWS)
    behind = {"cosine": (0.45, 3.0), "words": (0.6, 0.3), "both": (0.45, 0.3)}  # the near one: 0.6 and 3.0
    read = {
        name: [c.read for c in answerer(Finding(mines=4.0), [near, placed], PAGE, NEWS).ask("Mines?").candidates]
        for name, (dense, lexical) in behind.items()
        for placed in [dataclasses.replace(far, dense=dense, lexical=lexical)]
    }
    assert read == {"cosine": [4.0, 4.0], "words": [4.0, 4.0], "both": [4.0, None]}


def test_a_question_of_pages_is_refused_in_a_sentence():
    with pytest.raises(QuestionError, match=r"10,000 characters; at most 2,000 are read\. Ask it in fewer words"):
        ask(Finding(), PAGE, question="x" * 10_000)


def test_a_document_that_no_longer_reads_so_is_never_quoted():
    changed = dataclasses.replace(PAGE, text=PAGE.text.replace("1200", "9999"))
    with pytest.raises(IndexDamaged, match="does not read 'over 1200'"):
        answerer(Finding(over_1200=4.0), candidates(PAGE), changed).ask("How many mines?")


def test_an_undated_line_is_quoted_with_its_year():
    text = "History\n\n2003: The school opens.\nThe president visits.\n2005: It closes."
    timeline = document("t.txt", text)
    undated = candidates(timeline)[1]
    year = Span(undated, 9, 13, "2003", 4.0, support=(undated.passage.start, undated.passage.end))
    citation = cite(year, undated.passage, timeline, 1)
    assert (citation.answer, citation.quote) == ("2003", "2003: The school opens.\nThe president visits.")
    who = Span(undated, undated.passage.start, undated.passage.start + 13, "The president", 4.0)
    assert cite(who, undated.passage, timeline, 1).quote == "2003: The school opens.\nThe president visits."


def test_overlapping_spans_are_one_answer_read_twice():
    [first] = candidates(PAGE)
    spans = [Span(first, 19, 28, "over 1000", 3.0), Span(first, 24, 34, "1000 mines", 2.0)]
    assert group_spans(spans) == [(spans[0],)]


def test_an_answer_in_many_places_cites_the_best_of_them():
    many = [document(f"{i}.txt", f"Report {i} says that over 1000 mines are gone.") for i in range(10)]
    answer = ask(Finding(over_1000=4.0), *many, k=10)
    assert [c.number for c in answer.citations] == list(range(1, MAX_CITATIONS + 1))
    assert answer.independent_documents == 10


def test_no_passage_to_read_is_no_choice():
    with pytest.raises(ValueError, match="at least one passage"):
        answerer(Finding(), [], PAGE, k=0)
