"""What a document means by a term, where it says so: 'A "covered work" means …', 'a person (the "Affirmer")'.

Contracts, licences, laws and policies define their terms in set forms. A reader often takes the definition of another
term, or another sentence with the term, for what is asked.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence

from qa.datatypes import Candidate, Document, Passage, Reading, Sentence, Span
from qa.lists import MAX_LIST_CHARACTERS, list_from
from qa.question import asks_for_definition
from qa.text import BULLET

DEFINED = 10.0
"""The score, above that of "not in this passage", of a sentence that begins as a definition of the term does: that of
what an abbreviation's letters prove."""

SEVERAL = 11.0
"""The same of one that begins with the plural that the question has: "The Foundation Documents are …" says which they
are, where "A Foundation Document is …" says what makes one."""

NAMED = 5.0
"""The same of a sentence that defines the term on its way, or gives it to what it names: "… (the “Company”)"."""

TERM_WORDS = range(1, 8)
"""What is longer is a description, and no term that a document defines."""

_MARKS = "\"“”„«»‘’'*_`"
_BETWEEN_WORDS = r"[\s\"“”]+"
_TERM = (
    r"what (?:does|do|did) .+? mean by (?P<term>.+)",
    r"what (?:does|do|did) (?P<term>.+?) (?:mean|refer to|designate|denote)(?: (?:in|under|for) .+)?",
    r"what (?:is|was|are|were) (?:meant by|the (?:meaning|definition) of) (?P<term>.+)",
    r"how (?:is|are|was|were) (?P<term>.+?) (?:defined|understood)(?: .+)?",
    r"how (?:does|do|did) (?!(?:i|you|we|one|someone|people)\b).+? define (?P<term>.+)",
    r"(?:please )?define (?P<term>.+)",
    r"(?:what|who)(?: is| was| are| were|[’']s) (?P<term>.+)",
)
_BEFORE_TERM = re.compile(r"^(?:(?:the|an?) )?(?:(?:term|word|expression|phrase|notion|concept)s? )?(?:to )?", re.I)
_QUOTED = re.compile(r"[\"“„«](?P<term>[^\"“”„«»]+)[\"”»]")

_SAYS = (
    r"(?:(?:shall |will |is to |should )?mean(?:s|t)?|(?:shall |will )?refers? (?:\w+ly )?to|denotes?|designates?"
    r"|signif(?:y|ies)|(?:shall |will )?(?:have|has) the (?:same )?meaning"
    r"|(?:is|are|shall be) (?:hereby )?(?:defined|understood)|(?:is|are) taken to mean)\b"
)
_IS = (
    r"(?:is\s+(?:an?|any|the|either|all|each|every|whatever|one|those|such|that)|are(?!\s+(?:not|\w+ed)\b)"
    r"|(?:shall |will )?includes?|consists? of|comprises?)\b"
)
_IS_A = r"(?:is|are|was|were)\s+(?:an?|any|one of)\b"
_AFTER_TERM = (
    r"(?:\s*\([^()]{0,60}\))?"
    r"(?:\s+(?:of|for|in|to|under|as|with|within|on|by|an?|the|that|which|when|where|\w+ed)\b[^.;:]{0,80}?)?"
    r",?\s+"
)
_AS_INTRODUCED = (
    r"\((?:[^()]{0,40}\s)?"
    r"(?:the|an?|each|collectively|together|hereinafter|hereafter|herein|referred to as|called)?,?\s*"
)


def asked_term(question: str) -> str | None:
    """The term whose meaning a plain question asks for; None of every other question.

    >>> asked_term('What does the licence mean by "Larger Work"?'), asked_term("How is a user product defined?")
    ('Larger Work', 'user product')
    >>> asked_term("When did it mean that?") is None
    True
    """
    asked = question.rstrip(" .!?…")
    for pattern in _TERM:
        if found := re.fullmatch(pattern, asked, re.IGNORECASE):
            quoted = _QUOTED.search(found["term"])
            term = _BEFORE_TERM.sub("", (quoted or found)["term"].strip(_MARKS + " ,")).strip(_MARKS + " ,")
            return term if len(term.split()) in TERM_WORDS and any(map(str.isalpha, term)) else None
    return None


def defined_in(term: str, passage: Passage, plainly: bool = False) -> Iterator[tuple[Sentence, float]]:
    """The sentences of a passage that define a term, each with its score above that of "not in this passage".

    A heading that is the term counts as the beginning of its first sentence. `plainly` is whether "A mine is a …" is
    a definition, too, though nothing tells that the term has a meaning of its own here.
    """
    written = _written(term)
    marks, article = f"[{re.escape(_MARKS)}]", r"(?:(?:an?|the|to|each|every|any)\s+)?"
    quoted = rf"(?:(?:the\s+)?(?:term|word|expression|phrase)s?\s+)?{marks}+{written}{marks}+"
    loose = rf"{marks}*{written}{marks}*"
    lead = rf"[\W\d_]*(?:\(?\w{{1,3}}[.)]\s+)?{article}"
    plain = rf"|{loose}(?:\s*\([^()]{{0,60}}\))?,?\s+{_IS_A}" if plainly else ""
    opens = re.compile(rf"{lead}(?:{loose}{_AFTER_TERM}{_SAYS}|{quoted}{_AFTER_TERM}{_IS}{plain})", re.IGNORECASE)
    on_its_way = re.compile(
        rf"[,;:]\s+{article}(?:{loose}{_AFTER_TERM}{_SAYS}|{quoted}{_AFTER_TERM}{_IS})"
        rf"|{_AS_INTRODUCED}{marks}+{written}{marks}+[^()]{{0,60}}\)",
        re.IGNORECASE,
    )
    as_asked = _BETWEEN_WORDS.join(map(re.escape, term.split()))
    several = re.compile(rf"{lead}{as_asked}\s+(?:are|were)\s+(?!not\b|\w+ed\b)", re.IGNORECASE)
    goes_on = re.compile(rf"\W*(?:{_SAYS}|{_IS_A}|(?:is|are)\s+(?:the|all|either|each|every)\b)", re.IGNORECASE)
    headed = bool(passage.headings) and re.fullmatch(rf"[\W\d_]*{loose}\W*", passage.headings[-1], re.IGNORECASE)
    for i, sentence in enumerate(passage.sentences):
        if plainly and several.match(sentence.text):
            yield sentence, SEVERAL
        elif opens.match(sentence.text) or (i == 0 and headed and goes_on.match(sentence.text)):
            yield sentence, DEFINED
        elif on_its_way.search(sentence.text):
            yield sentence, NAMED


def with_definitions(
    reading: Reading, question: str, candidates: Sequence[Candidate], documents: Callable[[str], Document]
) -> Reading:
    """The sentences that define the term asked for, with a list that completes them, and what else the reader found.

    The reading as it is of a question that asks for none.

    No other sentence comes before one that begins as a definition does, however clearly the reader marks it, and none
    beside one that tells that the term has a meaning of its own: it may well be the definition of another term.
    """
    term, plainly = asked_term(question), asks_for_definition(question)
    if term is None:
        return reading
    best = max((span.score - reading.null for span in reading.spans), default=0.0)
    defining = [
        _with_its_list(
            Span(
                candidate,
                sentence.start,
                sentence.end,
                sentence.text,
                reading.null + (score if score == NAMED else max(score, best + score - DEFINED)),
            ),
            documents(candidate.passage.document),
        )
        for candidate in candidates
        for sentence, score in defined_in(term, candidate.passage, plainly)
    ]
    has_own_meaning = any(score == DEFINED for c in candidates for _, score in defined_in(term, c.passage))
    return Reading(() if has_own_meaning else reading.spans, reading.null).with_spans(defining)


def _written(term: str) -> str:
    """A pattern for a term, in the singular or plural, on one line or several."""
    *words, last = term.split()
    singular = re.sub(r"(?<=\w\w)(?:ies|y|es|s)$", "", last)
    ending = "" if singular == last and not last[-1].isalpha() else r"(?:y|ies|e?s)?"
    return _BETWEEN_WORDS.join([*map(re.escape, words), re.escape(singular)]) + rf"{ending}(?!\w)"


def _with_its_list(span: Span, document: Document) -> Span:
    """A sentence that ends in a colon with the list behind it."""
    if not span.text.rstrip().endswith(":"):
        return span
    text = document.text
    after = next((i for i in range(span.end, len(text)) if not text[i].isspace()), len(text))
    bullet = BULLET.match(text, after)
    items = list_from(document, span.end, (bullet.end() if bullet else after) + 1)
    if not items or items[-1].end - span.start > MAX_LIST_CHARACTERS:
        return span
    return dataclasses.replace(span, end=items[-1].end, text=text[span.start : items[-1].end])
