"""Free manuals as folders of documents with questions of what to do, so that the program can be judged on such text.

    python -m training.manuals --packages PACKAGES --out MANUALS
    qa index --corpus MANUALS/office/corpus --index MANUALS/office/index     # and images, and system
    qa evaluate --questions MANUALS/system/how_to.jsonl --index MANUALS/system/index

PACKAGES is a folder into which these packages of Debian 12 were unpacked (`apt-get download NAME`, `dpkg -x FILE
PACKAGES`): libreoffice-help-en-us, installation-guide-amd64 (office: guides to Writer, Calc and what they share, and to
the installer), gimp-help-en (images), debian-reference-en, debian-policy (system). Their texts are free, each under its
own licence (MPL 2.0, GPL 2, GFDL 1.2, GPL 2), and stay out of this repository but for the few words by which
`how_to.jsonl` tells where an answer begins and ends.

Language models wrote the questions; they saw the texts and not the program. Of each kind about half are unanswerable:
"steps" ask what to do, "explain" how or why something is, "list" for several things that stand on lines of their own.
Half of them avoid the manual's words, and their unanswerable ones are near misses; "everyday" ones are as people ask.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from qa.datatypes import Document
from qa.index import Index

OFFICE = "usr/share/libreoffice/help/en-US/text"
FOLDERS = {
    "office": {
        "swriter": f"{OFFICE}/swriter/guide/*.html",
        "scalc": f"{OFFICE}/scalc/guide/*.html",
        "shared": f"{OFFICE}/shared/guide/*.html",
        "install": "usr/share/doc/installation-guide-amd64/en/*.html",
    },
    "images": {"": "usr/share/gimp/2.0/help/en/*.html"},
    "system": {"": "usr/share/debian-reference/*.en.html", "policy": "usr/share/doc/debian-policy/policy.html/**/*"},
}
"""Of each manual, what is copied where: the questions name documents by these places."""

SPLITS = {"office": "tune", "images": "tune", "system": "test"}


def copy(packages: Path, manual: str, corpus: Path) -> None:
    """Copy the files of a manual. Raises FileNotFoundError where a package is missing."""
    for folder, pattern in FOLDERS[manual].items():
        files = [path for path in sorted(packages.glob(pattern)) if path.is_file()]
        if not files:
            raise FileNotFoundError(f"There is nothing like {packages / pattern}: unpack the packages there.")
        root = packages / pattern[: pattern.index("*")]
        for path in files:
            target = corpus / folder / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def examples(manual: str, documents: dict[str, Document]) -> Iterator[dict[str, object]]:
    """The questions on a manual as lines of an evaluation set. Raises ValueError where the text is another."""
    lines = Path(__file__).with_name("how_to.jsonl").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(map(json.loads, lines), start=1):
        if line["manual"] != manual:
            continue
        places = [(documents[place["document"]], place["first"], place["last"]) for place in line["places"]]
        answers = [(document, *between(document.text, first, last)) for document, first, last in places]
        yield {
            "id": f"how-to-{number}",
            "split": SPLITS[manual],
            "kind": line["kind"],
            "tags": (["everyday"] if line["everyday"] else []) + ([] if answers else ["unanswerable"]),
            "question": line["question"],
            "answers": [
                {"text": d.text[start:end], "document": d.id, "start": start, "end": end, "variant": "A"}
                for d, start, end in answers
            ],
            "evidence": [],
        }


def between(text: str, first: str, last: str) -> tuple[int, int]:
    """The shortest place that begins and ends with these words. Raises ValueError where there is none.

    >>> between("Open it. Open the  lid. Close it.", "Open the lid.", "Close it.")
    (9, 33)
    """
    begins = [match.start() for match in re.finditer(spaced(first), text)]
    ends = [match.end() for match in re.finditer(spaced(last), text)]
    found = [(end - begin, begin, end) for begin in begins for end in ends if end - begin >= len(last)]
    if not found:
        raise ValueError(f"There is no text from {first!r} to {last!r}.")
    _, begin, end = min(found)
    return begin, end


def spaced(words: str) -> str:
    """A pattern for words with any white space between them."""
    return r"\s+".join(map(re.escape, words.split()))


def main() -> None:
    """Write the folders; the questions once a folder is indexed, for their places are those of the indexed text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, required=True, help="folder with the unpacked packages")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    given = parser.parse_args()
    for manual in FOLDERS:
        folder = given.out / manual
        if not (folder / "index").exists():
            copy(given.packages, manual, folder / "corpus")
            print(f"Now run: qa index --corpus {folder / 'corpus'} --index {folder / 'index'}; then this again.")
            continue
        store = Index.open(folder / "index").store
        documents = {identifier: store.document(identifier) for identifier in store.document_ids()}
        lines = [json.dumps(line, ensure_ascii=False) + "\n" for line in examples(manual, documents)]
        (folder / "how_to.jsonl").write_text("".join(lines), encoding="utf-8")
        print(f"{folder / 'how_to.jsonl'}: {len(lines)} questions")


if __name__ == "__main__":
    main()
