"""Questions asked in other words: as a search, as an order, as people write to one another.

The datasets hold questions as examiners put them. People type "date Mali joined the Union", "Name the person who …",
"I need to find out when …"; a reader that saw none of these marks the same place with much less confidence.

`rewordings.jsonl` holds four wordings each of 700 training questions, and of 120 on held-out articles for measuring:
as a search, as an order or a phrase, as people write to one another, as another plain question. They were written by a
language model that saw the questions alone. Other questions are reworded by rule, crudely.
"""

import json
import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from qa.question import plain_question
from training.data import Dataset, Question

WRITTEN = Path(__file__).with_name("rewordings.jsonl")

MOST_BY_RULE = 4_000
"""With the 2,800 that are written, two of five questions on the articles' paragraphs are in other words."""

_ASKED = re.compile(
    r"(?P<before>(?:in|on|at|for|from|to|with|by|of|during) )?"
    r"(?P<word>how (?:many|much|long|old|far|often)|what|which|whom?|whose|when|where|why|how)\b(?P<rest>.*)",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"(?:did|do|does|is|are|was|were|has|have|had|can|could|will|would|may|might|must|should)\b", re.IGNORECASE
)
_DO = re.compile(r"\b(?:did|do|does) ")
_DROPPED = frozenset("did do does is are was were has have had the a an that it its there be been".split())
_NOUNS = {
    "when": ("date", "year", "when", "time"),
    "who": ("person", "name", "who", ""),
    "whom": ("person", ""),
    "whose": ("person whose", "whose"),
    "where": ("place", "location", "where", ""),
    "why": ("reason", "why", "cause"),
    "how": ("way", "how", "method"),
    "how many": ("number of", "how many", "count of"),
    "how much": ("amount of", "how much"),
    "how long": ("duration", "length", "how long"),
    "how old": ("age", "how old"),
    "how far": ("distance", "how far"),
    "how often": ("frequency", "how often"),
}
_ORDERS = ("Name", "Give", "State", "Say", "Find", "Tell me", "Identify", "Write down", "Look up", "Mention")
_SAYINGS = ("Find out", "State", "Say", "Explain", "Check", "Tell me", "Look up", "Determine", "Establish")
_OPENINGS = (
    "I need to find out",
    "My boss wants to know",
    "I'm trying to work out",
    "I can't remember",
    "I'm writing a report and need to know",
    "For my notes I want to know",
    "Could somebody remind me",
    "We were discussing this and nobody knew",
    "It must be in here somewhere:",
    "Quick question:",
    "One more thing:",
    "I'd like to check",
    "I keep forgetting",
    "Not sure if this is covered, but",
    "A colleague asked me",
    "I've been wondering",
)
_CLOSINGS = (
    ", please",
    ", any idea",
    ", does it say",
    ", do the documents say",
    " exactly",
    ", if it is mentioned",
    ", thanks",
)


def as_search(question: str, rng: random.Random) -> str:
    """
    >>> as_search("How many towns did the army take in 1402?", random.Random(1))
    'number of towns army take in 1402'
    """
    match = _ASKED.match(question.rstrip(" ?.!"))
    noun, rest = "", question.rstrip(" ?.!")
    if match is not None:
        noun, rest = rng.choice(_NOUNS.get(match["word"].lower(), ("",))), match["rest"]
    words = [word for word in rest.split() if word.lower() not in _DROPPED]
    found = " ".join([*noun.split(), *words])
    return found.lower() if rng.random() < 0.5 else found


def as_order(question: str, rng: random.Random) -> str:
    """
    >>> as_order("Who took the town?", random.Random(3)), as_order("What river runs there?", random.Random(1))
    ('Say the person who took the town', 'State the river that runs there')
    """
    bare = question.rstrip(" ?.!")
    match = _ASKED.match(bare)
    if match is None:
        return f"{rng.choice(_SAYINGS)}: {bare}"
    word, rest, order = match["word"].lower(), match["rest"].strip(), rng.choice(_ORDERS)
    if match["before"] is None and word in ("how many", "how much"):
        return f"{order} the {'number' if word == 'how many' else 'amount'} of {_DO.sub('', rest, count=1)}"
    if match["before"] is None and word in ("what", "which", "who") and rest and not _DO.match(rest):
        being = re.match(r"(?:is|are|was|were) (?P<what>the .+)", rest)
        if being is not None and word != "which":
            return f"{order} {being['what']}" if rng.random() < 0.7 else being["what"].capitalize()
        if word == "who":
            return f"{order} the person who {rest}"
        if not _VERB.match(rest) and " " in rest:
            noun, after = rest.split(" ", 1)
            if not _VERB.match(after):
                after = f"that {after}"
            return f"{order} the {noun} {_DO.sub('', after, count=1)}"
    return f"{rng.choice(_SAYINGS)} {_lowered(_DO.sub('', bare, count=1))}"


def as_chat(question: str, rng: random.Random) -> str:
    """
    >>> as_chat("When did the army leave?", random.Random(1))
    "I'm trying to work out when the army leave"
    """
    bare = _lowered(question.rstrip(" ?.!"))
    if rng.random() < 0.7:
        bare = _DO.sub("", bare, count=1)
    closing = rng.choice(_CLOSINGS) if rng.random() < 0.3 else ""
    return f"{rng.choice(_OPENINGS)} {bare}{closing}"


def _lowered(question: str) -> str:
    return question[0].lower() + question[1:] if _ASKED.match(question) else question


FORMS: tuple[Callable[[str, random.Random], str], ...] = (as_search, as_order, as_chat)


def read_wordings() -> dict[str, list[str]]:
    """The written wordings of a question, by its id."""
    lines = map(json.loads, WRITTEN.read_text(encoding="utf-8").splitlines())
    return {line["id"]: line["wordings"] for line in lines}


def reworded_questions(dataset: Dataset, seed: int = 0) -> Dataset:
    """The same paragraphs with reworded questions: all written rewordings of its questions, and others by rule.

    Each as the program hands it to its reader, with its question mark and without what `plain_question` takes off.
    """
    rng = random.Random(seed)
    written = read_wordings()
    made: list[Question] = []
    rest: list[Question] = []
    for question in dataset.questions:
        if question.id in written:
            made += [
                replace(question, id=f"{question.id}-{number}", text=plain_question(text))
                for number, text in enumerate(written[question.id])
            ]
        else:
            rest.append(question)
    for question in rng.sample(rest, min(MOST_BY_RULE, len(rest))):
        text = plain_question(rng.choice(FORMS)(question.text, rng))
        made.append(replace(question, id=f"{question.id}-reworded", text=text))
    return replace(dataset, questions=tuple(made))
