"""The evaluation's report: for a terminal, as JSON, and as one HTML page without anything to load."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from qa.evaluation import Outcome, Report, reliability
from qa.render import answer_json


def report_text(report: Report) -> str:
    """The figures of a split and the marks that were missed."""
    width = max(map(len, report.figures))
    lines = [f"{len(report.outcomes)} questions of the split {report.split!r}"]
    lines += [f"  {name:<{width}}  {shown(name, value)}" for name, value in report.figures.items()]
    for mark in report.missed:
        bound = mark.bound.replace("_", " ")
        lines.append(f"MISSED: {mark.figure} is {report.figures[mark.figure]:.4f}, the mark is {bound} {mark.value}.")
    return "\n".join(lines)


def shown(name: str, value: float) -> str:
    """A figure as people read it: shares in percent, the rest as it is."""
    is_share = not name.startswith(("seconds", "ECE", "AURC", "MRR"))
    return f"{value:7.1%}" if is_share else f"{value:7.3f}"


def report_json(report: Report) -> dict[str, Any]:
    """Figures, missed marks and every outcome."""
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
                "f1": round(o.f1, 4),
                "expected": [a.text for a in o.example.answers],
                "answer": answer_json(o.answer, o.example.id),
            }
            for o in report.outcomes
        ],
    }


def report_html(report: Report) -> str:
    """One page: figures, reliability, and the questions that went wrong."""
    figures = "".join(_row(name, shown(name, value)) for name, value in report.figures.items())
    missed = "".join(f"<li>{html.escape(f'{m.figure}: {m.bound} {m.value}')}</li>" for m in report.missed)
    bars = "".join(
        f"<tr><td>{b.low:.0%}–{b.high:.0%}</td><td>{b.questions}</td><td>{b.mean_confidence:.0%}</td>"
        f"<td><meter min=0 max=1 value={b.share_right:.4f}></meter> {b.share_right:.0%}</td></tr>"
        for b in reliability(report.outcomes)
    )
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Evaluation: {html.escape(report.split)}</title>
<style>
 body {{ font: 16px/1.5 Georgia, serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
 :root {{ color-scheme: light dark }}
 table {{ border-collapse: collapse; margin: 1rem 0 }}
 td, th {{ border-bottom: 1px solid #8888; padding: .3rem .8rem; text-align: left; vertical-align: top }}
</style>
<h1>Evaluation: {len(report.outcomes)} questions, split “{html.escape(report.split)}”</h1>
<table>{figures}</table>
{f"<h2>Marks missed</h2><ul>{missed}</ul>" if missed else "<p>All marks kept.</p>"}
<h2>Reliability</h2>
<table><tr><th>confidence</th><th>questions</th><th>mean confidence</th><th>right</th></tr>{bars}</table>
<h2>What went wrong</h2>
<table><tr><th>id</th><th>question</th><th>expected</th><th>given</th><th>confidence</th></tr>
{_misses(report.outcomes)}</table>
</html>
"""


def _misses(outcomes: Sequence[Outcome]) -> str:
    return "".join(
        "<tr>"
        + "".join(
            f"<td>{html.escape(text)}</td>"
            for text in (
                o.example.id,
                o.example.question,
                " / ".join(dict.fromkeys(a.text for a in o.example.answers)) or "(silence)",
                o.answer.text if o.answer.text is not None else "(silence)",
                f"{o.answer.confidence:.0%}",
            )
        )
        + "</tr>\n"
        for o in outcomes
        if not o.good
    )


def _row(name: str, value: str) -> str:
    return f"<tr><td>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>"
