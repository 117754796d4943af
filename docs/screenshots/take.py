"""Pictures of the page, taken in Chromium: start `qa serve`, then run this with the folder to write to."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ADDRESS = "http://127.0.0.1:7860/"
QUESTION = "When did Tajikistan join the Partnership for Peace?"
DISPUTED = "How many landmines were destroyed?"
UNANSWERED = "What is the population of Dushanbe?"


def ask(page: Page, question: str) -> None:
    page.goto(ADDRESS)
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")
    page.locator(".answer:not(.busy)").wait_for()
    page.wait_for_timeout(500)  # the source is scrolled to its place


def main(folder: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        wide, narrow = {"width": 1200, "height": 760}, {"width": 360, "height": 760}
        for name, question, scheme, size in [
            ("light", QUESTION, "light", wide),
            ("dark", QUESTION, "dark", wide),
            ("phone", QUESTION, "light", narrow),
            ("disagreement", DISPUTED, "light", wide),
            ("silent", UNANSWERED, "light", wide),
        ]:
            page = browser.new_page(viewport=size, color_scheme=scheme)
            ask(page, question)
            page.screenshot(path=folder / f"{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
