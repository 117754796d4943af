"""The page as people and browsers meet it: served by the real program, visited in a real Chromium."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page

ROOT = Path(__file__).parents[1]


@contextlib.contextmanager
def served(folder: Path, *options: str, corpus: Path = ROOT / "corpus") -> Iterator[str]:
    """The address of the page over a corpus with the real models, on a free port; the index is built in `folder`."""
    port = free_port()
    command = [sys.executable, str(ROOT / "app.py"), "--corpus", str(corpus), "--index", str(folder / "index")]
    with (folder / "log").open("w+") as log:
        app = subprocess.Popen([*command, "--port", str(port), *options], stdout=log, stderr=log)
        try:
            wait_until(
                lambda: "The page is at" in (folder / "log").read_text(encoding="utf-8") or app.poll() is not None
            )
            assert app.poll() is None, (folder / "log").read_text(encoding="utf-8")
            yield f"http://127.0.0.1:{port}/"
        finally:
            app.terminate()
            app.wait()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_until(happens: Callable[[], bool], seconds: float = 120) -> None:
    for _ in range(int(seconds * 10)):
        if happens():
            return
        time.sleep(0.1)
    raise TimeoutError


class Visit:
    """A browser at the page, and what went wrong or outside meanwhile."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.problems: list[str] = []
        self.hosts: set[str | None] = set()
        page.on("console", lambda message: message.type == "error" and self.problems.append(message.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("dialog", lambda dialog: (self.problems.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname))

    def open(self, path: str = "") -> Visit:
        self.page.goto(self.address + path)
        self.page.get_by_label("Your question").wait_for()
        return self

    def ask(self, question: str) -> Locator:
        """Type a question, press Enter, and wait for the answer."""
        self.page.evaluate("document.querySelectorAll('#answer .answer, #answer .message').forEach(e => e.id = 'old')")
        self.page.get_by_label("Your question").fill(question)
        self.page.keyboard.press("Enter")
        return self.answer()

    def answer(self) -> Locator:
        """The newest answer, or the message in its place, once it is there."""
        new = ":is(.answer:not(.busy), .message):not(#old, .earlier *)"
        answer = self.page.locator(f"#answer {new}")
        answer.wait_for(timeout=60_000)
        return answer

    def close(self) -> None:
        """Fails if the visit ran into an error or asked another host for anything."""
        self.page.close()
        assert not self.problems, self.problems
        assert self.hosts <= {"127.0.0.1", None, ""}


IS_IN_VIEW = """element => {
  const place = element.getBoundingClientRect(), text = element.closest(".text").getBoundingClientRect();
  return place.top >= Math.max(text.top, 0) && place.top < Math.min(text.bottom, innerHeight);
}"""
"""Run on a place in the open document: whether it can be seen."""
