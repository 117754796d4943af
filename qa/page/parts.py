"""Answers and passages as the HTML of the page; everything that is not written here is escaped."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from html import escape
from urllib.parse import urlencode

from qa.answering import DEFAULT_K, THRESHOLDS, Strictness
from qa.datatypes import Alternative, Answer, Candidate, Citation, Document
from qa.export import answer_copy, answer_markdown, citation_copy
from qa.page.source import Place, day
from qa.question import asks_for_list, asks_for_steps, plain_question
from qa.render import MAX_CLOSEST, REASONS, absent_text, citation_html, excerpt, excerpt_text, words_html
from qa.retrieval import BM25_WEIGHT
from qa.text import BULLET

LONG_ANSWER = 60
"""Characters beyond which an answer is a sentence, set smaller than a name or a year."""

MAX_READ_CHARACTERS = 70
"""Of a passage in the table of those read, beside its scores."""

MAX_OTHER_CHARACTERS = 240
"""Of another answer until it is unfolded: a long sentence; lists are longer."""

MAX_SHORT_CHARACTERS = 80
"""Of an answer that is folded."""

RIVAL = THRESHOLDS["normal"]
"""An answer as sure as this would have been given if it stood alone."""

RIVAL_ODDS = 4
"""The best answer's odds may be this many times a rival's for the two to disagree: beyond it one is the answer."""

WORDS_FOR_CONFIDENCE = (
    (0.95, "Almost certainly right"),
    (0.8, "Very likely right"),
    (0.65, "Likely right"),
    (0.5, "More likely right than wrong"),
    (0.0, "Doubtful"),
)
"""From each confidence on."""

CARRIED = " <small>· cited to the question before</small>"
"""What stands beside a passage that was carried over."""

GROUNDS = {
    "margin": "How clearly the reader marks it",
    "gap": "Its lead over the next different answer",
    "dense": "How near its passage is in meaning",
    "words": "The question’s words around it",
    "names": "The question’s names and numbers around it",
    "agreement": "Another document says so too",
    "kind": "It is of the kind asked for",
    "yes_no": "Yes or no is asked, which is marked less clearly",
    "whole_list": "What to do is asked, and it is a list",
    "instructs": "It tells someone to do something",
    "lead": "How much nearer in meaning it is than other sections",
}
"""The features of the calibration in plain words."""

UNASKED = ("yes_no", "whole_list", "instructs", "lead")
"""Those that are 0 where something else is asked."""


@dataclass(frozen=True)
class Options:
    """How a question is asked: of which documents (all where none are named), how sure, with how many passages."""

    documents: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    strictness: Strictness = "normal"
    k: int = DEFAULT_K

    def link(self, question: str) -> str:
        """The query of an address that asks a question in this way again; what is as usual is left out."""
        usual = asdict(Options())
        given = {name: value for name, value in asdict(self).items() if value != usual[name]}
        return "?" + urlencode({"q": question, **given}, doseq=True)


@dataclass(frozen=True)
class Turn:
    """A question that was asked, with its answer. `judged` says what a person thought of it, empty when nothing."""

    answer: Answer
    options: Options = Options()
    judged: str = ""

    @property
    def question(self) -> str:
        """The question as it stands alone, also where it leant on the one before."""
        return self.answer.read_as or self.answer.question

    @property
    def link(self) -> str:
        """The query that asks it again."""
        return self.options.link(self.question)


# The answer


def conversation_html(turns: Sequence[Turn], document: Callable[[str], Document]) -> str:
    """The newest answer, and those before it folded, newest first."""
    if not turns:
        return ""
    *before, newest = enumerate(turns)
    earlier = "".join(
        f"<details class='earlier'><summary><span>{escape(turn.answer.question)}</span> "
        f"<b>{escape(clipped(turn.answer.text or 'no answer', MAX_SHORT_CHARACTERS))}</b></summary>"
        f"{turn_html(turn, number, document)}</details>"
        for number, turn in reversed(before)
    )
    heading = f"<h3>Earlier questions</h3>{earlier}" if earlier else ""
    return turn_html(newest[1], newest[0], document) + (heading and f"<div class='before'>{heading}</div>")


def clipped(text: str, characters: int) -> str:
    """A text, or its beginning up to the end of a word.

    >>> clipped("over 1000 mines", 12)
    'over 1000 …'
    """
    return text if len(text) <= characters else text[:characters].rsplit(" ", 1)[0] + " …"


def turn_html(turn: Turn, number: int, document: Callable[[str], Document]) -> str:
    """An answer with what can be done with it."""
    return answer_html(turn.answer, document, number, _actions_html(turn))


def answer_html(answer: Answer, document: Callable[[str], Document], number: int = 0, actions: str = "") -> str:
    """An answer with its citations and the other answers, or why there is none and the closest passages."""
    body = _cited_html(answer) if answer.citations else _silent_html(answer, document)
    return (
        f"<section class='answer' aria-label='Answer' data-turn='{number}'>{_question_html(answer.question)}"
        f"{_carried_html(answer)}{_absent_html(answer)}{body}{_why_html(answer, document)}{actions}</section>"
    )


def message_html(message: str) -> str:
    """A sentence on what went wrong."""
    return f"<p class='message' role='alert'>{escape(message)}</p>"


def busy_html(question: str, doing: str) -> str:
    """What stands in the answer's place until it is there: what is being done."""
    return f"<section class='answer busy' role='status'>{_question_html(question)}<p>{escape(doing)}</p></section>"


def _question_html(question: str) -> str:
    return f"<p class='question'>{escape(question)}</p>" if question else ""


def _carried_html(answer: Answer) -> str:
    """How a question that leant on the one before was read, and a way to ask it alone."""
    if answer.read_as is None:
        return ""
    carried = ", ".join(f"<b>{escape(part)}</b>" for part in answer.carried)
    passages = sum(candidate.carried for candidate in answer.candidates)
    cited = f" and the {'passage' if passages == 1 else f'{passages} passages'} cited there" if passages else ""
    return (
        f"<p class='carried'>Read as “{escape(answer.read_as)}”. From the question before: {carried}{cited}. "
        "<button type='button' class='alone'>Ask it alone</button></p>"
    )


def _absent_html(answer: Answer) -> str:
    """What the documents have no word of, and a way to ask it as it is spelt there."""
    again = "" if answer.respelt is None else " <button type='button' class='respelt'>Ask it so</button>"
    return f"<p class='absent'>{escape(absent_text(answer))}{again}</p>" if answer.absent else ""


def _actions_html(turn: Turn) -> str:
    """Copying and judging; what is copied is written out here, so that it is the same everywhere."""
    answer = turn.answer
    copies = {"Copy": answer_copy(answer), "Copy as Markdown": answer_markdown(answer)}
    if answer.citations:
        copies["Copy citation"] = citation_copy(answer.citations[0])
    buttons = "".join(
        f"<button type='button' class='copy' data-copy=\"{escape(text)}\">{name}</button>"
        for name, text in copies.items()
    )
    buttons += f"<button type='button' class='copy' data-link=\"{escape(turn.link)}\">Copy link</button>"
    return f"<div class='actions'>{buttons}{_judging_html(turn)}</div>"


def _judging_html(turn: Turn) -> str:
    if turn.answer.reason in ("empty_question", "failed"):
        return ""
    choices = "".join(
        f"<button type='button' class='judge' data-verdict='{verdict}' title='{title}' "
        f"aria-pressed='{'true' if turn.judged == verdict else 'false'}'>{sign} {word}</button>"
        for verdict, sign, word, title in (
            ("right", "✓", "Right", "Keep this as an example of a right answer, in a file on this machine"),
            ("wrong", "✗", "Wrong", "Keep this as an example of a wrong answer, in a file on this machine"),
        )
    )
    return f"<span class='judging' role='group' aria-label='Is this right?'>{choices}</span>"


def _cited_html(answer: Answer) -> str:
    rivals = [other for other in answer.alternatives if _is_rival(other, answer)]
    others = [other for other in answer.alternatives if other not in rivals]
    documents = answer.independent_documents
    agreement = f"<p class='agreement'>{documents} documents agree.</p>" if documents > 1 else ""
    words = _words_html(answer.citations[0])
    shown = f"{words}{_confidence_html(answer.confidence)}{agreement}{_citations_html(answer.citations)}"
    return f"{_sides_html(answer, rivals) if rivals else shown}{_alternatives_html(others)}"


def _is_rival(other: Alternative, answer: Answer) -> bool:
    """Whether another answer is sure enough, alone and beside the best one, to contradict it; no procedure does."""
    best, rival = answer.confidence, other.confidence
    is_sure = rival >= RIVAL and best * (1 - rival) <= RIVAL_ODDS * rival * (1 - best)
    return is_sure and not asks_for_steps(plain_question(answer.question))


def _words_html(citation: Citation) -> str:
    """The answer that a citation gives: its words, or the items of a list."""
    if citation.items:
        items = "".join(f"<li>{escape(line)}</li>" for line in citation.lines)
        has_bullets = any(BULLET.match(line) for line in citation.lines)
        return f"<ul class='words list{' bulleted' if has_bullets else ''}'>{items}</ul>"
    return f"<p class='words{' long' if len(citation.answer) > LONG_ANSWER else ''}'>{words_html(citation)}</p>"


def _sides_html(answer: Answer, rivals: Sequence[Alternative]) -> str:
    """Different answers side by side, each with its dates and citations."""
    sides = [(answer.confidence, answer.citations), *((rival.confidence, rival.citations) for rival in rivals)]
    parts = "".join(
        f"<div class='side'>{_words_html(citations[0])}<p class='confidence'>{_dates(citations)}"
        f"{_hundredths(confidence)}&#8239;% likely right</p>{_citations_html(citations)}</div>"
        for confidence, citations in sides
    )
    several = "several" if asks_for_list(plain_question(answer.question)) else "different"
    return f"<p class='disagreement'>The documents give {several} answers:</p><div class='sides'>{parts}</div>"


def _dates(citations: Sequence[Citation]) -> str:
    """The dates of the documents that are cited, each once; none where none is dated."""
    dates = sorted({citation.date for citation in citations if citation.date is not None})
    return "".join(f"{day(date)} · " for date in dates)


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
    items = "".join(f"<li>{_quote_html(citation)}{_citation_opener_html(citation)}</li>" for citation in citations)
    return f"<ol class='citations' aria-label='Citations'>{items}</ol>"


def _quote_html(citation: Citation) -> str:
    """A citation's quote; none for a whole list, which would only stand there once more."""
    is_whole = citation.items and citation.quote == citation.answer
    return "" if is_whole and citation.number == 1 else f"<blockquote>{citation_html(citation)}</blockquote>"


def _citation_opener_html(citation: Citation) -> str:
    """The button that opens a citation in its document; the first is open as soon as the answer is there."""
    at = line_or_page(citation.line, citation.page)
    where = where_html(citation.title, (*citation.headings, at, day(citation.date)))
    place = Place.of_citation(citation)
    return opener_html(place, f"<b>[{citation.number}]</b> {where}", is_open=citation.number == 1)


def line_or_page(line: int, page: int | None) -> str:
    """Where a reader looks: on the page in a document that has any, else at the line."""
    return f"line {line}" if page is None else f"page {page}"


def where_html(title: str, details: Sequence[str]) -> str:
    """A document's title, and what tells the place in it; what is empty is left out."""
    return f"<cite>{escape(title)}</cite>" + "".join(f" · {escape(detail)}" for detail in details if detail)


def opener_html(place: Place, content: str, is_open: bool = False) -> str:
    """A button that opens a place; `content` is HTML."""
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
        f"<details><summary><span>{escape(clipped(other.text, MAX_OTHER_CHARACTERS))}</span> "
        f"<small>{escape(_sources(other))} · "
        f"{_hundredths(other.confidence)}&#8239;%</small></summary>{_citations_html(other.citations)}</details>"
        for other in alternatives
    )
    return f"<div class='alternatives'><h3>Other answers in the documents</h3>{items}</div>"


def _sources(alternative: Alternative) -> str:
    """Who gives another answer, and when: "[2][3] Relations with Mali, 3 May 2004"; of a list under which heading."""
    numbers = "".join(f"[{citation.number}]" for citation in alternative.citations)
    documents = [
        ", ".join(filter(None, (c.title, day(c.date), *(c.headings[-1:] if c.items else ()))))
        for c in alternative.citations
    ]
    return f"{numbers} {'; '.join(dict.fromkeys(documents))}"


def _why_html(answer: Answer, document: Callable[[str], Document]) -> str:
    """What the confidence was computed from, and the passages found with their scores."""
    if not answer.candidates or answer.reason == "nothing_near":
        return ""
    # What counts for nothing whatever it is, and what was not asked, would only be read in vain.
    told = [g for g in answer.grounds if g.effect or not (g.value or g.name in UNASKED)]
    most = max((abs(ground.effect) for ground in told), default=0.0) or 1.0
    grounds = "".join(
        f"<tr><th scope='row'>{escape(GROUNDS.get(g.name, g.name))}</th><td>{_bar_html(abs(g.effect) / most)}"
        f"{'+' if g.effect >= 0 else '−'}{abs(g.effect):.1f}</td></tr>"
        for g in told
    )
    lexical = max(candidate.lexical for candidate in answer.candidates) or 1.0
    fused = max(candidate.score for candidate in answer.candidates) or 1.0
    passages = "".join(
        f"<tr><th scope='row'>{_passage_button_html(c, document)}</th><td>{_bar_html(c.dense)}{c.dense:.2f}</td>"
        f"<td>{_bar_html(c.lexical / lexical)}{c.lexical:.1f}</td><td>{_bar_html(c.score / fused)}{c.score:.3f}</td>"
        f"<td>{'–' if c.read is None else f'{_bar_html(1 / (1 + math.exp(-c.read)))}{c.read:+.1f}'}</td></tr>"
        for c in answer.candidates
    )
    return (
        "<details class='why'><summary>Why this answer</summary>"
        f"<table><caption>What speaks for it, in log-odds</caption><tbody>{grounds}</tbody></table>"
        "<div class='scroll' tabindex='0' role='region' aria-label='Passages found'><table>"
        f"<caption>{_found(answer.candidates)}</caption><thead><tr><th scope='col'>Passage</th>"
        "<th scope='col' title='Cosine between question and passage'>Meaning</th>"
        "<th scope='col' title='BM25 score of the words they share'>Words</th>"
        f"<th scope='col' title='Cosine plus {BM25_WEIGHT} times the BM25 score, or that of the last passage found by "
        "words where more share them'>Together</th>"
        "<th scope='col' title='Log-odds of its best span against “not in this passage”'>Reader</th></tr></thead>"
        f"<tbody>{passages}</tbody></table></div></details>"
    )


def _found(candidates: Sequence[Candidate]) -> str:
    """How many passages were found, and whether some were too far from the question to be read."""
    read = sum(candidate.read is not None for candidate in candidates)
    found = f"{len(candidates)} passage{'' if len(candidates) == 1 else 's'} found"
    return found if read == len(candidates) else f"{found}, {read} of them near enough to be read"


def _bar_html(share: float) -> str:
    return f"<span class='bar' style='--share: {min(max(share, 0), 1):.3f}'></span>"


def _passage_button_html(candidate: Candidate, document: Callable[[str], Document]) -> str:
    passage = candidate.passage
    source = document(passage.document)
    place = Place(source.id, source.sha256, passage.start, passage.end, passage.start, passage.start)
    carried = CARRIED if candidate.carried else ""
    return opener_html(place, escape(clipped(passage.text, MAX_READ_CHARACTERS))) + carried


def _silent_html(answer: Answer, document: Callable[[str], Document]) -> str:
    assert answer.reason is not None  # it is not cited
    why = ""
    if answer.reason == "not_in_documents" and answer.confidence > 0:
        chance = f"a chance of {_hundredths(answer.confidence)}&#8239;% to be right"
        why = f"<p class='confidence'>The likeliest answer found has {chance}: too little.</p>"
    passages = "".join(_passage_html(candidate, document) for candidate in answer.closest[:MAX_CLOSEST])
    closest = f"<h3>The closest passages</h3><ol class='citations'>{passages}</ol>" if passages else ""
    return f"<p class='words silent'>{escape(REASONS[answer.reason])}</p>{why}{closest}"


def _passage_html(candidate: Candidate, document: Callable[[str], Document]) -> str:
    passage = candidate.passage
    source = document(passage.document)
    place = Place(source.id, source.sha256, passage.start, passage.end, passage.start, passage.start)
    label = "" if passage.label is None else passage.label.text.rstrip(":")
    start, _ = excerpt(candidate)
    at = line_or_page(source.line_at(start), source.page_at(start))
    where = where_html(source.title, (*passage.headings, label, at))
    return f"<li><blockquote>{escape(excerpt_text(candidate))}</blockquote>{opener_html(place, where)}</li>"
