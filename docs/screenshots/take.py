"""Pictures of the page, taken in Chromium over the documents that come with the program and a PDF of its licence.

python -m docs.screenshots.take [FOLDER]
"""

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from fpdf import FPDF
from playwright.sync_api import Page, ViewportSize, sync_playwright

from tests.visiting import ROOT, Visit, served

WIDE: ViewportSize = {"width": 1280, "height": 860}
PHONE: ViewportSize = {"width": 360, "height": 760}

JOINED = "When did Tajikistan join the Partnership for Peace?"
DISPUTED = "How many landmines were destroyed under the Trust Fund project?"
UNANSWERED = "What is the population of Dushanbe?"
IN_PDF = "What must be given to any other recipients of the Work?"


def licence_pdf() -> bytes:
    """The program's licence as it would be printed."""
    pdf = FPDF()
    pdf.set_title("Apache License 2.0")
    pdf.add_page()
    pdf.set_font("Times", "", 11)
    for paragraph in (ROOT / "LICENSE").read_text(encoding="utf-8").split("\n\n"):
        pdf.multi_cell(0, 5, " ".join(paragraph.split()), new_x="LMARGIN", new_y="NEXT")
        pdf.ln(3)
    return bytes(pdf.output())


def ask(*questions: str) -> Callable[[Visit], None]:
    def steps(visit: Visit) -> None:
        for question in questions:
            visit.ask(question)

    return steps


def why(visit: Visit) -> None:
    visit.ask("Which council did Tajikistan join in 1992?")
    visit.ask("And when was it renamed?")
    visit.page.locator(".why summary").first.click()


def tab(name: str) -> Callable[[Visit], None]:
    def steps(visit: Visit) -> None:
        visit.page.get_by_role("tab", name=name).click()
        visit.page.wait_for_timeout(2500)  # tables and plots are drawn

    return steps


PICTURES: list[tuple[str, Callable[[Visit], None], str, ViewportSize]] = [
    ("light", ask(JOINED), "light", WIDE),
    ("dark", ask(JOINED), "dark", WIDE),
    ("phone", ask(JOINED), "light", PHONE),
    ("disagreement", ask(DISPUTED), "light", WIDE),
    ("silent", ask(UNANSWERED), "light", WIDE),
    ("pdf", ask(IN_PDF), "light", WIDE),
    ("why", why, "light", WIDE),
    ("documents", tab("Documents"), "light", WIDE),
    ("evaluation", tab("Evaluation"), "light", WIDE),
]


def settle(page: Page) -> None:
    page.mouse.move(0, 0)
    page.wait_for_timeout(1000)  # the source is scrolled to its place


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        corpus = Path(made) / "corpus"
        shutil.copytree(ROOT / "corpus", corpus)
        (corpus / "apache-license-2.0.pdf").write_bytes(licence_pdf())
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        with served(Path(made), corpus=corpus) as address:
            for name, steps, scheme, size in PICTURES:
                page = browser.new_page(viewport=size, color_scheme="dark" if scheme == "dark" else "light")
                steps(visit := Visit(page, address).open())
                settle(page)
                page.screenshot(path=folder / f"{name}.png")
                visit.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
