"""Answers, passages and documents as JSON, as text for a terminal and as safe HTML."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Any

from qa.datatypes import Answer, Candidate, Citation, Document, Passage, Reason
from qa.text import shown_name

if TYPE_CHECKING:
    from qa.indexing import IndexReport, Status

SCHEMA = 1
"""Raised only when a field that scripts may read changes its meaning or goes."""

CHANGES: tuple[Status, ...] = ("new", "changed", "removed")

REASONS: dict[Reason, str] = {
    "not_in_documents": "The documents do not say.",
    "nothing_near": "Nothing in the documents is about this.",
    "empty_question": "There is no question to look for: type a few words.",
    "failed": "Something failed.",
}
"""What a person reads for each reason."""

MAX_CLOSEST = 3
"""Passages shown when the documents do not say: enough to see that they were searched."""

MAX_EXCERPT = 320
"""Characters of a closest passage. Of 105 answerable questions to which the program was silent with an earlier reader
(`tune`, and the same in other words) the answer was to be read in one of the three for 78, and for 63 with half of it;
where each began with its passage, in the order of the search, for 47 and 31."""


def absent_text(answer: Answer) -> str:
    """Which of the question's names and numbers stand nowhere in the documents, as a sentence; empty when all do.

    >>> from qa.datatypes import Absent
    >>> absent_text(Answer("Did Mali meet Perou?", reason="failed", absent=(Absent("Mali"), Absent("Perou", "Peru"))))
    '“Mali” and “Perou” stand nowhere in the documents; “Peru” does.'
    """
    if not answer.absent:
        return ""
    nearest = [each.nearest for each in answer.absent if each.nearest is not None]
    meant = f"; {_listed(nearest)} {'do' if len(nearest) > 1 else 'does'}" if nearest else ""
    stand = "stand" if len(answer.absent) > 1 else "stands"
    return f"{_listed([each.name for each in answer.absent])} {stand} nowhere in the documents{meant}."


def _listed(names: Sequence[str]) -> str:
    """
    >>> _listed(["Mali", "Peru", "1999"])
    '“Mali”, “Peru” and “1999”'
    """
    *first, last = [f"“{name}”" for name in names]
    return f"{', '.join(first)} and {last}" if first else last


# JSON


def answer_json(answer: Answer, identifier: object = None) -> dict[str, Any]:
    """An answer as the versioned JSON object that scripts read; `identifier` is handed through as `id`."""
    closest = [] if answer.citations else [_closest_json(candidate) for candidate in answer.closest[:MAX_CLOSEST]]
    return {
        "schema": SCHEMA,
        "id": identifier,
        "question": answer.question,
        "answer": answer.text,
        "confidence": round(answer.confidence, 4),
        "reason": answer.reason,
        "citations": [citation_json(citation) for citation in answer.citations],
        "alternatives": [
            {
                "answer": other.text,
                "confidence": round(other.confidence, 4),
                "citations": [citation_json(citation) for citation in other.citations],
            }
            for other in answer.alternatives
        ],
        "agreement": {"documents": answer.independent_documents},
        **({"absent": [asdict(each) for each in answer.absent]} if answer.absent else {}),
        **({"closest": closest} if closest else {}),
        **({} if answer.read_as is None else _read_as_json(answer)),
        "seconds": round(answer.seconds, 4),
    }


def _closest_json(candidate: Candidate) -> dict[str, Any]:
    passage, (start, end) = candidate.passage, excerpt(candidate)
    return {
        "document": passage.document,
        "title": passage.title,
        "headings": list(passage.headings),
        "start": start,
        "end": end,
        "text": passage.text[start - passage.start : end - passage.start],
    }


def _read_as_json(answer: Answer) -> dict[str, Any]:
    passages = [candidate.passage for candidate in answer.candidates if candidate.carried]
    return {
        "read_as": answer.read_as,
        "carried": list(answer.carried),
        "carried_passages": [{"document": p.document, "start": p.start, "end": p.end} for p in passages],
    }


def indexed_json(report: IndexReport) -> dict[str, Any]:
    """What bringing an index up to date did, with the status of every file."""
    return {
        "schema": SCHEMA,
        "built": report.built,
        "documents": len(report.manifest.documents),
        "passages": report.manifest.passages,
        "embedded": report.embedded,
        "notes": list(report.notes),
        "files": [{**asdict(file), "seconds": round(file.seconds, 4)} for file in report.files],
    }


def failed_json(question: str, error: Exception, identifier: object = None) -> dict[str, Any]:
    """The same object for a question that could not be answered because something failed; `message` says what."""
    return {**answer_json(Answer(question, reason="failed"), identifier), "message": str(error)}


def citation_json(citation: Citation) -> dict[str, Any]:
    """A citation with every field of the contract, and where the answer is a list the places of its items."""
    return {
        "number": citation.number,
        "document": citation.document,
        "sha256": citation.sha256,
        "title": citation.title,
        "date": None if citation.date is None else citation.date.isoformat(),
        "headings": list(citation.headings),
        "page": citation.page,
        "line": citation.line,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
        "answer_start": citation.answer_start,
        "answer_end": citation.answer_end,
        **({"items": [list(item) for item in citation.items]} if citation.items else {}),
    }


def candidate_json(candidate: Candidate) -> dict[str, Any]:
    """A passage with its place and its scores."""
    passage = candidate.passage
    return {
        "rank": candidate.rank,
        "document": passage.document,
        "title": passage.title,
        "headings": list(passage.headings),
        "label": None if passage.label is None else passage.label.text,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
        "score": round(candidate.score, 6),
        "dense": round(candidate.dense, 4),
        "lexical": round(candidate.lexical, 4),
        "copies": [{"document": copy.document, "start": copy.start, "end": copy.end} for copy in candidate.copies],
    }


def excerpt(candidate: Candidate, characters: int = MAX_EXCERPT) -> tuple[int, int]:
    """The part of a passage that is shown where there is no answer, its place in the document.

    It begins with the sentence in which the reader's best span stands, or one before it where little follows; with a
    few words before the span where the sentence is too long; with the passage where nothing was read.
    """
    passage = candidate.passage
    text, start = passage.text, 0
    if candidate.marked is not None and len(text) > characters:
        first, last = (min(max(at - passage.start, 0), len(text)) for at in candidate.marked)
        starts = [0, *(sentence.start - passage.start for sentence in passage.sentences)]
        start = max(at for at in starts if at <= first)
        if last - start > characters:
            start = max(start, text.rfind(" ", 0, max(first - characters // 4, 0)) + 1)
        start = min((at for at in starts if len(text) - characters <= at <= start), default=start)
    end = start + characters
    if end < len(text):
        space = text.rfind(" ", start + 1, end + 1)
        end = end if space < 0 else space
    return passage.start + start, passage.start + min(end, len(text))


def excerpt_text(candidate: Candidate, characters: int = MAX_EXCERPT) -> str:
    """The words of an excerpt, with an ellipsis where the passage goes on."""
    passage, (start, end) = candidate.passage, excerpt(candidate, characters)
    shown = passage.text[start - passage.start : end - passage.start].strip()
    return f"{'… ' if start > passage.start else ''}{shown}{' …' if end < passage.end else ''}"


# A terminal


def place(citation: Citation) -> str:
    """Where a citation stands, for people: document, page or line, headings, date."""
    at = f"line {citation.line}" if citation.page is None else f"page {citation.page}"
    parts = [f"{shown_name(citation.document)}, {at}", _one_line(" › ".join(citation.headings))]
    if citation.date is not None:
        parts.append(citation.date.isoformat())
    return " · ".join(part for part in parts if part)


def indexed_text(report: IndexReport, index: Path) -> str:
    """What was done, in a line; before it the notes, and each file that was refused with its reason."""
    lines = list(report.notes)
    lines += [f"not read: {shown_name(f.id)}: {shown_name(f.reason or '')}" for f in report.files if f.reason]
    held = f"{len(report.manifest.documents)} documents, {report.manifest.passages} passages"
    if not report.built:
        return "\n".join([*lines, f"Nothing has changed: {held} in {index}."])
    counts = [(report.count(status), status) for status in CHANGES]
    done = [f"{count} {status}" for count, status in counts if count]
    done.append(f"{report.embedded} passages embedded")
    copies = sum(entry.near_duplicate_of is not None for entry in report.manifest.documents)
    if copies:
        done.append(f"{copies} nearly the same as another document: see `qa info`")
    return "\n".join([*lines, f"Indexed {held} in {index} ({', '.join(done)})."])


def answer_text(answer: Answer) -> str:
    """An answer for a terminal: the words, each citation with its sentence, the span between » and «."""
    if answer.text is None:
        assert answer.reason is not None  # an answer is cited or has its reason
        lines = [line for line in (REASONS[answer.reason], _one_line(absent_text(answer))) if line]
        if answer.candidates:
            lines += ["", "The closest passages:"]
            lines += [
                f"  {passage_source(c.passage)}: {_one_line(excerpt_text(c))}" for c in answer.closest[:MAX_CLOSEST]
            ]
        return "\n".join(lines)
    lines = [f"{_lines(answer.citations[0])}   (confidence {answer.confidence:.0%})"]
    if answer.read_as is not None:
        lines += [f"read as: {_one_line(answer.read_as)}"]
    if answer.absent:
        lines += [_one_line(absent_text(answer))]
    lines += ["", *_citations_text(answer.citations)]
    if answer.independent_documents > 1:
        lines += ["", f"{answer.independent_documents} documents agree."]
    if answer.alternatives:
        lines += ["", "Other answers in the documents:"]
        for other in answer.alternatives:
            words = f"{_lines(other.citations[0])}   (confidence {other.confidence:.0%})"
            lines += [indent(line, "  ") for line in (words, *_citations_text(other.citations))]
    return "\n".join(lines)


def _citations_text(citations: Sequence[Citation]) -> list[str]:
    lines = []
    for citation in citations:
        start, end = citation.answer_start - citation.start, citation.answer_end - citation.start
        before, after = f"{citation.quote[:start]}»", f"«{citation.quote[end:]}"
        quote = f"{_one_line(before)}{_lines(citation)}{_one_line(after)}"
        lines += [f"[{citation.number}] {place(citation)}", indent(quote, "    ")]
    return lines


def passage_source(passage: Passage) -> str:
    """The file and the headings under which a passage stands, on one line."""
    parts = (shown_name(passage.document), _one_line(" › ".join(passage.headings)))
    return " · ".join(part for part in parts if part)


def _lines(citation: Citation) -> str:
    """An answer for a terminal: on one line, or a line for each item of a list."""
    return "\n".join(_one_line(line) for line in citation.lines)


def candidates_text(candidates: Sequence[Candidate]) -> str:
    """Passages for a terminal, each with its scores."""
    if not candidates:
        return REASONS["empty_question"]
    return "\n".join(
        f"{c.rank}. {shown_name(c.passage.document)} [{c.passage.start}:{c.passage.end}]  fused {c.score:.4f}  "
        f"dense {c.dense:.3f}  lexical {c.lexical:.2f}\n   {_shortened(c.passage.text)}"
        for c in candidates
    )


def _one_line(text: str) -> str:
    """A text on one line, without characters that could steer a terminal."""
    return " ".join("".join(c if c.isprintable() or c.isspace() else "�" for c in text).split())


def _shortened(text: str, characters: int = 160) -> str:
    line = _one_line(text)
    return line if len(line) <= characters else line[: characters - 1].rsplit(" ", 1)[0] + "…"


# HTML


def marked_html(text: str, start: int, end: int, offset: int = 0) -> str:
    """A text as HTML with `[start, end)` marked, if it is not empty; all escaped. `offset` is where the text begins."""
    if start == end:
        return html.escape(text)
    start, end = start - offset, end - offset
    return f"{html.escape(text[:start])}<mark>{html.escape(text[start:end])}</mark>{html.escape(text[end:])}"


def words_html(citation: Citation) -> str:
    """An answer's words, a line for each item of a list."""
    return "<br>".join(map(html.escape, citation.lines))


def citation_html(citation: Citation) -> str:
    """The quote of a citation with its answer marked."""
    return marked_html(citation.quote, citation.answer_start, citation.answer_end, citation.start)


def document_html(
    document: Document,
    start: int,
    end: int,
    answer_start: int,
    answer_end: int,
    first: int = 0,
    last: int | None = None,
) -> str:
    """A document with a quote and the answer inside it marked, by their places; headings are set off.

    `[first, last)` is the part that is given, the whole by default. The quote is in it, or not at all.
    """
    last = len(document.text) if last is None else last
    if end <= first or last <= start:
        return _headed_html(document, first, last)
    return (
        f"{_headed_html(document, first, start)}<span class='quote' id='quote'>"
        f"{marked_html(document.text[start:end], answer_start, answer_end, start)}</span>"
        f"{_headed_html(document, end, last)}"
    )


def _headed_html(document: Document, start: int, end: int) -> str:
    """A part of a document in which the lines of its headings stand out."""
    text, done, parts = document.text, start, []
    for section in document.sections:
        line_end = text.find("\n", section.start)
        line_end = len(text) if line_end == -1 else line_end
        if done <= section.start and line_end <= end:
            parts += [html.escape(text[done : section.start]), f"<b>{html.escape(text[section.start : line_end])}</b>"]
            done = line_end
    return "".join(parts) + html.escape(text[done:end])
