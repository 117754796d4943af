"""Things that only a number tells apart: what is said of Article 6 answers no question about Article 5.

A reader compares words, and takes one number for as good as another.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from qa.datatypes import Candidate, Reading
from qa.passages import in_context
from qa.text import MONTHS, WEEKDAYS, YEAR, stems

_KINDS = frozenset(
    "annex appendix article category chapter clause exhibit figure goal grade group item level option page paragraph"
    " part phase point principle question regulation resolution rule schedule section stage step table target type"
    " version volume".split()
)
"""What is numbered and often written small; else a word with a capital is taken for the name of such a thing."""

_NO_KINDS = frozenset(f"{MONTHS}|{WEEKDAYS}".split("|"))
_NUMBERED = re.compile(
    r"(?<!\w)(?P<word>[^\W\d_][\w’-]*)\s+(?:(?:[Nn]o\.?|[Nn]umber|#|§)\s?)?(?P<number>\d+(?:\.\d+)*)(?!\w|[,.]\d|\s?%)"
)
_NUMBER = re.compile(r"\d+(?:\.\d+)*")


def without_other_numbers(reading: Reading, question: str) -> Reading:
    """The spans but for those in passages about another of the things that the question tells by a number."""
    asked = _numbered(question, starts_sentence=True)
    if not asked:
        return reading
    spans = tuple(span for span in reading.spans if not _is_of_another(span.candidate, asked))
    return Reading(spans, reading.null)


def _is_of_another(candidate: Candidate, asked: Mapping[str, set[str]]) -> bool:
    """Whether a passage, with what stands above it, has other numbers of a kind than those asked for, and none of
    these anywhere ("Articles 5 and 6")."""
    text = f"{candidate.passage.document}. {in_context(candidate.passage).text}"
    here, numbers = _numbered(text), set(_NUMBER.findall(text))
    return any(kind in here and numbers.isdisjoint(asked[kind]) for kind in asked)


def _numbered(text: str, starts_sentence: bool = False) -> Mapping[str, set[str]]:
    """The numbers of each kind of thing, by the stem of its name; years are none."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for match in _NUMBERED.finditer(text):
        word, number = match["word"], match["number"]
        is_name = word[0].isupper() and not (starts_sentence and match.start() == 0)
        if (is_name or word.lower() in _KINDS) and word not in _NO_KINDS and not YEAR.fullmatch(number):
            found["".join(stems(word))].add(number)
    return found
