"""Lists whole, where their items stand on lines of their own and a reader marks words in or before one of them.

All steps for "How do I …?", all items for "Which … are there?"; whether lines tell someone to do something; and which
lists are tables of contents.
"""

from __future__ import annotations

import bisect
import dataclasses
import re
from collections.abc import Callable, Sequence

from qa.datatypes import Block, Document, Reading, Span
from qa.question import asks_for_list, asks_for_steps
from qa.text import BULLET, names_several

MAX_LIST_CHARACTERS = 3_000
"""A page and a half. Of a longer list only those items are given that stand in the passage."""

WORDS_BEFORE = 2
"""An item is meant, not something said in it, where at most so many of its words stand before what is marked: "To",
"If the"."""

_VERBS = (
    "add|adjust|answer|append|apply|arrange|ask|assign|attach|avoid|back|boot|bring|browse|build|call|cancel|change|check"
    "|choose|clean|clear|click|close|collect|combine|compare|compile|complete|configure|confirm|connect|consult|contact"
    "|continue|convert|copy|create|cut|decide|define|delete|deselect|determine|disable|disconnect|do|double-click|download"
    "|drag|draw|edit|eject|enable|ensure|enter|erase|execute|exit|expand|export|extract|fill|find|finish|fix|follow|format"
    "|generate|get|give|go|group|hide|hold|identify|import|increase|inform|insert|inspect|install|invoke|keep|launch|leave"
    "|let|lift|load|lock|log|look|make|mark|measure|merge|mix|modify|mount|move|name|navigate|obtain|open|order|paste|pick"
    "|place|plug|point|position|pour|prepare|press|print|proceed|provide|pull|purge|push|put|query|quit|read|reboot|record"
    "|reduce|refer|register|release|reload|remove|rename|repeat|replace|report|request|reset|resize|restart|restore|return"
    "|review|right-click|rotate|run|save|scroll|search|select|send|set|shift|show|shut|sign|specify|start|stop|store|submit"
    "|switch|tap|test|tick|tighten|touch|try|turn|type|uncheck|undo|uninstall|unmount|unpack|unplug|update|upgrade|upload"
    "|use|verify|view|visit|wait|wash|wipe|write"
)
LEAST_CONTENTS = 3
"""Items of a table of contents; two may well have the names of sections and be meant as answers."""

_LEADERS = re.compile(r"(?:[.…·]\s?){5,}\s*\d+\s*")
_LEADER = re.compile(r"[\s.…·]+\d*\s*$")
_PARTS = re.compile(r"\b(?:chapters?|sections?|parts?|contents|headings?|topics?|appendix|appendices)\b", re.IGNORECASE)

_INSTRUCTION = re.compile(
    r"[\W\d]*(?:(?:to|if|in|on|when|after|before|then|now|first|next|finally|optionally|for|at|under|from|with|once)\b"
    r"[^,]*,\s*|(?:then|now|first|next|finally|please|simply|just) )?"
    rf"(?:{_VERBS})\b(?! (?:is|are|was|were|of)\b)",
    re.IGNORECASE,
)
"""How a line begins that tells someone to do something: "Click …", "To close it, turn …", "2. Then press …"."""


def share_of_instructions(lines: Sequence[str]) -> float:
    """The share of lines that tell someone to do something; 0 of none.

    >>> share_of_instructions(["1. Open the lid.", "To fill it, pour in oil.", "Oil is heavy.", "Use of oil"])
    0.5
    """
    return sum(bool(_INSTRUCTION.match(line)) for line in lines) / len(lines) if lines else 0.0


def without_contents(reading: Reading, question: str, documents: Callable[[str], Document]) -> Reading:
    """The spans but for those in a table of contents: it names what is told elsewhere and tells nothing.

    Where a question is about the parts of a document, all of them.
    """
    if _PARTS.search(question):
        return reading
    headings: dict[str, set[str]] = {}

    def in_contents(span: Span) -> bool:
        document = documents(span.candidate.passage.document)
        if document.id not in headings:
            headings[document.id] = {_bare(section.heading) for section in document.sections}

        def names_section(block: Block) -> bool:
            return block.kind == "item" and _bare(document.text[block.start : block.end]) in headings[document.id]

        at = bisect.bisect_right(document.blocks, span.start, key=lambda block: block.end)
        if at == len(document.blocks):
            return False
        block = document.blocks[at]
        entries = _LEADERS.split(document.text[block.start : block.end])[:-1]  # what is before each row of dots
        if len(entries) >= LEAST_CONTENTS:
            return sum(_bare(entry) in headings[document.id] for entry in entries) * 2 >= len(entries)
        if not names_section(block):
            return False
        items = list_from(document, span.start, span.end)
        return len(items) >= LEAST_CONTENTS and sum(map(names_section, items)) * 2 >= len(items)

    return Reading(tuple(span for span in reading.spans if not in_contents(span)), reading.null)


def _bare(entry: str) -> str:
    """A heading, or what a table of contents calls it, without case, dots and page number."""
    return " ".join(_LEADER.sub("", entry).casefold().split())


def with_whole_lists(reading: Reading, question: str, documents: Callable[[str], Document]) -> Reading:
    """The spans, each grown to the list that it stands in where one is asked for, or where it holds several items.

    Where it is asked what to do, a span before a list in its passage stands for the list, too.
    """
    steps, several = asks_for_steps(question), asks_for_list(question)

    def grown(span: Span) -> Span:
        passage = span.candidate.passage
        if span.support is not None or not (steps or several or "\n" in span.text):
            return span
        document = documents(passage.document)
        items = list_from(document, span.start, passage.end if steps else span.end)
        if not items:
            return span
        if not (steps or _holds_several(span, items) or (several and _is_item(span, items))):
            return span
        start, end = _with_bullet(document.text, items[0].start), items[-1].end
        if end - start > MAX_LIST_CHARACTERS:
            start, end = max(start, passage.start), min(end, passage.end)
        return dataclasses.replace(span, start=start, end=end, text=document.text[start:end])

    return Reading(tuple(grown(span) for span in reading.spans), reading.null)


def list_from(document: Document, start: int, end: int) -> Sequence[Block]:
    """All items of the first list that has one in `[start, end)`; none where there is no list of at least two.

    A list ends where other text or another section begins.
    """
    blocks = document.blocks
    first = bisect.bisect_right(blocks, start, key=lambda block: block.end)
    while first < len(blocks) and blocks[first].start < end and blocks[first].kind != "item":
        first += 1
    if first == len(blocks) or blocks[first].start >= end:
        return ()
    sections = document.sections_at(blocks[first].start)

    def goes_on(i: int) -> bool:
        return 0 <= i < len(blocks) and blocks[i].kind == "item" and document.sections_at(blocks[i].start) == sections

    last = first
    while goes_on(first - 1):
        first -= 1
    while goes_on(last + 1):
        last += 1
    return blocks[first : last + 1] if last > first else ()


def items_within(document: Document, start: int, end: int) -> tuple[tuple[int, int], ...]:
    """The places of a list's items in `[start, end)`; none where there are not at least two."""
    first = bisect.bisect_right(document.blocks, start, key=lambda block: block.end)
    last = bisect.bisect_left(document.blocks, end, key=lambda block: block.start)
    items = [block for block in document.blocks[first:last] if block.kind == "item"]
    return tuple((max(item.start, start), min(item.end, end)) for item in items) if len(items) > 1 else ()


def _holds_several(span: Span, items: Sequence[Block]) -> bool:
    return sum(item.start < span.end and span.start < item.end for item in items) > 1


def _is_item(span: Span, items: Sequence[Block]) -> bool:
    """Whether a span is an item or how one begins, and not several things that are named in it."""
    item = next((item for item in items if item.start <= span.start < item.end), None)
    if item is None:
        return False
    passage = span.candidate.passage
    before = passage.text[max(item.start - passage.start, 0) : span.start - passage.start]
    return len(before.split()) <= WORDS_BEFORE and (span.end >= item.end - 1 or not names_several(span.text))


def _with_bullet(text: str, start: int) -> int:
    """Where an item begins with its number or bullet: the others in its list have theirs, and blocks have none."""
    line = text.rfind("\n", 0, start) + 1
    line += len(text[line:start]) - len(text[line:start].lstrip())
    bullet = BULLET.match(text, line)
    return line if bullet and bullet.end() == start else start
