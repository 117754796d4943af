"""Questions made from text and from other questions, where the datasets have too few of a kind.

Yes-or-no questions, expansions of abbreviations, and questions that cannot be answered because a name, a number or a
year in them was changed. They stand on the paragraphs of the dataset they are made from.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from training.data import Dataset, Question

MOST_CHANGED = 2_000
MOST_YES_NO = 1_500
MOST_ABBREVIATIONS = 400
"""Of each kind: enough to be learnt, too few to push people's own questions aside."""

SENTENCE_WORDS = range(5, 22)
"""A whole sentence is the answer to a yes-or-no question, and the reader marks at most 30 tokens."""

_NAME = r"[A-Z][\w’'-]+(?: (?:of |de |the )?[A-Z][\w’'-]+)*"
_INSIDE = re.compile(rf"(?<=[a-z,] ){_NAME}")  # a name in the middle of a sentence
_YEAR = re.compile(r"\b(?:1\d|20)\d\d\b")
_NUMBER = re.compile(r"\b\d[\d,.]*\d\b|\b\d\b")
_SENTENCE_END = re.compile(r"(?<=[a-z\d)][.!?])\s+(?=[A-Z])")

_AUXILIARY = r"(?P<verb>is|was|are|were|can|could|will|would|must|(?:has|have|had)(?= (?:been|become|\w+ed)\b))"
_SUBJECT = r"(?P<subject>[A-Z][\w’'-]*(?: [\w’'-]+){0,5}?)"
_STATEMENT = re.compile(rf"{_SUBJECT} {_AUXILIARY} (?P<rest>[^;:]+)\.")
_PAST = re.compile(rf"{_SUBJECT} (?P<verb>[a-z]{{3,}}ed) (?P<rest>[^;:]+)\.")
_NO_SUBJECT = re.compile(
    r"(?:In|On|At|By|For|From|With|When|While|After|Before|If|As|Although|Since|There|It|This|That|These|Those|They|He"
    r"|She|We|I|You|Its|Their|His|Her|One|Some|What|Who|How|However|Also|But|And|During|According|Under|Both|Each)\b"
    r"|.* (?:that|which|who|whose|where|when|is|was|are|were|has|have|had|but|not)\b",
)
_CLAUSE = re.compile(r",| which\b| that\b| who\b| because\b| while\b| although\b| but\b| where\b| when\b")
_BRACKETS = re.compile(
    r"(?P<long>[A-Z][\w’'-]+(?:[ -](?:of|and|for|the|on|in|to|de|[A-Z][\w’'-]+)){1,8}) \((?P<short>[A-Z]{2,6})\)"
)
_ASKS_EXPANSION = (
    "What does {} stand for?",
    "What is {} short for?",
    "what does {} mean",
    "What is the full name of {}?",
)


def changed_questions(dataset: Dataset, seed: int = 0) -> Dataset:
    """Answerable questions with one name, number or year changed for another of their article: nobody's answer."""
    rng = random.Random(seed)
    articles: dict[str, Counter[str]] = {}
    for paragraph in dataset.paragraphs:
        articles.setdefault(paragraph.title, Counter()).update(_INSIDE.findall(paragraph.text))
    made = []
    for question in dataset.questions:
        paragraph = dataset.paragraphs[question.paragraph]
        if not question.answers or not paragraph.title:
            continue
        text = _changed(question.text, paragraph.text, articles[paragraph.title], rng)
        if text is not None:
            made.append(Question(f"{question.id}-changed", text, (), question.paragraph))
    return replace(dataset, questions=tuple(_sample(made, MOST_CHANGED, rng)))


def _changed(question: str, paragraph: str, names: Counter[str], rng: random.Random) -> str | None:
    """A question with one of its parts changed; None when there is nothing to change.

    >>> _changed("Who came to Rome in 1901?", "He came to Rome in 1901.", Counter(), random.Random(1))
    'Who came to Rome in 1894?'
    """
    choices: list[tuple[tuple[int, int], str]] = []
    for match in _YEAR.finditer(question):
        others = [str(int(match[0]) + shift) for shift in (*range(-9, 0), *range(1, 10))]
        choices += [(match.span(), other) for other in rng.sample(others, 2) if other not in paragraph]
    for match in _NUMBER.finditer(question):
        if not _YEAR.fullmatch(match[0]):
            others = [n for n in _NUMBER.findall(paragraph) if n != match[0] and not _YEAR.fullmatch(n)]
            choices += [(match.span(), rng.choice(others))] if others else []
    for match in _INSIDE.finditer(question):
        words = match[0].split()
        others = [n for n in names if len(n.split()) == len(words) and not set(words) & set(n.split())]
        if others:
            near = [n for n in others if n in paragraph]
            choices.append((match.span(), rng.choice(near if near and rng.random() < 0.5 else others)))
    if not choices:
        return None
    (start, end), other = rng.choice(choices)
    return question[:start] + other + question[end:]


def yes_no_questions(dataset: Dataset, seed: int = 0) -> Dataset:
    """Statements turned into questions, each answered by the whole sentence it was."""
    rng = random.Random(seed)
    known = {word for p in dataset.paragraphs for word in re.findall(r"\b[a-z]+\b", p.text)}
    made = []
    for place, paragraph in enumerate(dataset.paragraphs):
        for number, sentence in enumerate(_SENTENCE_END.split(paragraph.text)):
            question = _yes_no(sentence, known) if len(sentence.split()) in SENTENCE_WORDS else None
            if question is not None:
                made.append(Question(f"yes-no-{place}-{number}", question, (sentence.rstrip("."),), place))
    return replace(dataset, questions=tuple(_sample(made, MOST_YES_NO, rng)))


def _yes_no(sentence: str, known: set[str]) -> str | None:
    """A statement as a question; `known` are words seen in lower case.

    >>> _yes_no("The council was founded in Mali, a state.", {"the"})
    'Was the council founded in Mali?'
    >>> _yes_no("Mali joined the Union in 2002.", {"join"})
    'Did Mali join the Union in 2002?'
    """
    for pattern in (_STATEMENT, _PAST):
        match = pattern.fullmatch(sentence)
        if match is None or _NO_SUBJECT.match(match["subject"]):
            continue
        verb, rest = match["verb"], _CLAUSE.split(match["rest"])[0].strip()
        subject = match["subject"]
        if subject.split()[0].lower() in known:
            subject = subject[0].lower() + subject[1:]
        if pattern is _PAST:
            forms = (verb[:-1], verb[:-2], verb[:-3], verb[:-3] + "y")
            infinitive = next((form for form in forms if form in known), None)
            if infinitive is None:
                continue
            subject, verb = f"{subject} {infinitive}", "did"
        if len(rest.split()) >= 2:
            return f"{verb.capitalize()} {subject} {rest}?"
    return None


def made_questions(dataset: Dataset) -> Dataset:
    """All kinds, on the paragraphs of a dataset."""
    kinds = (changed_questions, yes_no_questions, abbreviation_questions)
    return replace(dataset, questions=tuple(question for kind in kinds for question in kind(dataset).questions))


def abbreviation_questions(dataset: Dataset, seed: int = 0) -> Dataset:
    """What an abbreviation stands for, answered by the words before its brackets."""
    rng = random.Random(seed)
    made = []
    for place, paragraph in enumerate(dataset.paragraphs):
        for short, expanded in _expansions(paragraph.text):
            text = rng.choice(_ASKS_EXPANSION).format(short)
            made.append(Question(f"short-{place}-{short}", text, (expanded,), place))
    return replace(dataset, questions=tuple(_sample(made, MOST_ABBREVIATIONS, rng)))


def _expansions(text: str) -> Iterator[tuple[str, str]]:
    """
    >>> list(_expansions("He saw the Trade Union Congress (TUC) there."))
    [('TUC', 'Trade Union Congress')]
    """
    for match in _BRACKETS.finditer(text):
        words = re.split(r"[ -]", match["long"])
        for begin in range(len(words)):
            kept = words[begin:]
            capitals = "".join(word[0] for word in kept if word[0].isupper())
            initials = "".join(word[0].upper() for word in kept)
            if kept[0][0].isupper() and match["short"] in (capitals, initials):
                expanded = match["long"]
                for word in words[:begin]:
                    expanded = expanded[len(word) + 1 :]
                yield match["short"], expanded
                break


def _sample(made: Sequence[Question], most: int, rng: random.Random) -> list[Question]:
    return rng.sample(list(made), min(most, len(made)))
