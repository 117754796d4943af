"""What an abbreviation stands for, where a document spells it out: "Partnership for Peace (PfP)".

A reader takes such questions for questions about what the abbreviation names. Where its words stand beside it in
brackets, or behind it in a list of abbreviations, its letters prove them: the rule of Schwartz & Hearst ("A simple
algorithm for identifying abbreviation definitions in biomedical text", 2003; there 96 % of what it found was right).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from qa.datatypes import Candidate, Reading, Span
from qa.text import normalise_answer, stems

SPELLED_OUT = 10.0
"""The score, above that of "not in this passage", of words that an abbreviation's letters prove: of the answers that
the reader finds to questions that have one, a tenth scores as high."""

NAMED = 5.0
"""The same of a name with the abbreviation's initials beside it, which no bracket ties to it: half of the answers that
the reader finds to questions that have one score higher."""

NAMED_LETTERS = 3
"""Two initials are those of too many names."""

SMALL_WORD = 3
"""Letters of a word that may have none in the abbreviation: "for", "of", "and"."""

_SHORT = r"[\"“‘']?(?P<short>[^\W\d_][\w&./-]{0,8}[\w.])[\"”’']?"
_CALLED = r"(?:the\s+)?(?:(?:letters?|abbreviation|acronym|initials)\s+)?"
_END = r"\s*(?:[?.!]|$)"
_STANDS_FOR = (
    rf"\bwhat\s+(?:do|does|did)\s+{_CALLED}{_SHORT}\s+stand\s+for\b",
    rf"(?:^|\b(?:letters?|abbreviation|acronym|initials)\s+){_SHORT}\s+(?:stands?|is\s+short)\s+for\s+what\b",
    rf"\bwhat\s+(?:is|was)\s+{_CALLED}{_SHORT}\s+(?:short\s+for|an?\s+(?:abbreviation|acronym)\s+(?:for|of))\b",
)
_FULL_NAME = (
    rf"\bwhat\s+(?:is|was)\s+the\s+(?:full|long)\s+(?:name|form)\s+of\s+{_CALLED}{_SHORT}{_END}",
    rf"^{_SHORT}\s+(?:stands\s+for|full\s+(?:name|form)|abbreviation|acronym){_END}",
    rf"^(?:please\s+)?(?:spell\s+out|expand)\s+{_CALLED}{_SHORT}{_END}",
)
_MEANS = (
    rf"\bwhat\s+(?:do|does|did)\s+{_CALLED}{_SHORT}\s+mean\b",
    rf"\bwhat\s+(?:is|was)\s+(?:meant\s+by|the\s+meaning\s+of)\s+{_CALLED}{_SHORT}{_END}",
    rf"^(?:the\s+)?meaning\s+of\s+{_CALLED}{_SHORT}{_END}",
    rf"^{_SHORT}\s+meaning{_END}",
)

_WORDS_BEFORE_BRACKETS = r"(?:(?:the|or|hereinafter|hereafter|abbreviated|as|referred|to|known)\s+)*"


class Asked(NamedTuple):
    """An abbreviation that is asked for.

    `only_words` is whether nothing but the words behind its letters answers, as where it is asked what it stands for;
    what it means may be told otherwise.
    """

    short: str
    only_words: bool

    @property
    def letters(self) -> str:
        """Those that stand for words."""
        return re.sub(r"[\W_]", "", self.short)


def asked_abbreviation(question: str) -> Asked | None:
    """What a question wants spelled out; None for every other question.

    >>> asked_abbreviation("What does UNODC stand for?")
    Asked(short='UNODC', only_words=True)
    >>> asked_abbreviation("What does peace mean?") is None
    True
    """
    for patterns, capitals in ((_STANDS_FOR, 0), (_FULL_NAME, 2), (_MEANS, 2)):  # a word, too, has a meaning
        for found in filter(None, (re.search(pattern, question, re.IGNORECASE) for pattern in patterns)):
            short = found["short"]
            if "." not in short[:-1]:
                short = short.rstrip(".")  # "UN." has a sentence's full stop, "U.N." its own
            written = sum(letter.isupper() for letter in short)
            if len(short) > 1 and written >= capitals:
                return Asked(short, only_words=patterns is not _MEANS and written > 1)
    return None


def spelled_out(asked: Asked, text: str) -> list[tuple[int, int]]:
    """The places in a text whose words an abbreviation is said to stand for, in their order; each place once.

    Its plural in "s" counts, and capitals do not.

    >>> text = "It joined the Partnership for Peace (PfP) in 2002."
    >>> [text[start:end] for start, end in spelled_out(Asked("PfP", True), text)]
    ['Partnership for Peace']
    """
    return sorted({*_before_brackets(asked, text), *_behind(asked, text)}) if len(asked.letters) > 1 else []


def named_beside(asked: Asked, text: str) -> list[tuple[int, int]]:
    """The places of names with an abbreviation's initials, in a text that uses it too; for want of brackets.

    Of 57 abbreviations that are spelled out in brackets, these places alone name 20, and none wrongly.

    >>> text = "It joined the Partnership for Peace in 2002. PfP is a programme."
    >>> [text[start:end] for start, end in named_beside(Asked("PfP", True), text)]
    ['Partnership for Peace']
    """
    used = re.search(rf"(?<!\w){re.escape(asked.short)}(?!\w)", text)
    if used is None or len(asked.letters) < NAMED_LETTERS:
        return []
    words = list(re.finditer(r"\w+(?:[’'-]\w+)*", text))
    ends = (_name_end(asked.letters, text, words[first:]) for first in range(len(words)))
    return [(word.start(), end) for word, end in zip(words, ends, strict=True) if end is not None]


def _name_end(letters: str, text: str, words: Sequence[re.Match[str]]) -> int | None:
    """Where a name ends that begins with the first word and has these initials; None where there is none."""
    left = list(letters.casefold())
    before: int | None = None
    for word in words:
        if before is not None and re.search(r"[^\s/&–-]", text[before : word.start()]):
            return None
        may_be_small, before = before is not None, word.end()
        capital = word[0][0].isupper() and not word[0].isupper()
        if word[0][0].casefold() == left[0] and (capital or (may_be_small and _is_small(word[0]))):
            del left[0]
            if not left:
                return before
        elif len(left) == len(letters) or not _is_small(word[0]):
            return None
    return None


def most_telling(asked: Asked, texts: Sequence[str]) -> tuple[list[list[tuple[int, int]]], float]:
    """The places of an abbreviation's words in each text, and their score: only names where nothing is spelled out."""
    found = [spelled_out(asked, text) for text in texts]
    return (found, SPELLED_OUT) if any(found) else ([named_beside(asked, text) for text in texts], NAMED)


def with_spelled_out(reading: Reading, asked: Asked, candidates: Sequence[Candidate]) -> Reading:
    """The words that the candidates spell an abbreviation out with, those given most often first.

    Where none does, what the reader found, without what its letters cannot stand for. Of words that differ in their
    form alone ("uploads", "upload") only the form given most often counts.
    """
    found: defaultdict[tuple[str, ...], list[Span]] = defaultdict(list)
    places, score = most_telling(asked, [candidate.passage.text for candidate in candidates])
    for candidate, inside in zip(candidates, places, strict=True):
        passage = candidate.passage
        for start, end in inside:
            text = passage.text[start:end]
            span = Span(candidate, passage.start + start, passage.start + end, text, reading.null + score)
            found[tuple(stems(text))].append(span)
    kept: list[Span] = []
    for spans in sorted(found.values(), key=len, reverse=True):
        form, _ = Counter(normalise_answer(span.text) for span in spans).most_common(1)[0]
        kept += [span for span in spans if normalise_answer(span.text) == form]
    if not kept:
        kept = [span for span in reading.spans if not asked.only_words or _could_be(asked, span.text)]
    return Reading(tuple(kept), reading.null)


def _written(abbreviation: str) -> str:
    return rf"[\"“‘']?(?:(?i:{re.escape(abbreviation)}))s?[\"”’']?"


def _most_words(letters: str) -> int:
    return min(len(letters) + 5, 2 * len(letters))


def _before_brackets(asked: Asked, text: str) -> Iterator[tuple[int, int]]:
    """Words (ABBREVIATION), or words (their translation) (ABBREVIATION)."""
    other = r"(?:\s*\([^()]{1,100}\))?"
    for match in re.finditer(rf"[\"”’']?{other}\s*\({_WORDS_BEFORE_BRACKETS}{_written(asked.short)}\s*[),;]", text):
        words = list(re.finditer(r"\S+", text[: match.start()]))[-_most_words(asked.letters) :]
        if not words:
            continue
        first, end = words[0].start(), match.start()
        start = _aligned(asked.letters, text[first:end])
        if start is not None and _says_more(asked.short, text[first + start : end]):
            yield first + start, end


def _behind(asked: Asked, text: str) -> Iterator[tuple[int, int]]:
    """ABBREVIATION (words), or a line of a list: ABBREVIATION, a sign between, and its words."""
    short, between = _written(asked.short), r"(?:\s*[|:=–—]\s*|\s+-\s+|\t\s*|[ ]{2,})"
    patterns = (
        rf"(?<!\w){short}\s*\((?:[\"“‘'])?(?P<words>[^()]+?)[\"”’']?\s*[),;]",
        rf"(?m)^[|\s•*-]*{short}{between}(?P<words>[^|;:()\n]+?)\s*(?=[.|;:()\n]|$)",
    )
    for pattern in patterns:
        for match in re.finditer(pattern, text):
            words = match["words"]
            few = len(words.split()) <= _most_words(asked.letters)
            if few and _aligned(asked.letters, words) == 0 and _says_more(asked.short, words):
                yield match.span("words")


def _says_more(abbreviation: str, words: str) -> bool:
    return len(words) > len(abbreviation) and not re.search(rf"(?<!\w){re.escape(abbreviation)}(?!\w)", words, re.I)


def _could_be(asked: Asked, words: str) -> bool:
    """Whether the letters are in the words from their beginning, and every word but small ones begins with one."""
    if _aligned(asked.letters, words) != 0 or not _says_more(asked.short, words):
        return False
    left = iter(asked.letters.casefold())
    initials = (word[0][0].casefold() for word in re.finditer(r"\w+", words) if not _is_small(word[0]))
    return all(initial in left for initial in initials)


def _is_small(word: str) -> bool:
    return len(word) <= SMALL_WORD and word.islower()


def _aligned(letters: str, words: str) -> int | None:
    """Where in the words those begin that the letters stand for, up to their end; None where there are none."""
    for skipped in (_is_small, lambda _: True):
        initials = _initials(letters, words, skipped)
        if initials is not None:
            return initials
    return _shortest(letters, words)


def _initials(letters: str, words: str, skipped: Callable[[str], bool]) -> int | None:
    """Where words begin of which every one has its letter, but for those `skipped`: "Secure Sockets Layer" for SSL.

    The last is never skipped: "the viewers' television" is no TV.
    """
    left = len(letters)
    for word in reversed(list(re.finditer(r"\w+", words))):
        if word[0][0].casefold() == letters[left - 1].casefold():
            left -= 1
            if left == 0:
                return word.start()
        elif left == len(letters) or not skipped(word[0]):
            return None
    return None


def _shortest(letters: str, words: str) -> int | None:
    """Where the shortest run of words begins that has all letters in their order, the first at a word's beginning."""
    place = len(words)
    for number in range(len(letters) - 1, -1, -1):
        wanted = letters[number].casefold()
        place -= 1
        while place >= 0 and not (
            words[place].casefold() == wanted and (number > 0 or place == 0 or not words[place - 1].isalnum())
        ):
            place -= 1
        if place < 0:
            return None
    return place
