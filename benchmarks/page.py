"""The page in a real browser: how soon it is there, how soon a question is answered, and what it weighs.

    python -m benchmarks.page --questions 60

Starts the program over the documents that come with it, visits it in Chromium, asks questions of the evaluation set one
after the other, and prints the table.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from benchmarks.load import QUESTIONS, ask
from qa.cli import main as qa
from tests.visiting import ROOT, Visit, served

TIMED = """() => {
  const shown = "#answer .answer:not(.busy)";
  addEventListener("keydown", () => (window.begun = performance.now()), { capture: true, once: true });
  new MutationObserver((_, observer) => {
    if (!document.querySelector(shown)) return;
    observer.disconnect();
    requestAnimationFrame(() => (window.waited = performance.now() - window.begun));
  }).observe(document.querySelector("#answer"), { childList: true, subtree: true });
}"""
"""Keeps the time in the page itself: whoever looks from outside looks only now and then."""

STARTS = 5
"""Starts of the program and first visits, of which the median is told."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=60)
    options = parser.parse_args()
    lines = QUESTIONS.read_text(encoding="utf-8").splitlines()[: options.questions]
    texts = [json.loads(line)["question"] for line in lines]
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        qa(["index", "--corpus", str(ROOT / "corpus"), "--index", str(index)], standalone_mode=False)
        starts = [start(Path(folder), texts[0]) for _ in range(STARTS)]
        with served(Path(folder)) as address, sync_playwright() as playwright:
            chromium = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            visits = [first_visit(browser, address) for _ in range(STARTS)]
            waits = np.array(asked(browser, address, texts))
            browser.close()
    shown, requests, sent = np.median(np.array(visits), axis=0)
    print("| | |\n|---|---|")
    print(f"| start of the program to its first answer, s (median of {STARTS}) | {np.median(starts):.1f} |")
    print(f"| first visit until one can type, s (median of {STARTS}) | {shown:.1f} |")
    print(f"| first visit, requests and kB sent | {requests:.0f}, {sent / 1000:,.0f} |")
    print(f"| Enter to the answer on the page, s: median of {len(waits)} questions | {np.median(waits):.2f} |")
    print(f"| 95th percentile | {np.percentile(waits, 95):.2f} |")


def start(folder: Path, question: str) -> float:
    """Seconds from starting the program to the first answer."""
    begun = time.perf_counter()
    with served(folder) as address:
        ask(question, address)
        return time.perf_counter() - begun


def first_visit(browser: Browser, address: str) -> tuple[float, int, float]:
    """Seconds until the question box is there, requests, and bytes sent, with nothing in the browser's cache."""
    page = browser.new_page()
    sizes: list[float] = []

    def counted(event: dict[str, Any]) -> None:
        sizes.append(event["encodedDataLength"])

    watching = page.context.new_cdp_session(page)
    watching.send("Network.enable")
    watching.on("Network.loadingFinished", counted)
    begun = time.perf_counter()
    Visit(page, address).open()
    seconds = time.perf_counter() - begun
    page.locator("#examples button").first.wait_for()  # what is loaded afterwards counts too
    page.context.close()
    return seconds, len(sizes), sum(sizes)


def asked(browser: Browser, address: str, questions: list[str]) -> list[float]:
    """Seconds from pressing Enter to the answer being drawn, the first question not counted."""
    visit = Visit(browser.new_page(), address).open()
    visit.page.locator("#examples button").nth(4).wait_for()
    visit.ask(questions[0])
    waits = []
    for question in questions:
        visit.page.get_by_role("button", name="Begin anew").click()
        visit.page.locator("#answer .answer").wait_for(state="detached")
        visit.page.evaluate(TIMED)
        visit.ask(question)
        waits.append(visit.page.evaluate("window.waited") / 1000)
    return waits


if __name__ == "__main__":
    main()
