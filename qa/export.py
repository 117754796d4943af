"""Answers to keep: as text, as Markdown with footnotes, as a citation, and a whole conversation as a file."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Sequence
from itertools import count
from textwrap import indent

from qa.datatypes import Answer, Citation
from qa.render import (
    MAX_CLOSEST,
    REASONS,
    absent_text,
    answer_json,
    citation_html,
    excerpt_text,
    passage_source,
    place,
    words_html,
)

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~!])|^(\s*)([-+]|\d+[.)])(?=\s)", re.MULTILINE)


def markdown(text: str) -> str:
    r"""A text in which nothing is taken for Markdown or HTML.

    >>> print(markdown("# 1 *and* <b>[2]</b>"))
    \# 1 \*and\* \<b\>\[2\]\</b\>
    """
    return _MARKDOWN.sub(lambda m: f"\\{m[1]}" if m[1] else f"{m[2]}{m[3][:-1]}\\{m[3][-1]}", text)


def answer_copy(answer: Answer) -> str:
    """The answer's words and where they stand, as plain text; for a silent one the reason."""
    if answer.text is None:
        return _said(answer)
    words = "\n".join(answer.citations[0].lines)
    return f"{words}\n\n" + "\n".join(f"[{c.number}] {citation_copy(c)}" for c in answer.citations)


def citation_copy(citation: Citation) -> str:
    """A citation for a footnote: quote, title, file and place, and the checksum by which the file is known again."""
    title = f"{citation.title}. " if citation.title else ""
    return f"“{_one_line(citation.quote)}” {title}{place(citation)} (SHA-256 {citation.sha256[:12]}…)."


def answer_markdown(answer: Answer, numbers: Callable[[], int] | None = None) -> str:
    """An answer as Markdown, its citations as footnotes; `numbers` gives each footnote its number.

    A silent one has its reason and the closest passages.
    """
    numbers = count(1).__next__ if numbers is None else numbers
    asked = f"**{markdown(_one_line(answer.question))}**" if answer.question else ""
    if answer.text is None:
        closest = [f"- {markdown(_one_line(text))} ({markdown(source)})" for text, source in _closest(answer)]
        listed = ["The closest passages:", "\n".join(closest)] if closest else []
        return "\n\n".join([asked, markdown(_said(answer)), *listed]) + "\n"
    given, notes = _noted(answer.citations, numbers)
    parts = [asked, indent(given, "> "), markdown(_said(answer))]
    for other in answer.alternatives:
        words, further = _noted(other.citations, numbers)
        parts.append(f"Another answer ({other.confidence:.0%}): {words}")
        notes += further
    return "\n\n".join([part for part in parts if part] + ["\n".join(notes)]) + "\n"


def _noted(citations: Sequence[Citation], numbers: Callable[[], int]) -> tuple[str, list[str]]:
    """The answer that is cited, with the marks of its footnotes, and the footnotes."""
    numbered = [(numbers(), citation) for citation in citations]
    marks = "".join(f"[^{number}]" for number, _ in numbered)
    words = "\\\n".join(map(markdown, citations[0].lines))  # a backslash keeps a line's end
    return words + marks, [f"[^{n}]: {markdown(citation_copy(c))}" for n, c in numbered]


def conversation_markdown(answers: Sequence[Answer]) -> str:
    """All questions and answers, in the order in which they were asked."""
    numbers = count(1).__next__
    return "\n---\n\n".join(answer_markdown(answer, numbers) for answer in answers)


def conversation_json(answers: Sequence[Answer]) -> str:
    """All answers, each as the versioned object that scripts read."""
    return json.dumps([answer_json(answer) for answer in answers], ensure_ascii=False, indent=1) + "\n"


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Questions and answers</title>
<style>
body {{ font: 1.05rem/1.6 Georgia, serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; color: #1c1917; }}
h2 {{ font: 600 1.1rem/1.4 system-ui, sans-serif; margin: 2.5rem 0 .3rem; }}
.words {{ font-size: 1.5rem; margin: .2rem 0; }}
blockquote {{ margin: .8rem 0 0; padding-left: 1rem; border-left: 3px solid #d6d3d1; white-space: pre-line; }}
cite, .note {{ font: .9rem/1.5 system-ui, sans-serif; color: #57534e; }}
mark {{ background: #f7d774; }}
</style>
{body}
</html>
"""


def conversation_html(answers: Sequence[Answer]) -> str:
    """All questions and answers as a page of its own; nothing in it is active, nothing is loaded."""
    return _PAGE.format(body="\n".join(_answer_html(answer) for answer in answers))


def _answer_html(answer: Answer) -> str:
    asked = f"<h2>{html.escape(answer.question)}</h2>"
    if answer.text is None:
        closest = "".join(
            f"<blockquote>{html.escape(text)}<br><cite>{html.escape(source)}</cite></blockquote>"
            for text, source in _closest(answer)
        )
        listed = f"<p class='note'>The closest passages</p>{closest}" if closest else ""
        return f"{asked}<p class='words'>{html.escape(_said(answer))}</p>{listed}"
    others = "".join(
        f"<p class='note'>Another answer, {other.confidence:.0%}: {words_html(other.citations[0])}</p>"
        f"{_quotes(other.citations)}"
        for other in answer.alternatives
    )
    return (
        f"{asked}<p class='words'>{words_html(answer.citations[0])}</p>"
        f"<p class='note'>{html.escape(_said(answer))}</p>"
        f"{_quotes(answer.citations)}{others}"
    )


def _quotes(citations: Sequence[Citation]) -> str:
    return "".join(
        f"<blockquote>{citation_html(c)}<br><cite>{html.escape(c.title)}. {html.escape(place(c))}</cite></blockquote>"
        for c in citations
    )


FORMATS: dict[str, tuple[str, Callable[[Sequence[Answer]], str]]] = {
    "Markdown": ("answers.md", conversation_markdown),
    "HTML": ("answers.html", conversation_html),
    "JSON": ("answers.json", conversation_json),
}
"""What a conversation can be kept as: the file's name, and what writes it."""


def _closest(answer: Answer) -> list[tuple[str, str]]:
    """What is shown of the closest passages, and where each stands."""
    return [(excerpt_text(c), passage_source(c.passage)) for c in answer.closest[:MAX_CLOSEST]]


def _said(answer: Answer) -> str:
    """How sure an answer is, or why there is none, and what the documents have no word of."""
    said = f"Confidence {answer.confidence:.0%}." if answer.reason is None else REASONS[answer.reason]
    return " ".join(filter(None, (said, absent_text(answer))))


def _one_line(text: str) -> str:
    return " ".join(text.split())
