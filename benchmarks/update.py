"""How long an update takes, against a full build of the same folder in the same run.

    python -m benchmarks.update [--files 1000] [--rounds 5]

The folder holds so many small text files, each of three paragraphs of its own made from the words of the documents in
`corpus/`. A round changes one paragraph of one file. Printed are seconds and the ratio; model loading is not counted.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import tempfile
import time
from pathlib import Path

from qa.embedding import SentenceTransformerEmbedder
from qa.indexing import index_folder

PARAGRAPHS, SENTENCES, WORDS = 3, 4, 14


def paragraph(words: list[str], rng: random.Random) -> str:
    """Sentences of words drawn at random: no two paragraphs are equal."""
    sentences = (" ".join(rng.choices(words, k=WORDS)).capitalize() + "." for _ in range(SENTENCES))
    return " ".join(sentences)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rng = random.Random(0)
    corpus = Path(__file__).parents[1] / "corpus"
    words = sorted({word for path in corpus.glob("*.txt") for word in re.findall(r"[A-Za-z]{3,}", path.read_text())})
    embedder = SentenceTransformerEmbedder()
    embedder.encode(["The model is loaded here."])
    with tempfile.TemporaryDirectory() as work:
        folder, index = Path(work, "corpus"), Path(work, "index")
        folder.mkdir()
        for number in range(options.files):
            text = "\n\n".join(paragraph(words, rng) for _ in range(PARAGRAPHS))
            (folder / f"note-{number:05}.txt").write_text(text, encoding="utf-8")
        begun = time.perf_counter()
        report = index_folder(folder, index, embedder)
        full = time.perf_counter() - begun
        begun = time.perf_counter()
        assert not index_folder(folder, index, embedder).built
        nothing = time.perf_counter() - begun
        updates = []
        for _ in range(options.rounds):
            path = folder / f"note-{rng.randrange(options.files):05}.txt"
            first, *rest = path.read_text(encoding="utf-8").split("\n\n")
            path.write_text("\n\n".join([paragraph(words, rng), *rest]), encoding="utf-8")
            begun = time.perf_counter()
            changed = index_folder(folder, index, embedder)
            updates.append(time.perf_counter() - begun)
            assert (changed.count("changed"), changed.embedded) == (1, 1)
        update = statistics.median(updates)
    print("| | seconds | of a full build |\n|---|---|---|")
    print(f"| full build, {report.manifest.passages:,} passages | {full:.2f} | 100 % |")
    for name, seconds in (("one file changed", update), ("nothing changed", nothing)):
        print(f"| {name} | {seconds:.3f} | {100 * seconds / full:.1f} % |")


if __name__ == "__main__":
    main()
