"""How fast files of each format are read: from bytes on the disk to passages, embedding not counted.

    python -m benchmarks.reading [--files 20] [--characters 100000]

Each file holds so many characters of prose in paragraphs under headings, written by the tests' own writers. MB are
millions of bytes of the file, and of the text in it. One file of each format is read before the clock starts.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

import docx
import openpyxl
import pptx

from benchmarks.update import paragraph
from qa.documents import read_document
from qa.passages import passages
from tests import writers

Paragraphs = Sequence[str]


def as_pdf(text: Paragraphs) -> bytes:
    pages = [["# Section", *text[at : at + 7]] for at in range(0, len(text), 7)]
    return writers.pdf_file(pages, title="Report", header="A report", footer="page {page}")


def as_docx(text: Paragraphs) -> bytes:
    document = docx.Document()
    for number, words in enumerate(text):
        if number % 10 == 0:
            document.add_heading(f"Section {number}")
        document.add_paragraph(words)
    return _saved(document)


def as_pptx(text: Paragraphs) -> bytes:
    presentation = pptx.Presentation()
    for words in text:
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = "Slide"
        slide.placeholders[1].text = words
    return _saved(presentation)


def as_xlsx(text: Paragraphs) -> bytes:
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet("Report")
    sheet.append(["Number", "Text"])
    for row in enumerate(text):
        sheet.append(row)
    return _saved(workbook)


def _saved(document: object) -> bytes:
    file = BytesIO()
    document.save(file)  # type: ignore[attr-defined]
    return file.getvalue()


def as_odt(text: Paragraphs) -> bytes:
    body = "".join(f"<text:p>{words}</text:p>" for words in text)
    content = writers.ODT_MEMBERS["content.xml"].replace("</office:text>", body + "</office:text>")
    return writers.archive({**writers.ODT_MEMBERS, "content.xml": content})


def as_epub(text: Paragraphs) -> bytes:
    chapter = writers.CHAPTER.format(heading="Chapter", text="</p><p>".join(text))
    return writers.archive({**writers.EPUB_MEMBERS, "OEBPS/one.xhtml": chapter})


def as_rtf(text: Paragraphs) -> bytes:
    return (r"{\rtf1\ansi " + r"\par\par ".join(text) + r"\par}").encode("ascii")


def as_html(text: Paragraphs) -> bytes:
    return f"<html><title>Report</title><body><h1>Report</h1><p>{'</p><p>'.join(text)}</p></body></html>".encode()


def as_eml(text: Paragraphs) -> bytes:
    mail = EmailMessage()
    mail["Subject"] = "Report"
    mail.set_content("\n\n".join(text))
    return mail.as_bytes()


def as_csv(text: Paragraphs) -> bytes:
    return ("id,text\n" + "".join(f'{number},"{words}"\n' for number, words in enumerate(text))).encode()


def as_text(text: Paragraphs) -> bytes:
    return "\n\n".join(text).encode()


FORMATS: dict[str, Callable[[Paragraphs], bytes]] = {
    ".txt": as_text,
    ".md": as_text,
    ".csv": as_csv,
    ".eml": as_eml,
    ".html": as_html,
    ".epub": as_epub,
    ".rtf": as_rtf,
    ".odt": as_odt,
    ".docx": as_docx,
    ".pptx": as_pptx,
    ".xlsx": as_xlsx,
    ".pdf": as_pdf,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--characters", type=int, default=100_000, help="of text in a file")
    options = parser.parse_args()
    rng = random.Random(0)
    corpus = Path(__file__).parents[1] / "corpus"
    words = sorted({word for path in corpus.glob("*.txt") for word in re.findall(r"[A-Za-z]{3,}", path.read_text())})
    text: list[str] = []
    while sum(map(len, text)) < options.characters:
        text.append(paragraph(words, rng))
    print("| format | files/s | MB of file/s | MB of text/s | passages a file |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for ending, write in FORMATS.items():
            path = Path(folder, f"report{ending}")
            path.write_bytes(write(text))
            read_document(path, path.name)
            begun = time.perf_counter()
            for _ in range(options.files):
                document = read_document(path, path.name)
                cut = passages(document)
            rate = options.files / (time.perf_counter() - begun)
            size, characters = path.stat().st_size / 1e6, len(document.text) / 1e6
            print(f"| {ending} | {rate:.1f} | {rate * size:.2f} | {rate * characters:.2f} | {len(cut)} |", flush=True)


if __name__ == "__main__":
    main()
