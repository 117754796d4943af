"""What the README tells programs to do, done as it stands there."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
PAGE = "http://127.0.0.1:7860/"


def block(language: str, address: str) -> str:
    """The code in the part for programs, with the page's address put in."""
    part = README.split("## For programs")[1].split("\n## ")[0]
    found = re.search(rf"```{language}\n(.*?)```", part, re.DOTALL)
    assert found is not None
    return found[1].replace(PAGE, address)


def test_curl_asks_as_the_readme_says(address: str) -> None:
    done = subprocess.run(["bash", "-c", block("sh", address)], capture_output=True, text=True, check=True)

    assert "event: complete" in done.stdout
    assert '"answer": "2002"' in done.stdout


def test_python_asks_as_the_readme_says(address: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(block("python", address), "README.md", "exec"), {})

    assert printed.getvalue().startswith("2002 ['asia-plus-2011-06-23-zarifi-receives-appathurai.txt'")
    assert printed.getvalue().rstrip().endswith(" 2")
