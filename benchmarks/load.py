"""Many people asking the page at once, for long: are they answered, how soon, and does the memory stay flat?

    python -m benchmarks.load --people 20 --questions 2000

Starts the program over the documents that come with it, asks through its HTTP endpoint, and prints the table.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np

from benchmarks.peers.task import resident

ROOT = Path(__file__).parents[1]
QUESTIONS = ROOT / "tests" / "evaluation" / "questions.jsonl"
PORT = 7899
SETTLED = 200  # questions after which nothing should grow any more


def ask(question: str, address: str = f"http://127.0.0.1:{PORT}/") -> tuple[str | None, float]:
    """The answer, and the seconds until it was there."""
    begun = time.perf_counter()
    headers = {"Content-Type": "application/json"}
    body = json.dumps({"question": question}).encode()
    with urlopen(Request(f"{address}gradio_api/call/v2/ask", body, headers)) as response:
        event = json.load(response)["event_id"]
    with urlopen(f"{address}gradio_api/call/ask/{event}") as stream:
        lines = stream.read().decode().splitlines()
    if "event: complete" not in lines:
        raise RuntimeError(f"{question}: {lines}")
    return json.loads(lines[-2].removeprefix("data: "))[0]["answer"], time.perf_counter() - begun


def wait_until_ready(app: subprocess.Popen[bytes]) -> None:
    while app.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{PORT}/healthz"):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("The program has ended.")


def run(people: int, questions: Sequence[str], process: int) -> None:
    alone = {question: ask(question) for question in dict.fromkeys(questions)}
    after_one, held, given = resident(process), [], []
    with ThreadPoolExecutor(people) as pool:
        begun = time.perf_counter()
        for answer in pool.map(ask, questions):
            given.append(answer)
            held.append(resident(process))
        seconds = time.perf_counter() - begun
    waited = np.array([waiting for _, waiting in given])
    same = sum(answer == alone[question][0] for question, (answer, _) in zip(questions, given, strict=True))
    single = np.array([waiting for _, waiting in alone.values()])
    print("| | one alone | together |\n|---|---|---|")
    print(f"| people | 1 | {people} |\n| questions | {len(alone)} | {len(given)} |")
    print(f"| answered as when alone | | {same} |")
    print(f"| questions a second | {1 / single.mean():.1f} | {len(given) / seconds:.1f} |")
    print(f"| seconds, median | {np.median(single):.2f} | {np.median(waited):.2f} |")
    print(f"| seconds, 95th percentile | {np.percentile(single, 95):.2f} | {np.percentile(waited, 95):.2f} |")
    print(f"| memory after {SETTLED} questions, MB | {after_one:.0f} | {held[min(SETTLED, len(held)) - 1]:.0f} |")
    print(f"| memory after all, MB | | {held[-1]:.0f} |")
    print(f"| memory at most, MB | | {max(held):.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--questions", type=int, default=2_000)
    options = parser.parse_args()
    lines = QUESTIONS.read_text(encoding="utf-8").splitlines()[:SETTLED]
    texts = [json.loads(line)["question"] for line in lines]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(ROOT / "app.py"), "--corpus", str(ROOT / "corpus"), "--index", folder]
        app = subprocess.Popen([*command, "--port", str(PORT)], stdout=subprocess.DEVNULL)
        try:
            wait_until_ready(app)
            run(options.people, list(islice(cycle(texts), options.questions)), app.pid)
        finally:
            app.terminate()
            app.wait()


if __name__ == "__main__":
    main()
