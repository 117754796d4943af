"""Questions that lean on the one before: "And when was it renamed?", "What about 2008?", "Why?".

Nothing is made up to complete them: names, numbers and the answer's own words are carried over from the question before
and its answer, the passages that it cites are read again, and what was carried is said. Where several readings are
possible each is asked, and the one with the surest answer is kept.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from qa.datatypes import Answer, Passage
from qa.question import clean_question

Ask = Callable[[str, tuple[Passage, ...]], Answer]
"""Answers a question that stands alone, from the passages that it finds and from those carried over."""

MAX_READINGS = 3
"""Each one costs as much as a question of its own."""

MAX_ANSWER_WORDS = 8
"""A longer answer is a statement, for which no pronoun stands."""

MAX_PASSAGES = 3
"""Cited passages read again, the best: an answer that many places give is cited from many."""

_WORD = r"[A-ZÀ-ÖØ-Þ0-9][\w’'.-]*"
_LINK = "of |for |de |van |von |and the |of the "
_NAME = re.compile(
    rf"the {_WORD}(?: {_WORD})* (?:of|for) (?:the )?{_WORD}(?: (?:and |{_LINK})?{_WORD})*"  # the Office for A and B
    rf"|(?:the )?{_WORD}(?: (?:{_LINK})?{_WORD})*"
)
_THING = re.compile(
    r"\bthe (?:[\w’'-]+ ){0,4}?[\w’'-]+(?= (?:is|was|are|were|has|have|had|be|been|in|on|at|by|to)\b|\?|$)"
)
_YEAR = re.compile(r"\b(?:1\d|20)\d\d\b")
_OPENING = re.compile(r"(?:(?:and|but|so|then|ok|okay|also)\b[, ]*)+", re.IGNORECASE)
_ABOUT = re.compile(r"(?:what|how) about (?P<rest>.+?)\??", re.IGNORECASE)
_ALONE = re.compile(r"(?P<word>when|where|why|how|who|since when|in which year|how many|how much)\W*", re.IGNORECASE)
_ASKED = re.compile(
    r"(?:(?:in|on|at|since|by|to|from|of|for) )?(?:when|where|why|whom?|whose|how(?: many| much)?|what|which)\b",
    re.IGNORECASE,
)
_VERB = re.compile(r"\b(?:is|was|are|were|did|do|does|has|have|had|can|could|will|would|should|must|be|been)\b", re.I)
_FRAGMENT = re.compile(r"(?:(?:in|on|at|by|to|from|of|for|with) )?(?:the )?[\w’'.-]+(?: [\w’'.-]+){0,5}\??")

_PERSON = re.compile(r"\b(?P<whose>his|her(?= [a-z]))\b|\b(?:he|him|she|her)\b", re.IGNORECASE)
_OTHER = re.compile(
    r"\b(?P<whose>its|their)\b|\b(?:it|they|them)\b|\b(?:this|that|these|those)\b(?=\W*$| (?:is|was))", re.I
)
_PLACE = re.compile(r"\bthere\b(?! (?:is|was|are|were))", re.IGNORECASE)
_NO_NAMES = frozenset(
    "a an the and but so then what which who whom whose when where why how did do does is was are were has have had "
    "can could will would in on at since by to from of for it he she they his her their its i".split()
)


@dataclass(frozen=True)
class Wording:
    """A question as it is read, and what of it was carried over from before."""

    question: str
    carried: tuple[str, ...] = ()


def ask_after(ask: Ask, question: str, before: Answer | None) -> Answer:
    """The answer to a question that may lean on the one answered before."""
    question = clean_question(question)
    if before is None:
        return ask(question, ())
    leaning = tuple(_leaning(question, before))
    found = []
    if not leaning:
        alone = ask(question, ())
        if alone.citations or _names(question):
            return alone
        found = [alone]
        leaning = tuple(_with_names(question, before))
    cited = cited_passages(before)
    for wording in leaning[:MAX_READINGS]:
        answer = ask(wording.question, cited)
        found.append(dataclasses.replace(answer, question=question, read_as=wording.question, carried=wording.carried))
    best = max(found, key=lambda answer: (bool(answer.citations), answer.confidence))
    return dataclasses.replace(best, seconds=sum(answer.seconds for answer in found))


def cited_passages(answer: Answer) -> tuple[Passage, ...]:
    """The passages from which an answer is cited, best first, at most `MAX_PASSAGES`; none of a silent one."""
    read = [candidate.passage for candidate in answer.candidates]
    # A quote may begin at a label outside its passage, but it ends inside.
    cited = [
        next((p for p in read if p.document == citation.document and p.start < citation.end <= p.end), None)
        for citation in answer.citations
    ]
    return tuple(dict.fromkeys(passage for passage in cited if passage is not None))[:MAX_PASSAGES]


def _leaning(question: str, before: Answer) -> Iterator[Wording]:
    """The ways to read a question that cannot stand alone, likeliest first; none for one that can.

    >>> before = Answer("When did Mali join the Union?", reason="not_in_documents")
    >>> [w.question for w in _leaning("And when did it leave?", before)]
    ['when did Mali leave?', 'when did the Union leave?']
    >>> [w.question for w in _leaning("What about Chad?", before)]
    ['When did Chad join the Union?', 'When did Mali join Chad?']
    >>> [w.question for w in _leaning("Why?", before)]
    ['Why did Mali join the Union?']
    >>> [w.question for w in _leaning("Who leads the Council?", before)]
    []
    """
    bare = question[match.end() :] if (match := _OPENING.match(question)) else question
    asked_before = before.read_as or before.question
    if match := _ALONE.fullmatch(bare):
        yield from _asked_otherwise(match["word"], asked_before)
    elif match := _ABOUT.fullmatch(bare):
        yield from _changed(match["rest"], asked_before)
    elif bare != question and _FRAGMENT.fullmatch(bare) and not _VERB.search(bare) and not _ASKED.match(bare):
        yield from _changed(bare.rstrip("?"), asked_before)
    else:
        yield from _with_antecedents(bare, before)


def _asked_otherwise(word: str, before: str) -> Iterator[Wording]:
    """The question before with another question word."""
    asked = _ASKED.match(before)
    if asked is not None:
        verb = _VERB.search(before)
        rest = before[asked.end() if verb is None else verb.start() :].strip()
        yield Wording(f"{word[0].upper()}{word[1:]} {rest}", (rest.rstrip("?"),))


def _changed(rest: str, before: str) -> Iterator[Wording]:
    """The question before with a part of it changed for one of the same kind: a year for a year, a name for a name."""
    rest = re.sub(r"^(?:in|on|at|by|to|from|of|for|with) ", "", rest.strip())
    pattern = _YEAR if _YEAR.fullmatch(rest) else None
    places = [m.span() for m in pattern.finditer(before)] if pattern else [place for place, _ in _places(before)]
    for start, end in places:
        if before[start:end] != rest:
            kept = f"{before[:start].strip()} … {before[end:].strip(' ?')}".strip(" …")
            yield Wording(before[:start] + rest + before[end:], (kept,))


def _with_antecedents(question: str, before: Answer) -> Iterator[Wording]:
    """A question with its pronoun replaced by what it may stand for."""
    for pattern, persons in ((_PERSON, True), (_OTHER, False), (_PLACE, False)):
        pronoun = pattern.search(question)
        if pronoun is None or any(end <= pronoun.start() for (_, end), _ in _places(question)):
            continue
        whose = bool(pronoun.groupdict().get("whose"))
        for name in _antecedents(before, persons):
            put = f"{'in ' if pattern is _PLACE else ''}{name}{'’s' if whose else ''}"
            yield Wording(question[: pronoun.start()] + put + question[pronoun.end() :], (name,))
        return


def _antecedents(before: Answer, persons: bool) -> list[str]:
    """What a pronoun may stand for: the answer before, then the names and things of the question before.

    A year or a number is nothing that "it" stands for; a person has a name of two words.
    """
    asked = before.read_as or before.question
    found = [before.text] if before.text is not None and len(before.text.split()) <= MAX_ANSWER_WORDS else []
    found += [*before.carried, *_names(asked), *_THING.findall(asked)]
    fitting = [n for n in found if re.search(r"[^\W\d]{2}", n) and (not persons or _is_person(n))]
    return list(dict.fromkeys(fitting)) or (_antecedents(before, persons=False) if persons else [])


def _is_person(name: str) -> bool:
    words = name.split()
    return len(words) > 1 and words[0] != "the" and all(word[0].isupper() for word in words)


def _with_names(question: str, before: Answer) -> Iterator[Wording]:
    """A question without a name of its own, with those of the question before in brackets behind it."""
    names = tuple(_names(before.read_as or before.question))
    if names:
        yield Wording(f"{question.rstrip('?')} ({', '.join(names)})?", names)


def _names(question: str) -> list[str]:
    """
    >>> _names("When did Mali join the Partnership for Peace in 2002?")
    ['Mali', 'the Partnership for Peace']
    >>> _names("Who founded the Office for Peace and Security in Mali and Chad?")
    ['the Office for Peace and Security', 'Mali', 'Chad']
    >>> _names("Who is in the Office of the President of the Gambia?")
    ['the Office of the President of the Gambia']
    """
    return [name for _, name in _places(question)]


def _places(question: str) -> list[tuple[tuple[int, int], str]]:
    """The names in a question with their places; its first word only where it goes on, and no bare numbers."""
    found = []
    for match in _NAME.finditer(question):
        start, name = match.start(), match[0]
        while name and name.split()[0].lower() in _NO_NAMES and not name.startswith("the "):
            first = name.split()[0]
            start += len(first) + 1
            name = name[len(first) + 1 :]
        bare = name.removeprefix("the ").rstrip("?.'’")
        if bare and re.search(r"[^\W\d]", bare) and bare.lower() not in _NO_NAMES:
            name = name.rstrip("?.")
            found.append(((start, start + len(name)), name))
    return found
