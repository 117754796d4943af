"""Answers and passages as the HTML of the page; everything that is not written here is escaped."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from html import escape

from qa.datatypes import Alternative, Answer, Candidate, Citation, Document
from qa.page.source import Place, day
from qa.render import REASONS, citation_html

LONG_ANSWER = 60
"""Characters beyond which an answer is a sentence, set smaller than a name or a year."""

MAX_CLOSEST = 3
"""Passages shown when the documents do not say: enough to see that they were searched."""

MAX_PASSAGE_CHARACTERS = 320
"""Of a closest passage; the whole of it is a click away."""

WORDS_FOR_CONFIDENCE = (
    (0.95, "Almost certainly right"),
    (0.8, "Very likely right"),
    (0.65, "Likely right"),
    (0.5, "More likely right than wrong"),
    (0.0, "Doubtful"),
)
"""From each confidence on."""


# The answer


def answer_html(answer: Answer, document: Callable[[str], Document]) -> str:
    """An answer with its citations and the other answers, or why there is none and the closest passages."""
    body = _cited_html(answer) if answer.citations else _silent_html(answer, document)
    return f"<section class='answer' aria-label='Answer'>{_question_html(answer.question)}{body}</section>"


def message_html(message: str) -> str:
    """A sentence on what went wrong."""
    return f"<p class='message' role='alert'>{escape(message)}</p>"


def busy_html(question: str) -> str:
    """What stands in the answer's place while the documents are read."""
    return f"<section class='answer busy'>{_question_html(question)}<p>Reading the documents…</p></section>"


def _question_html(question: str) -> str:
    return f"<p class='question'>{escape(question)}</p>" if question else ""


def _cited_html(answer: Answer) -> str:
    assert answer.text is not None  # it is cited
    length = " long" if len(answer.text) > LONG_ANSWER else ""
    documents = answer.independent_documents
    agreement = f"<p class='agreement'>{documents} documents agree.</p>" if documents > 1 else ""
    return (
        f"<p class='words{length}'>{escape(answer.text)}</p>{_confidence_html(answer.confidence)}{agreement}"
        f"{_citations_html(answer.citations)}{_alternatives_html(answer.alternatives)}"
    )


def _confidence_html(confidence: float) -> str:
    """In words and as a number, and what the number means."""
    hundredths = _hundredths(confidence)
    return (
        f"<p class='confidence'><strong>{_in_words(confidence)}</strong> · {hundredths}&#8239;% "
        f"<span>Of a hundred answers with this number, about {hundredths} are right.</span></p>"
    )


def _hundredths(confidence: float) -> int:
    """A confidence as a whole percentage; never 0 or 100, for nothing here is certain.

    >>> _hundredths(0.834), _hundredths(0.999)
    (83, 99)
    """
    return min(max(round(100 * confidence), 1), 99)


def _in_words(confidence: float) -> str:
    """
    >>> _in_words(0.83)
    'Very likely right'
    """
    return next(words for least, words in WORDS_FOR_CONFIDENCE if confidence >= least)


def _citations_html(citations: Sequence[Citation]) -> str:
    items = "".join(
        f"<li><blockquote>{citation_html(citation)}</blockquote>{_opener_html(citation)}</li>" for citation in citations
    )
    return f"<ol class='citations' aria-label='Citations'>{items}</ol>"


def _opener_html(citation: Citation) -> str:
    """The button that opens a citation in its document; the first is open as soon as the answer is there."""
    at = f"line {citation.line}" if citation.page is None else f"page {citation.page}"
    where = _where_html(citation.title, (*citation.headings, at, day(citation.date)))
    place = Place.of_citation(citation)
    return _button_html(place, f"<b>[{citation.number}]</b> {where}", is_open=citation.number == 1)


def _where_html(title: str, details: Sequence[str]) -> str:
    return f"<cite>{escape(title)}</cite>" + "".join(f" · {escape(detail)}" for detail in details if detail)


def _button_html(place: Place, content: str, is_open: bool = False) -> str:
    current = " aria-current='true'" if is_open else ""
    data = escape(json.dumps(asdict(place)), quote=True)
    return (
        f"<button type='button' class='open' title='Open the document at this place'{current} "
        f'data-place="{data}">{content}</button>'
    )


def _alternatives_html(alternatives: Sequence[Alternative]) -> str:
    if not alternatives:
        return ""
    items = "".join(
        f"<details><summary><span>{escape(other.text)}</span> <small>{escape(_sources(other))} · "
        f"{_hundredths(other.confidence)}&#8239;%</small></summary>{_citations_html(other.citations)}</details>"
        for other in alternatives
    )
    return f"<div class='alternatives'><h3>Other answers in the documents</h3>{items}</div>"


def _sources(alternative: Alternative) -> str:
    """Who gives another answer, and when: "[2][3] Relations with Mali, 3 May 2004"."""
    numbers = "".join(f"[{citation.number}]" for citation in alternative.citations)
    documents = [", ".join(filter(None, (c.title, day(c.date)))) for c in alternative.citations]
    return f"{numbers} {'; '.join(dict.fromkeys(documents))}"


def _silent_html(answer: Answer, document: Callable[[str], Document]) -> str:
    assert answer.reason is not None  # it is not cited
    why = ""
    if answer.reason == "not_in_documents" and answer.confidence > 0:
        chance = f"a chance of {_hundredths(answer.confidence)}&#8239;% to be right"
        why = f"<p class='confidence'>The likeliest answer found has {chance}: too little.</p>"
    passages = "".join(_passage_html(candidate, document) for candidate in answer.candidates[:MAX_CLOSEST])
    closest = f"<h3>The closest passages</h3><ol class='citations'>{passages}</ol>" if passages else ""
    return f"<p class='words silent'>{escape(REASONS[answer.reason])}</p>{why}{closest}"


def _passage_html(candidate: Candidate, document: Callable[[str], Document]) -> str:
    passage = candidate.passage
    source = document(passage.document)
    place = Place(source.id, source.sha256, passage.start, passage.end, passage.start, passage.start)
    text = passage.text
    if len(text) > MAX_PASSAGE_CHARACTERS:
        text = text[:MAX_PASSAGE_CHARACTERS].rsplit(" ", 1)[0] + " …"
    label = "" if passage.label is None else passage.label.text.rstrip(":")
    where = _where_html(source.title, (*passage.headings, label, f"line {source.line_at(passage.start)}"))
    return f"<li><blockquote>{escape(text)}</blockquote>{_button_html(place, where)}</li>"
