"""Sentences with their places, words in the form in which they are compared, and the signs that divide texts."""

from __future__ import annotations

import csv
import re
import string
from collections.abc import Iterator, Set
from functools import lru_cache
from itertools import zip_longest

import sentencex
import tantivy

from qa.datatypes import Sentence

MAX_SENTENCE_CHARACTERS = 1_000
"""A longer "sentence" (a table row, a line without punctuation) is cut between words: it would not fit a model's
window of 256 tokens, and nobody wants it quoted whole."""

MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
WEEKDAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
"""What a number of four digits most likely is."""

DELIMITERS = ",;\t|"
SAMPLE_LINES = 20
"""A CSV file is divided by the one that divides its first lines into the same number of columns, and into the most."""

_ABBREVIATION_END = re.compile(
    r"(?:\b(?:approx|appr|incl|excl|resp|para|paras|fig|figs|sec|ch|vol|no|nos|art|arts|ca|cf|viz|est)"
    r"\.|\b[A-Z]\.)\s*$",
    re.IGNORECASE,
)
"""Endings after which the segmenter breaks although the sentence goes on ("approx. five men"). Only used where
the next piece goes on in lower case or with a digit."""

MAX_WORD_BYTES = 40
"""What is longer is no word, and would only make an index larger."""

_LEFT_OUT = frozenset(
    "a an the of in on at to for from by with and or is are was were be been being do does did has have had what "
    "which who whom whose when where why how that this these those it its as than then there their they he she his "
    "her into about any some will would can could may might should shall not no".split()
)
"""Words that say nothing on what a question is about."""

_WORD = re.compile(r"\d+(?:[.,]\d+)+(?![\w’'-])|\w[\w’'-]*")
_POSSESSIVE = re.compile(r"[’']s?$")


def sentences(text: str, start: int, end: int) -> list[Sentence]:
    """The sentences of `text[start:end]`, in order, each without the white space around it."""
    found: list[Sentence] = []
    for first, last in _joined_boundaries(text[start:end]):
        for piece_start, piece_end in _cut(text, start + first, start + last):
            piece = text[piece_start:piece_end]
            stripped = piece.strip()
            if stripped:
                begin = piece_start + len(piece) - len(piece.lstrip())
                found.append(Sentence(begin, begin + len(stripped), stripped))
    return found


def _joined_boundaries(block: str) -> Iterator[tuple[int, int]]:
    """The segmenter's boundaries, with those after an abbreviation taken back."""
    start = 0
    boundaries = sentencex.get_sentence_boundaries("en", block)
    for boundary, following in zip_longest(boundaries, boundaries[1:]):
        end = boundary["end_index"]
        if following is not None:
            goes_on = following["text"].lstrip()[:1]
            if _ABBREVIATION_END.search(boundary["text"]) and (goes_on.islower() or goes_on.isdigit()):
                continue
        yield start, end
        start = end


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """`[start, end)` in pieces of at most `MAX_SENTENCE_CHARACTERS`, cut between words where there is a space."""
    while end - start > MAX_SENTENCE_CHARACTERS:
        space = text.rfind(" ", start + 1, start + MAX_SENTENCE_CHARACTERS)
        cut = space + 1 if space > start else start + MAX_SENTENCE_CHARACTERS
        yield start, cut
        start = cut
    yield start, end


BULLET = re.compile(r"(?:[-–—*•▪◦‣·]|\(?\d{1,3}[.)]|\(?[a-zA-Z]\)|[a-z]\.)\s+(?=\S)")
"""A capital with a full stop is no bullet: "J. Smith built it"."""

_CLAUSE = (
    r"\s*(?:(?:and|but)\s+)?(?:which|who|whom|whose|where|when|while|whereas|as|since|because|although|though|but|so|if"
    r"|unless|rather|after|before|leading|making|allowing|causing|resulting)\b"
)
_LINK = rf"(?:[;/&]|,(?!{_CLAUSE})|\b(?:and|or|nor|as well as)\b(?!{_CLAUSE}))"
_MEMBER_BEFORE = re.compile(rf"{_LINK}\s*(?:(?:the|a|an)\s+)?(?:\(?\w\)\s*)?$", re.IGNORECASE)
_MEMBER_AFTER = re.compile(rf"\s*(?:\([^()]*\)|\[[^\[\]]*\])?\s*{_LINK}", re.IGNORECASE)
_LAST_MEMBER = re.compile(r"[,;][^,;]*\b(?:and|or|nor)\b[^,;]*$", re.IGNORECASE)
_ONE_MORE = re.compile(r"\s*(?:\([^()]*\))?\s*(?:;|,? (?:and|or|nor|as well as)\b)", re.IGNORECASE)


def list_goes_on(sentence: str, start: int, end: int) -> tuple[bool, bool]:
    """Whether a part of a sentence looks like members of a list that goes on to its left, and to its right.

    >>> sentence = "It has seats in Oslo, Rome and Bonn, since 1990."
    >>> [list_goes_on(sentence, sentence.index(s), sentence.index(s) + len(s)) for s in ("Rome", "Oslo, Rome and Bonn")]
    [(True, True), (False, False)]
    """
    part, after = sentence[start:end], sentence[end:]
    more = _ONE_MORE if _LAST_MEMBER.search(part) else _MEMBER_AFTER
    return bool(_MEMBER_BEFORE.search(sentence[:start])), bool(more.match(after))


def names_several(text: str) -> bool:
    """Whether a text names several things, the last of them after "and" or "or".

    >>> [names_several(t) for t in ("Oslo, Rome and Bonn", "Oslo and Rome", "the mines, which were old")]
    [True, False, False]
    """
    return bool(_LAST_MEMBER.search(text))


_PUNCTUATION = str.maketrans("", "", string.punctuation + "‘’“”–—…")


def normalise_answer(text: str) -> str:
    """The form in which two answers are compared: lower case, no punctuation, no articles, single spaces.

    As in the official SQuAD script (Rajpurkar et al. 2016), with typographic quotes and dashes taken as
    punctuation too.

    >>> normalise_answer("The  “Partnership for Peace”.")
    'partnership for peace'
    """
    bare = text.lower().translate(_PUNCTUATION)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split())


def shown_name(text: str) -> str:
    r"""A file's name, or a title, on one line; what could steer a terminal or turn its order round is written out.

    >>> shown_name("annual\u202etxt.exe")
    'annual\\u202etxt.exe'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_DATE_POINTS = re.compile(r"(?<![\d.])(\d{1,2})\.(\d{1,2})\.((?:1\d|20)\d\d)\b(?!\.\d)")


@lru_cache(maxsize=1)
def analyser() -> tantivy.TextAnalyzer:
    """What cuts a text into lower-cased stems (English Snowball); "3.0" and "4.2.1" are one each."""
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.regex(r"\d+(?:\.\d+)+|[\p{L}\p{N}]+"))
    builder = builder.filter(tantivy.Filter.remove_long(MAX_WORD_BYTES)).filter(tantivy.Filter.lowercase())
    return builder.filter(tantivy.Filter.stemmer("english")).build()


def comparable(text: str) -> str:
    """A text for `analyser`: thousands without their commas, so that they are one number, and dates in their parts.

    >>> comparable("1,200 on 3.10.2004")
    '1200 on 3 10 2004'
    """
    return _DATE_POINTS.sub(r"\1 \2 \3", _THOUSANDS.sub("", text))


def stems(text: str) -> list[str]:
    """The words and whole numbers of a text, lower-cased and stemmed, in order.

    >>> stems("Visiting the visitors of version 3.0")
    ['visit', 'the', 'visitor', 'of', 'version', '3.0']
    """
    return list(analyser().analyze(comparable(text)))


@lru_cache(maxsize=1)
def _left_out_stems() -> frozenset[str]:
    return frozenset(stem for word in _LEFT_OUT for stem in stems(word)) | {"s"}


def content_stems(text: str) -> set[str]:
    """The stems of the words that say what a text is about: `stems` less articles, question words and the like."""
    return set(stems(text)) - _left_out_stems()


def names_and_numbers(question: str) -> set[str]:
    """The stems of a question's names and numbers: capitalised words but the first, and whatever holds a digit.

    >>> sorted(names_and_numbers("When did Mr Zarifi visit Dushanbe in 2007?"))
    ['2007', 'dushanb', 'mr', 'zarifi']
    >>> sorted(names_and_numbers("How can I tell World War I from II?"))
    ['i', 'ii', 'war', 'world']
    """
    return {stem for word in _marked(question) for stem in stems(word)} - _left_out_stems()


def names_as_written(question: str) -> list[str]:
    """The same as they stand in the question, each once; without units, letters that stand alone, and "I've".

    >>> names_as_written("When did I hear of 1,200 km² in Mali's north, as I'm asked?")
    ['1,200', 'Mali']
    """
    marked = [w for w in _marked(question) if re.match(r"\d|(?!I[’'])\w[\w’']", w) and not w[0].islower()]
    return [n for n in dict.fromkeys(_POSSESSIVE.sub("", w) for w in marked) if set(stems(n)) - _left_out_stems()]


def capitalised_words(text: str) -> list[str]:
    """
    >>> capitalised_words("The envoy's car is Mali’s own.")
    ['The', 'Mali']
    """
    return [_POSSESSIVE.sub("", word) for word in _WORD.findall(text) if word[0].isupper()]


def _marked(question: str) -> list[str]:
    words = _WORD.findall(question)
    return [
        word
        for i, word in enumerate(words)
        if any(c.isdigit() for c in word) or (i > 0 and word[0].isupper() and not _is_pronoun(words, i))
    ]


def _is_pronoun(words: list[str], i: int) -> bool:
    """Whether a word is the "I" of "how do I", not that of "World War I"."""
    return words[i] == "I" and (i == 1 or not words[i - 1][0].isupper())


def share(wanted: Set[str], found: Set[str]) -> float:
    """The share of the wanted words that were found; 1 when none was wanted.

    >>> share({"mine", "fund"}, {"fund", "paid"})
    0.5
    """
    return len(wanted & found) / len(wanted) if wanted else 1.0


def delimiter_of(text: str) -> str:
    """The sign that divides a CSV file's columns."""
    sample = [line for line in text[:20_000].split("\n")[:SAMPLE_LINES] if line.strip()]

    def columns(delimiter: str) -> tuple[bool, int]:
        widths = [len(cells) for cells in csv.reader(sample, delimiter=delimiter)]
        return bool(widths) and len(set(widths)) == 1 and widths[0] > 1, max(widths, default=0)

    try:
        return max(DELIMITERS, key=columns)
    except csv.Error:
        return ","
