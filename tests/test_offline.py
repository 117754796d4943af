"""No network: everything works in a process in which no connection can be made and no name looked up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BLOCKED = """
import socket, sys

def blocked(*args, **kwargs):
    raise SystemExit(f"the network was used: {args[1:]}")

for name in ("connect", "connect_ex", "sendto", "sendmsg"):
    setattr(socket.socket, name, blocked)
for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "create_connection"):
    setattr(socket, name, blocked)

"""

INDEX_AND_ASK = """
from qa.cli import main

corpus, index = sys.argv[1:]
main(["index", "--corpus", corpus, "--index", index], standalone_mode=False)
question = "When was Tajikistan connected to the Virtual Silk Highway?"
main(["ask", "--index", index, "--json", question], standalone_mode=False)
"""


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    # What a user's settings might say of a hub has no part in it.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))}
    return subprocess.run(
        [sys.executable, "-c", BLOCKED + program, *arguments],
        cwd=Path(__file__).parents[1],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )


def test_indexing_and_asking_use_no_network(corpus: Path, tmp_path: Path) -> None:
    found = run(INDEX_AND_ASK, str(corpus), str(tmp_path / "index"))

    assert found.returncode == 0, found.stderr
    indexed, answer = found.stdout.splitlines()
    assert indexed == f"Indexed 2 documents, 33 passages in {tmp_path / 'index'} (2 new, 33 passages embedded)."
    assert json.loads(answer)["answer"] == "2003"


@pytest.mark.parametrize(
    "use",
    [
        "import urllib.request; urllib.request.urlopen('http://192.0.2.1/')",
        "import http.client; http.client.HTTPConnection('192.0.2.1').request('GET', '/')",
        "socket.getaddrinfo('huggingface.co', 443)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))",
    ],
)
def test_the_block_would_notice(use: str) -> None:
    found = run(use)

    assert found.returncode == 1
    assert "the network was used" in found.stderr
