"""Run the benchmarks that README.md names, and put what they print in place of its tables.

    python -m benchmarks [NAME …]

A section is told by its command, such as `python -m benchmarks.update`; the tables that follow it are replaced. Words
in capitals, such as PEERS, are taken from the environment; sections whose words are not set are left as they are, and
so are those whose command fails: the others are run, and the exit code is 1.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

README = Path(__file__).with_name("README.md")
COMMAND = re.compile(r"`python -m benchmarks\.(?P<rest>[^`]+)`")
TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)
WORD = re.compile(r"\b[A-Z]{3,}\b")


def sections(text: str) -> list[str]:
    """The parts of a README that begin with a heading; together they are the whole text."""
    return re.split(r"(?m)^(?=## )", text)


def rerun(section: str, wanted: list[str]) -> str:
    """A section with new tables, or as it was where it has no command, or is not wanted or possible."""
    found = COMMAND.search(section)
    if found is None:
        return section
    name, *arguments = shlex.split(found["rest"])
    if wanted and name not in wanted:
        return section
    missing = sorted({word for word in WORD.findall(" ".join(arguments)) if word not in os.environ})
    if missing:
        print(f"{name}: left as it was; it needs {', '.join(missing)} in the environment.", flush=True)
        return section
    arguments = [WORD.sub(lambda word: os.environ[word[0]], argument) for argument in arguments]
    print(f"{name} {shlex.join(arguments)}", flush=True)
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    print(printed, flush=True)
    new = [table[0] for table in TABLE.finditer(printed)]
    for old in list(TABLE.finditer(section, found.end()))[: len(new)][::-1]:
        section = section[: old.start()] + new.pop() + section[old.end() :]
    return section


def main() -> None:
    parts = sections(README.read_text(encoding="utf-8"))
    failed: list[str] = []
    for number, section in enumerate(parts):
        try:
            parts[number] = rerun(section, sys.argv[1:])
        except subprocess.CalledProcessError as error:
            failed.append(shlex.join(error.cmd))
        README.write_text("".join(parts), encoding="utf-8")  # what has been measured is kept, whatever comes next
    if failed:
        sys.exit("\n".join(["These failed, and their tables are left as they were:", *failed]))


if __name__ == "__main__":
    main()
