"""No network: everything works in a process in which no connection can be made and no name looked up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from qa.embedding import SentenceTransformerEmbedder
from qa.indexing import index_folder
from tests.visiting import free_port

BLOCKED = """
import os, socket, sys

HERE = ("127.0.0.1", "localhost", "::1")  # where the page itself stands

def blocked(*args, **kwargs):
    with open(os.environ["USES"], "a") as uses:  # also those of other threads and processes, where errors are lost
        print("the network was used:", args[1:], file=uses)
    raise OSError("there is no network")

def outside(used):
    def checked(*args, **kwargs):
        where = next((part for part in args if isinstance(part, (tuple, str))), None)
        at = where[0] if isinstance(where, tuple) else where
        return used(*args, **kwargs) if at in HERE else blocked(*args, **kwargs)
    return checked

for name in ("connect", "connect_ex", "sendto", "sendmsg"):
    setattr(socket.socket, name, outside(getattr(socket.socket, name)))
for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "create_connection"):
    setattr(socket, name, outside(getattr(socket, name)))

"""

INDEX_AND_ASK = """
from qa.cli import main

corpus, index = sys.argv[1:]
main(["index", "--corpus", corpus, "--index", index], standalone_mode=False)
question = "When was Tajikistan connected to the Virtual Silk Highway?"
main(["ask", "--index", index, "--json", question], standalone_mode=False)
"""

SERVE_AND_ASK = """
import threading, time, urllib.request
from qa.cli import main

corpus, index, port = sys.argv[1:]
serve = ["serve", "--corpus", corpus, "--index", index, "--port", port]
threading.Thread(target=main, args=(serve,), kwargs={"standalone_mode": False}, daemon=True).start()
address = f"http://127.0.0.1:{port}/"
for _ in range(600):
    time.sleep(0.1)
    try:
        urllib.request.urlopen(address + "healthz")
        break
    except OSError:
        pass
from gradio_client import Client

question = "When did Tajikistan join the Partnership for Peace?"
print(Client(address, verbose=False).predict(question, api_name="/ask")["answer"])
print(len(urllib.request.urlopen(address).read()) > 1000)
sys.stdout.flush()
os._exit(0)
"""


def run(program: str, folder: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], str]:
    """What a program did, in a user's home that is new, and how it used the network."""
    # What a user's settings might say of a hub has no part in it; nor that this is an automatic test.
    left_out = ("HF_", "TRANSFORMERS_", "CI", "GITHUB_", "GITLAB_", "JENKINS_", "BUILD_", "TF_", "TRAVIS", "TEAMCITY")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    uses, home = folder / "uses", folder / "home"
    uses.touch()
    home.mkdir()
    ran = subprocess.run(
        [sys.executable, "-c", BLOCKED + program, *arguments],
        cwd=Path(__file__).parents[1],
        env={**environment, "USES": str(uses), "HOME": str(home), "QA_CACHE": str(home / "cache")},
        check=False,
        capture_output=True,
        text=True,
    )
    return ran, uses.read_text()


def test_indexing_and_asking_use_no_network(corpus: Path, tmp_path: Path) -> None:
    found, uses = run(INDEX_AND_ASK, tmp_path, str(corpus), str(tmp_path / "index"))

    assert found.returncode == 0, found.stderr
    indexed, answer = found.stdout.splitlines()
    assert indexed == f"Indexed 2 documents, 33 passages in {tmp_path / 'index'} (2 new, 33 passages embedded)."
    assert json.loads(answer)["answer"] == "2003"
    assert not uses
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["cache"]  # nothing else is left with the user


def test_the_page_uses_no_network(corpus: Path, embedder: SentenceTransformerEmbedder, tmp_path: Path) -> None:
    index_folder(corpus, tmp_path / "index", embedder)

    found, uses = run(SERVE_AND_ASK, tmp_path, str(corpus), str(tmp_path / "index"), str(free_port()))

    assert found.stdout.splitlines()[-2:] == ["2002", "True"], found.stderr
    assert not uses


@pytest.mark.parametrize(
    "use",
    [
        "import urllib.request; urllib.request.urlopen('http://192.0.2.1/')",
        "import http.client; http.client.HTTPConnection('192.0.2.1').request('GET', '/')",
        "socket.getaddrinfo('huggingface.co', 443)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))",
        "import openvino",  # by itself
    ],
)
def test_the_block_would_notice(use: str, tmp_path: Path) -> None:
    _, uses = run(f"{use}\nimport time; time.sleep(1)", tmp_path)

    assert "the network was used" in uses
