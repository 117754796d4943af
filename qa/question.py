"""What a question asks for: its words cleaned, and the kind of expression that would answer it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Literal

from qa.errors import QuestionError
from qa.text import MONTHS, YEAR

MAX_QUESTION_CHARACTERS = 2_000
"""A question of half a page still passes; beyond that it is a document pasted into the wrong box."""

AnswerType = Literal["date", "number", "person", "place", "text"]

_YEAR = r"(?:1[0-9]|20)\d\d"
_SPELLED = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundred|thousand)"
)
_CAPITAL = r"[A-ZÀ-ÖØ-Þ][\w’'-]*"
_NAME = rf"{_CAPITAL}(?:\s+(?:{_CAPITAL}|[A-Z]\.|(?:de|van|von|der|den|al|bin|la|le|du|da|di)(?=\s)))*"
_EXPRESSIONS: dict[AnswerType, re.Pattern[str]] = {
    "date": re.compile(
        rf"(?:\d{{1,2}}\s+(?:{MONTHS})\s+{_YEAR}|(?:{MONTHS})\s+(?:\d{{1,2}},\s+)?{_YEAR}"
        rf"|\b{_YEAR}\b(?:\s*[-–]\s*{_YEAR}\b)?)"
    ),
    "number": re.compile(
        r"(?:\b(?:over|more than|about|some|nearly|almost|at least|up to|around|approximately)\s+)?"
        rf"(?:[$€£]\s?)?(?:\b\d[\d,.]*\d|\b\d|\b{_SPELLED}(?:-{_SPELLED})?\b)"
        r"(?:\s?%|\s+(?:per cent|percent|million|billion))?",
        re.IGNORECASE,
    ),
    "person": re.compile(rf"\b{_NAME}"),
    "place": re.compile(rf"(?<=\b(?:in|at|to) ){_NAME}|(?<=\b(?:from|near) ){_NAME}"),
}
_ASKED: tuple[tuple[AnswerType, re.Pattern[str]], ...] = (
    ("date", re.compile(r"\bwhen\b|\b(?:what|which)\s+(?:year|date|day|month|years)\b|\bsince what\b", re.IGNORECASE)),
    ("number", re.compile(r"\bhow\s+(?:many|much|old|long|often|far|large|big)\b|\bwhat\s+number\b", re.IGNORECASE)),
    ("person", re.compile(r"\bwho(?:m|se)?\b", re.IGNORECASE)),
    ("place", re.compile(r"\bwhere\b|\b(?:what|which)\s+(?:city|town|place|capital)\b", re.IGNORECASE)),
)


def clean_question(question: str) -> str:
    """A question in composed Unicode, on one line, without control characters.

    Raises QuestionError for one beyond `MAX_QUESTION_CHARACTERS`.
    """
    if len(question) > MAX_QUESTION_CHARACTERS:
        raise QuestionError(
            f"The question has {len(question):,} characters; at most {MAX_QUESTION_CHARACTERS:,} are "
            "read. Ask it in fewer words."
        )
    composed = unicodedata.normalize("NFC", question)
    # Surrogates that stand alone (from a broken terminal or client) cannot be written out again as UTF-8.
    printable = "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in composed)
    return " ".join(printable.split())


def holds_words(question: str) -> bool:
    """Whether there is a letter or a digit to look for."""
    return any(character.isalnum() for character in question)


def asked_type(question: str) -> AnswerType:
    """The kind of expression that would answer; "text" where no question word tells.

    >>> asked_type("In which year was the school founded?")
    'date'
    """
    return next((kind for kind, pattern in _ASKED if pattern.search(question)), "text")


_GREETING = (
    r"(?:(?:hello|hi|hey|good (?:morning|day|evening)|please|so|and|but|ok|okay|well|thanks|thank you)\b[,.!:]?\s+)*"
)
_FRAME = r"(?:(?:according to|based on|in|on|at|under|per|from|since|for|of) [^,?]{1,80},\s+)?"
_REQUEST = (
    r"(?:(?:can|could|would|will) (?:you|anyone|someone) (?:please |kindly )?(?:tell|show|explain|say|inform|give)"
    r"(?: (?:to )?(?:me|us))?"
    r"|(?:do you|does (?:anyone|anybody|somebody)) (?:happen to )?know|do you have any idea"
    r"|(?:tell|show|explain to) (?:me|us)"
    r"|(?:i|we)(?:[’']d| would| want| need| wish)?(?: like| love)? to know|(?:i|we) (?:wonder|was wondering)"
    r"|(?:i[’']m|i am|we are) (?:wondering|curious))\b[,:]?\s+(?!(?:to )?(?:me|us)\b)"
)
_LEAD = re.compile(
    rf"{_GREETING}(?P<frame>{_FRAME}){_GREETING}(?P<request>{_REQUEST})?{_GREETING}{_FRAME}", re.IGNORECASE
)
"""What may stand before a question: "Hello, can you tell me when …", "In 2004, did …", "And why …"."""

_WH = r"(?:what|which|who|whom|whose|when|where|why|how|whether)\b"
_ASIDE = re.compile(
    r"(?P<aside>[^?]{0,160}?\b(?:find|work|figure|look)(?:ing)? (?:it )?(?:out|up)|[^?]{0,160}?\b(?:know|knew|remember"
    r"|recall|wonder(?:ing)?|curious|understand|tell|tells|remind me|check|clarify|sure|forg[eo]t|asked?|asking|clue"
    r"|idea|question(?: is)?)|(?:please )?(?:state|say|explain|describe|determine|establish|specify|indicate|identify))"
    rf"(?: me| us)?(?:,| is|:)? (?=(?:exactly |just )?(?:(?:in|on|at|for|from|to|with|by|of|under|since) )?{_WH})",
    re.IGNORECASE,
)
"""What people write before the question that they have: "I need to find out when …", "State which …"."""

_LEANS = re.compile(
    r"\b(?:it|its|they|them|their|he|him|his|she|her|this|that|these|those|there|one|ones)\b", re.IGNORECASE
)
_NAMES_SOMETHING = re.compile(r"(?<!^)\b(?!(?:I|I’[a-z]+|I'[a-z]+)\b)[A-Z]|\d|[\"“”]")

_ARTICLE = re.compile(r"(?:the|an?)\b", re.IGNORECASE)
_ORDER = re.compile(
    r"(?:please )?(?:name|give|state|list|identify|mention|specify|provide|indicate|find|say|cite)(?: me| us)? "
    r"(?=(?:the|an?|all|some|any|one|two|three|four|five|six)\b)",
    re.IGNORECASE,
)
_QUESTION_WORD = re.compile(rf"\b{_WH}", re.IGNORECASE)
_NO_PHRASE = re.compile(
    r"(?:describe|explain|define|find|check|tell|compare|summari[sz]e|if|because|and|or|but|not|yes|no|ok|okay|thanks?"
    r"|thank|hello|hi|hey|please|it|he|she|they|we|you|i|this|that|these|those)\b|.* (?:meaning|abbreviation)$",
    re.IGNORECASE,
)
_PHRASE_WORDS = range(2, 13)
"""Of what is typed into a search box; more words are a sentence. A reader marks the same answer to a question and to
the words of a search, and is surer of the first."""

_YES_NO_OR_WHETHER = re.compile(
    r"(?:whether|is|are|was|were|do|does|did|has|have|had|can|could|will|would|shall|should|may|might|must)(?:n?[’']t)?\b",
    re.IGNORECASE,
)
_DOCUMENTS = re.compile(
    r"(?:according to|based on|in|from)\s+(?:(?:all|the|this|these|those|your|my|our|given|uploaded)\s+)*"
    r"(?:documents?|files?|texts?|sources?|corpus),\s+",
    re.IGNORECASE,
)
_WHETHER = re.compile(r"(?:if|whether)\b", re.IGNORECASE)
_CHOICE = re.compile(r"\bor\b(?! not\b)", re.IGNORECASE)

_OF_DEGREE = (
    "many|much|old|long|often|far|large|big|high|tall|deep|soon|fast|quickly|slow|wide|heavy|early|late|small|short|strong"
    "|close|near|likely|common|frequently|regularly|well"
)
"""After "how" these ask for a measure, not for a manner."""

_WHY_HOW = re.compile(rf"(?:why|for what reason|how(?!\s+(?:{_OF_DEGREE})))\b", re.IGNORECASE)

_DOER = r"(?:i|you|we|one|someone|somebody|people|users|(?:a|the) (?:user|person|reader|beginner))"
_MODAL = r"(?:do|can|could|should|would|shall|must|might|may|does|will)(?:n[’']t)?"
_STEPS = re.compile(
    r"(?:^|[,.;:?!)] )(?:and |but |so |then )?(?:"
    rf"how (?:(?:else|best|exactly) )?(?:{_MODAL} {_DOER}\b|to\b)|how (?:can|could|should|must|might|may) .+ be \w+"
    rf"|what (?:{_MODAL}|am|are) {_DOER} (?:\w+ )?(?:(?:need|have|supposed|meant|required) to )?do\b"
    r"|what (?:is|are|was|were|would be) the (?:\w+ )?(?:ways?|steps?|procedure|instructions?|method|trick)"
    r" (?:to|for|of|in)\b"
    r"|(?:the )?(?:steps|instructions|procedure|directions) (?:to|for|on|of|in)\b"
    rf"|where {_MODAL} {_DOER} (?:change|set|adjust|turn|switch|enable|disable|choose|select|edit|configure|define"
    r"|specify|activate|deactivate|add|remove|control|modify|customi[sz]e|enter|type|pick)\b)"
    r"|, how[ .?!]*$",
    re.IGNORECASE,
)
"""What asks what to do, as against how something came about or works ("How did plants …?")."""

_BY_WHOM = re.compile(
    r"(?:who|which (?:author|writer|reporter|journalist)s?) (?:has |have |had |originally |first |co-)?"
    r"(?:wrote|written|authored|reported|posted)\b"
    r"|(?:who|what)(?: (?:is|are|was|were)|[’']s) .*\b(?:author|writer|reporter|journalist)s?\b"
    r"|(?:by whom|who) (?:is|are|was|were) .* (?:written|authored)\b",
    re.IGNORECASE,
)
_PUBLISHED = re.compile(
    r"(?:who|by whom|when|what (?:date|day|month|year)) .*"
    r"\b(?:written|drafted|prepared|compiled|edited|published|issued|translated|revised|updated|released)\b",
    re.IGNORECASE,
)

_THING = (
    r"(?!(?:happening|new|wrong|next|special|important|different|available|possible|missing|left)$)"
    r"(?!.*(?:[\w-]{2}[^\We]ed|missing)(?: (?:as|into))?$)"
)
_OTHERS = (
    "of|for|in|at|on|to|by|with|from|about|along|near|between|under|during|after|before|behind|against|that|which|who"
    "|whose|than|as|the|it|he|she|they|called|named|known|defined|there|not|this|these|those|his|her|its|their|your|my|our"
)
_SOME_THING = rf"(?:(?!(?:{_OTHERS})\b)[\w.&/+-]+[’']?(?: |$)){{1,6}}"
_CALLED = r"(?:[A-Z0-9][\w.&/+-]*[’']?(?: |$)){1,6}"
_BEING = r"(?: (?:is|are|was|were)|[’']s)"
_DEFINITION = (
    re.compile(rf"(?:what|who){_BEING} (?:an? )?(?!(?:the|an?) ){_THING}{_SOME_THING}", re.IGNORECASE),
    re.compile(rf"[Ww](?:hat|ho){_BEING} the {_CALLED}"),
    re.compile(rf"[Ww]ho{_BEING} {_CALLED}(?:(?:of|the|de|la|von|van|al|ibn|bin) ){{1,2}}{_CALLED}"),
    re.compile(rf"(?:what|who) (?:an? )?{_THING}{_SOME_THING}(?<= )(?:is|are|was|were)", re.IGNORECASE),
    re.compile(rf"[Ww](?:hat|ho) the {_CALLED}(?<= )(?:is|are|was|were)"),
    re.compile(rf"what{_BEING} (?:meant by|the (?:meaning|definition) of) .+", re.IGNORECASE),
    re.compile(r"what (?:does|do|did) .+ mean(?: by .+)?", re.IGNORECASE),
    re.compile(r"(?:please )?define .+", re.IGNORECASE),
)
"""What asks for a definition. "The" is before what a document calls by that name alone if it is written with capitals;
"the capital" is one of something, and what it is called is asked for."""

_SEVERAL = r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|several|various|different|\d+)"
_NO_PLURAL = (
    r"(?!(?:this|us|his|its|as|yes|class|process|status|basis|series|news|business|access|success|address|congress|loss"
    r"|less|analysis|campus|gas|bus|plus|crisis|mass|press|percentages?|is|was|does|has)\b)"
)
_PLURAL = rf"(?:{_NO_PLURAL}[\w-]+s|people|men|women|children|criteria|media|data)"
_PLURAL_VERB = r"(?:are|were|do|did|have|had|can|could|will|would|should|may|might|must)"
_BEFORE_PLURAL = rf"(?:(?!(?:{_PLURAL_VERB}|is|was|does|has|in|on|at|for|to|with|by)\b)[\w'-]+ )"
_NEXT_TO_NOUN = (
    r"(?:who|whom|whose|which|that|where|when|in|on|at|of|for|to|from|by|with|the|as|into|under|during|about|between"
    r"|(?-i:[a-z-]+ed)|found|made|held|given|known|built|written|taken|born)\b"
)
_ORDERED = r"(?:name|give|state|identify|mention|specify|provide|indicate|find|cite)(?: me| us)?"
_LIST = re.compile(
    r"(?:[\w' -]+, )?(?:(?:in|on|at|for|from|to|with|by|of|into|under|during|through) )?"
    rf"(?:(?:what|which) {_BEFORE_PLURAL}{{0,5}}?{_PLURAL} (?:{_PLURAL_VERB}|does|has)\b|(?:which|what) {_SEVERAL}\b"
    rf"|which (?:of [\w' ]+ )?(?:other )?(?:(?-i:[A-Z])\w+ ){{0,2}}{_PLURAL}\b|(?:what|who|which) (?:are|were)\b"
    rf"|list\b|{_ORDERED} (?:the |all |some )*(?:{_SEVERAL}\b|{_PLURAL}\b)|name (?:some|all)\b"
    rf"|{_ORDERED} the (?:(?!{_NEXT_TO_NOUN})[\w'’-]+ ){{1,4}}?{_PLURAL}(?= {_NEXT_TO_NOUN}| (?-i:[A-Z])|[ .?!…]*$))",
    re.IGNORECASE,
)
"""What asks for several things: a plural that was not meant so does no harm where the answer stands alone."""


def _lead(question: str) -> re.Match[str]:
    found = _LEAD.match(question)
    assert found is not None  # it may be empty
    return found


def plain_question(question: str) -> str:
    """A question as a person would ask it who wastes no words, with its question mark, which many leave out.

    What comes before it is no part of what is looked for; without its mark a reader is surer than it should be.

    >>> plain_question("Hello, can you please tell me when it left?")
    'when it left?'
    >>> plain_question("In these documents, who left?"), plain_question("In 2004, who left?")
    ('who left?', 'In 2004, who left?')
    >>> plain_question("date Mali joined"), plain_question("Name the people who left.")
    ('What is the date Mali joined?', 'What are the people who left?')
    """
    lead = _lead(question)
    plain = question
    if lead["request"] and not _WHETHER.match(question, lead.end()):
        plain = lead["frame"] + question[lead.end("request") :]
    if documents := _DOCUMENTS.match(plain):
        plain = plain[documents.end() :]
    if (aside := _ASIDE.match(plain)) and _stands_alone(plain[aside.end() :], without=aside["aside"]):
        plain = plain[aside.end() :]
    plain = plain if holds_words(plain) else question
    return f"{_asked(plain).rstrip(' .!?…')}?" if holds_words(plain) else plain


def _asked(plain: str) -> str:
    """Orders and what is typed as into a search box ("date it joined") with the question word that they lack."""
    if order := _ORDER.match(plain):
        return f"What {'are' if asks_for_list(plain) else 'is'} {plain[order.end() :]}"
    if not (plain[0].isascii() and plain[-1].isalnum() and len(plain.split()) in _PHRASE_WORDS):
        return plain
    if article := _ARTICLE.match(plain):
        return f"What is {article[0].lower()}{plain[article.end() :]}"
    if _QUESTION_WORD.search(plain) or _NO_PHRASE.match(plain) or asks_yes_or_no(plain):
        return plain
    return f"What is the {plain}"


def _stands_alone(question: str, without: str) -> bool:
    """Whether a question asks the same without what was written before it: nothing is named there that it needs."""
    return len(question.split()) > 3 and not _NAMES_SOMETHING.search(without) and not _LEANS.search(question)


def asks_yes_or_no(question: str) -> bool:
    """Whether a question opens with a verb, or asks "whether", and offers no choice.

    >>> [asks_yes_or_no(q) for q in ("Has it left?", "Didn't it leave?", "Is it A or B?", "When did it leave?")]
    [True, True, False, False]
    >>> [asks_yes_or_no(q) for q in ("Can you tell me if it left?", "Can you tell me when it left?")]
    [True, False]
    """
    lead = _lead(question)
    asks = _WHETHER if lead["request"] else _YES_NO_OR_WHETHER
    return bool(asks.match(question, lead.end())) and not _CHOICE.search(question)


def asks_for_sentence(question: str) -> bool:
    """Whether less than a sentence is no answer: to yes or no, "why", a plain "how", or what or who something is.

    >>> [asks_for_sentence(q) for q in ("Has it left?", "Tell me how it left.", "How soon did it leave?")]
    [True, True, False]
    """
    lead = _lead(question)
    is_why_or_how = bool(_WHY_HOW.match(question, lead.end()))
    return asks_yes_or_no(question) or is_why_or_how or asks_for_steps(question) or asks_for_definition(question)


def asks_for_steps(question: str) -> bool:
    """Whether a question asks what to do, so that a procedure answers it, not how something came about or works.

    >>> [asks_for_steps(q) for q in ("How do I add a break?", "steps for a clean copy", "What should I do to leave?")]
    [True, True, True]
    >>> [asks_for_steps(q) for q in ("How do plants drink?", "How soon can I leave?", "What do I need?")]
    [False, False, False]
    """
    return bool(_STEPS.search(question))


def asks_for_definition(question: str) -> bool:
    """Whether a question names a thing or a person and asks what or who that is, not for something about it.

    >>> [asks_for_definition(q) for q in ("What is a credit card?", "Who was Paul Baran?", "Define terra preta.")]
    [True, True, True]
    >>> [asks_for_definition(q) for q in ("What is the capital?", "What is NATO's aim?", "Who was the first to leave?")]
    [False, False, False]
    """
    asked = question[_lead(question).end() :].rstrip(" .!?…")
    return any(pattern.fullmatch(asked) for pattern in _DEFINITION)


def asks_for_writer(question: str) -> bool:
    """Whether a question asks who wrote a text.

    >>> [asks_for_writer(q) for q in ("Who wrote the report?", "Who are its authors?", "By whom was it written?")]
    [True, True, True]
    >>> [asks_for_writer(q) for q in ("Who read the report?", "What did Homer write?")]
    [False, False]
    """
    return bool(_BY_WHOM.match(question, _lead(question).end()))


def asks_for_origin(question: str) -> bool:
    """Whether a question asks who wrote or published a text, or when: what stands at its beginning.

    >>> [asks_for_origin(q) for q in ("Who wrote the report?", "Who prepared it?", "When was it published?")]
    [True, True, True]
    >>> [asks_for_origin(q) for q in ("Who read the report?", "When was the bridge built?")]
    [False, False]
    """
    return asks_for_writer(question) or bool(_PUBLISHED.match(question, _lead(question).end()))


def asks_for_list(question: str) -> bool:
    """Whether a question asks for several things at once, as far as its grammar tells.

    >>> [asks_for_list(q) for q in ("Which countries joined?", "Name the two towns.", "What are its aims?")]
    [True, True, True]
    >>> [asks_for_list(q) for q in ("Which country joined?", "What makes it fast?", "Name the United Nations body.")]
    [False, False, False]
    """
    return bool(_LIST.match(question, _lead(question).end()))


def expressions(kind: AnswerType, text: str) -> Iterator[tuple[int, int]]:
    """The places in a text that hold an expression of a kind; none for "text".

    >>> text = "In 2004 over 1200 mines were destroyed."
    >>> [text[start:end] for start, end in expressions("number", text)]
    ['over 1200']
    """
    pattern = _EXPRESSIONS.get(kind)
    for match in pattern.finditer(text) if pattern else ():
        start, end = match.span()
        if kind == "number" and YEAR.fullmatch(match[0]):
            continue
        if kind == "person":
            # A sentence's first word is capitalised whatever it is; a person's name has at least two words.
            if len(match[0].split()) < 2:
                continue
        yield start, end
