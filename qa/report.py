"""The evaluation's report: for a terminal, as JSON, and as one HTML page without anything to load."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence
from typing import Any

from qa.evaluation import Mark, Outcome, Report, Risk, Verdict, reliability, risk_coverage
from qa.render import answer_json

MARKS_ARE_EXACT = "The marks are set in float32, in which --reader span-exact computes anywhere."
"""To be told where a mark was missed: in 8 bits a figure of so few questions differs from processor to processor."""

MEANINGS: dict[str, dict[str, str]] = {
    "Retrieval": {
        "recall@1": "of the answerable questions: the first passage found holds an accepted answer",
        "recall@5": "one of the first five does",
        "recall@10": "one of the first ten does",
        "MRR": "mean of 1 / rank of the first such passage; 1 is best",
    },
    "Reading": {
        "exact match": "of the answerable questions: the answer given is word for word an accepted one",
        "F1": "words that the answer given shares with the nearest accepted one; silence counts 0",
    },
    "Answering": {
        "right answers": "of the answerable questions: answered rightly, every side of a disagreement shown",
        "wrong answers": "of the answerable questions: answered wrongly",
        "disagreements shown": "where the documents give different answers: all are shown",
        "wrongly silent": "of the answerable questions: not answered",
        "shown when silent": "of these: the answer is to be read in the closest passages",
        "rightly silent": "of the questions that the documents do not answer: not answered",
        "good outcomes": "of all questions: a right answer, or silence where nothing is said",
        "rejected again": "of the questions of which only a wrong answer is known: it was given again",
    },
    "Citing": {
        "exact citations": "of all citations: the quote is a slice of the document, which is unchanged",
        "right document": "of the answers given to answerable questions: cited from a document that holds one",
    },
    "Confidence": {
        "ECE": "mean distance between the confidence and the share of right answers; 0 is best",
        "AURC": "mean share of wrong answers over all levels of confidence from which one might answer; 0 is best",
    },
    "Time": {
        "seconds, median": "half of the answers took no longer",
        "seconds, 95 %": "nineteen of twenty answers took no longer",
    },
}
"""What each figure means, by stage."""

VERDICTS: tuple[Verdict, ...] = ("right", "rightly silent", "incomplete", "wrong", "wrongly silent", "not judged")
"""From good to bad, then those of which nothing is known."""


# A terminal


def report_text(report: Report) -> str:
    """The figures of a split, the marks that were missed, and what was left out."""
    width = max(map(len, report.figures), default=0)
    lines = [f"{_questions(report)} of the split {report.split!r}"]
    lines += [f"  {name:<{width}}  {shown(name, value)}" for name, value in report.figures.items()]
    for mark in report.missed:
        bound = mark.bound.replace("_", " ")
        lines.append(f"MISSED: {mark.figure} is {report.figures[mark.figure]:.4f}, the mark is {bound} {mark.value}.")
    lines += [f"Left out: {left.example.id} ({left.example.question}): {left.reason}" for left in report.left_out]
    return "\n".join(lines)


def _questions(report: Report) -> str:
    return f"{len(report.outcomes)} question{'' if len(report.outcomes) == 1 else 's'}"


def shown(name: str, value: float) -> str:
    """A figure as people read it: shares in percent, the rest as it is."""
    is_share = not name.startswith(("seconds", "ECE", "AURC", "MRR"))
    return f"{value:7.1%}" if is_share else f"{value:7.3f}"


def counted(outcomes: Sequence[Outcome]) -> str:
    """How many questions came to what: "5 right, 2 rightly silent, 1 wrong"."""
    count = Counter(outcome.verdict for outcome in outcomes)
    return ", ".join(f"{count[verdict]} {verdict}" for verdict in VERDICTS if count[verdict])


# JSON


def report_json(report: Report) -> dict[str, Any]:
    """Figures, missed marks, every outcome, and what was left out."""
    return {
        "split": report.split,
        "questions": len(report.outcomes),
        "figures": {name: round(value, 4) for name, value in report.figures.items()},
        "missed": [{"figure": m.figure, "bound": m.bound, "value": m.value} for m in report.missed],
        "outcomes": [
            {
                "id": o.example.id,
                "good": o.good,
                "right": o.right,
                "verdict": o.verdict,
                "f1": round(o.f1, 4),
                "expected": [a.text for a in o.example.answers],
                "answer": answer_json(o.answer, o.example.id),
            }
            for o in report.outcomes
        ],
        "left_out": [{"id": left.example.id, "reason": left.reason} for left in report.left_out],
    }


# HTML


def report_html(report: Report) -> str:
    """One page: figures, reliability, risk and coverage, and the questions that went wrong."""
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Evaluation: {html.escape(report.split)}</title>
<style>
 body {{ font: 16px/1.5 Georgia, serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
 :root {{ color-scheme: light dark }}
 table {{ border-collapse: collapse; margin: 1rem 0 }}
 td, th {{ border-bottom: 1px solid #8888; padding: .3rem .8rem; text-align: left; vertical-align: top }}
 small {{ display: block; opacity: .75; font-weight: normal }}
</style>
<h1>Evaluation: {_questions(report)}, split “{html.escape(report.split)}”</h1>
<p>{html.escape(counted(report.outcomes))}.</p>
{figures_html(report)}
{_marks_html(report)}
<h2>Reliability</h2>
{reliability_html(report.outcomes)}
<h2>Risk and coverage</h2>
{coverage_html(report.outcomes)}
<h2>What went wrong</h2>
<table><tr><th>id</th><th>question</th><th>verdict</th><th>expected</th><th>given</th><th>confidence</th></tr>
{_misses(report.outcomes)}</table>
{left_out_html(report)}
</html>
"""


def figures_html(report: Report) -> str:
    """The figures as a table, by stage, each with its meaning and, where one is set, its mark."""
    marks = {mark.figure: mark for mark in report.marks}
    head = f"<tr><th>figure</th><th>value</th>{'<th>pass mark</th>' if marks else ''}</tr>"
    stages = "".join(
        f"<tbody><tr><th colspan='{3 if marks else 2}' scope='rowgroup'>{stage}</th></tr>"
        + "".join(_figure_html(name, meaning, report, marks) for name, meaning in meanings.items())
        + "</tbody>"
        for stage, meanings in MEANINGS.items()
        if any(name in report.figures for name in meanings)
    )
    return f"<table class='figures'><thead>{head}</thead>{stages}</table>"


def _figure_html(name: str, meaning: str, report: Report, marks: dict[str, Mark]) -> str:
    if name not in report.figures:
        return ""
    bound = f"<td>{_mark_html(marks[name], report)}</td>" if name in marks else "<td></td>" if marks else ""
    return (
        f"<tr><th scope='row'>{name} <small>{meaning}</small></th>"
        f"<td>{shown(name, report.figures[name]).strip()}</td>{bound}</tr>"
    )


def _mark_html(mark: Mark, report: Report) -> str:
    kept = mark not in report.missed
    bound = f"{'≥' if mark.bound == 'at_least' else '≤'} {shown(mark.figure, mark.value).strip()}"
    return f"<span class='{'kept' if kept else 'missed'}'>{'✓ kept' if kept else '✗ missed'}</span> {bound}"


def _marks_html(report: Report) -> str:
    if report.missed:
        items = "".join(f"<li>{html.escape(f'{m.figure}: {m.bound} {m.value}')}</li>" for m in report.missed)
        return f"<h2>Marks missed</h2><ul>{items}</ul><p>{MARKS_ARE_EXACT}</p>"
    return "<p>All marks kept.</p>" if report.marks else ""


def reliability_html(outcomes: Sequence[Outcome]) -> str:
    """The reliability diagram as a table."""
    bars = "".join(
        f"<tr><td>{b.low:.0%}–{b.high:.0%}</td><td>{b.questions}</td><td>{b.mean_confidence:.0%}</td>"
        f"<td><meter min=0 max=1 value={b.share_right:.4f}></meter> {b.share_right:.0%}</td></tr>"
        for b in reliability(outcomes)
    )
    return (
        "<table><thead><tr><th>confidence</th><th>questions</th><th>mean confidence</th><th>right</th></tr></thead>"
        f"<tbody>{bars}</tbody></table>"
    )


def coverage_html(outcomes: Sequence[Outcome]) -> str:
    """The risk-coverage curve as a table, in tenths of the questions."""
    rows = "".join(
        f"<tr><td>{point.coverage:.0%}</td><td>{point.confidence:.0%}</td><td>{point.risk:.0%}</td></tr>"
        for point in _tenths(risk_coverage(outcomes))
    )
    return (
        "<table><thead><tr><th>questions answered</th><th>from this confidence on</th><th>wrong of these</th></tr>"
        f"</thead><tbody>{rows}</tbody></table>"
    )


def _tenths(curve: Sequence[Risk]) -> list[Risk]:
    """The points of a curve nearest to a tenth, two tenths, … of its questions; every point of a short curve."""
    return [curve[i] for i in sorted({max(round(len(curve) * tenth / 10), 1) - 1 for tenth in range(1, 11)}) if curve]


def left_out_html(report: Report) -> str:
    """The examples that were not asked, and why; nothing where there are none."""
    if not report.left_out:
        return ""
    items = "".join(
        f"<li>{html.escape(left.example.question)} <small>{html.escape(left.reason)}</small></li>"
        for left in report.left_out
    )
    return f"<h2>Left out</h2><ul>{items}</ul>"


def expected(outcome: Outcome) -> str:
    """What would have been right, in a line."""
    if outcome.example.rejected is None:
        return " / ".join(dict.fromkeys(a.text for a in outcome.example.answers)) or "(silence)"
    return "not " + (" / ".join(dict.fromkeys(r.text for r in outcome.example.rejected)) or "silence")


def _misses(outcomes: Sequence[Outcome]) -> str:
    return "".join(
        "<tr>"
        + "".join(
            f"<td>{html.escape(text)}</td>"
            for text in (
                o.example.id,
                o.example.question,
                o.verdict,
                expected(o),
                o.answer.text if o.answer.text is not None else "(silence)",
                f"{o.answer.confidence:.0%}",
            )
        )
        + "</tr>\n"
        for o in outcomes
        if o.missed
    )
