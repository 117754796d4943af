"""Paragraphs of texts that packages carry, and the questions on them that were written for this.

    python -m training.texts --packages PACKAGES --out DATA/texts.json
    python -m training.texts --held-out DATA/texts.json --out HELD_OUT     # and index it, as training.articles says

PACKAGES is a folder into which were unpacked the wheel of gensim 4.4.0 (`pip download --no-deps gensim==4.4.0`,
`unzip`) and these packages of Debian 12 (`apt-get download NAME`, `dpkg -x FILE PACKAGES`): debian-handbook,
debian-history. From gensim's test data come 106 articles of the English Wikipedia (CC BY-SA 4.0) and 300 short news
reports of the Australian Broadcasting Corporation; the handbook is under GPL 2 or CC BY-SA 3.0, the history under
GPL 2. The texts stay out of this repository but for the answers in `written.jsonl`.

Language models wrote the questions; they saw the paragraphs and neither the program nor its documents. Two of five are
unanswerable: near misses, things not told, what one would ask next, false premises. Of the others one in eight is of
yes or no, and one in eight is not put as a neat question; of the last 7,487 one in three is not.
"""

import argparse
import bz2
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import mwparserfromhell
from lxml import etree, html

from training.articles import example, write_articles, write_lines
from training.data import Dataset, Paragraph, Question

WRITTEN = Path(__file__).with_name("written.jsonl")

WIKIPEDIA = "gensim/test/test_data/enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2"
NEWS = "gensim/test/test_data/lee_background.cor"
BOOKS = ("usr/share/doc/debian-handbook/html/en-US/*.html", "usr/share/doc/debian-history/docs/*.en.html")

SHORTEST = 300
"""Characters below which a paragraph has too little to ask about."""

HELD_OUT = frozenset(("Albania", "Aikido", "Foreign relations of Angola", "Virtualization", "Backup"))
HELD_OUT_NEWS = "1"
"""Titles, and the first hex digits of news reports' keys, on which nothing is trained: one paragraph in 26."""

_LEFT_OUT = re.compile(
    r"<ref[^>/]*/>|<ref[^>]*>.*?</ref>|<!--.*?-->|\[\[(?:File|Image):(?:[^\[\]]|\[\[[^\]]*\]\])*\]\]", re.DOTALL
)
_MEASURE = re.compile(r"\{\{(?:convert|cvt)\|([\d.,]+)\|([^|}]+)[^}]*\}\}")
_MARKUP_LEFT = re.compile(r"\||\{\{|\[\[|<\w")
_EMPTY_BRACKETS = re.compile(r" ?\([\s;,]*\)")


def wikipedia(path: Path) -> Iterator[tuple[str, str]]:
    """Title and text of each paragraph; templates, tables and notes are left out."""
    with bz2.open(path) as file:
        for _, page in etree.iterparse(file, tag="{*}page", recover=True):
            title, namespace, text = (page.findtext(f".//{{*}}{name}") or "" for name in ("title", "ns", "text"))
            page.clear()
            if namespace != "0" or text.lower().startswith("#redirect"):
                continue
            text = _MEASURE.sub(r"\1 \2", _LEFT_OUT.sub("", text))
            for line in mwparserfromhell.parse(text).strip_code(normalize=True, collapse=True).split("\n"):
                line = re.sub(r"\s+([,.;:])", r"\1", _EMPTY_BRACKETS.sub("", " ".join(line.split())))
                if re.search(r"[.!?\"')]$", line) and not _MARKUP_LEFT.search(line):
                    yield title, line


def news(path: Path) -> Iterator[tuple[str, str]]:
    """Each report as one paragraph, without a title: it has none."""
    for line in path.read_text(encoding="latin-1").splitlines():
        yield "", " ".join(line.split())


def book(path: Path) -> Iterator[tuple[str, str]]:
    """The paragraphs of a page, under its title."""
    page = html.parse(str(path), html.HTMLParser(encoding="utf-8")).getroot()
    title = re.sub(r"^(?:Chapter )?[\d.]+\s*", "", " ".join((page.findtext(".//title") or "").split()))
    for block in page.xpath("//p | //div[@class='para']"):
        if not block.xpath(".//p | .//div"):
            yield title, " ".join(block.text_content().split())


def paragraphs(packages: Path) -> dict[str, tuple[str, str]]:
    """Title and text by a key made from them. Raises FileNotFoundError where a package is missing."""
    pairs = [*wikipedia(packages / WIKIPEDIA), *news(packages / NEWS)]
    for pattern in BOOKS:
        pages = sorted(packages.glob(pattern))
        if not pages:
            raise FileNotFoundError(f"There is nothing like {packages / pattern}: unpack the packages there.")
        pairs += [pair for page in pages for pair in book(page)]
    return {
        hashlib.sha256(f"{title}\n{text}".encode()).hexdigest()[:10]: (title, text)
        for title, text in pairs
        if len(text) >= SHORTEST
    }


def written_questions(texts: Path, *, held_out: bool) -> Dataset:
    """The questions on the paragraphs that are held out, or on the others.

    `texts` is the file that this module makes. Raises KeyError where it lacks a paragraph: the packages were others.
    """
    known = json.loads(texts.read_text(encoding="utf-8"))
    places: dict[str, int] = {}
    chosen: list[Paragraph] = []
    questions: list[Question] = []
    for row, line in enumerate(WRITTEN.read_text(encoding="utf-8").splitlines()):
        written = json.loads(line)
        key = written["paragraph"]
        title, text = known[key]
        if (title in HELD_OUT or (not title and key < HELD_OUT_NEWS)) is not held_out:
            continue
        if key not in places:
            places[key] = len(chosen)
            chosen.append(Paragraph(title, text))
        answers = (written["answer"],) if "answer" in written else ()
        questions.append(Question(f"written-{row}", written["question"], answers, places[key]))
    return Dataset(tuple(chosen), tuple(questions))


def write_held_out(texts: Path, folder: Path) -> None:
    """The held-out paragraphs as documents with questions; each news report is one of its own."""
    dataset = written_questions(texts, held_out=True)
    paragraphs = tuple(
        paragraph if paragraph.title else replace(paragraph, title=f"Report {number}")
        for number, paragraph in enumerate(dataset.paragraphs, start=1)
    )
    dataset = replace(dataset, paragraphs=paragraphs)
    places = write_articles(dataset, folder / "corpus")
    write_lines(folder / "questions.jsonl", [example(q, dataset, places, "tune") for q in dataset.questions])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--packages", type=Path, help="folder with the unpacked packages")
    given.add_argument("--held-out", type=Path, help="what was made of them, to write its held-out part as documents")
    parser.add_argument("--out", type=Path, required=True, help="the paragraphs as JSON; the folder of documents")
    options = parser.parse_args()
    if options.held_out is not None:
        write_held_out(options.held_out, options.out)
        return
    options.out.write_text(json.dumps(paragraphs(options.packages), ensure_ascii=False, indent=0) + "\n", "utf-8")


if __name__ == "__main__":
    main()
