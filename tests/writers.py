"""Real files of every format, written by real writers, for the tests of reading."""

from __future__ import annotations

import datetime
import email.message
import io
import zipfile
from collections.abc import Mapping, Sequence

import docx
import openpyxl
import pptx
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from fpdf import FPDF
from pptx.util import Mm

FACT = "The stone bridge at Exeter was opened by Mayor Alice Hooper in 1905."
"""The sentence that every file written here holds once."""

FILLER = "The road along the river floods in most winters, and the carts wait on the hill."

WRITTEN = datetime.datetime(2019, 5, 4, 10, tzinfo=datetime.timezone.utc)
"""The date in the properties of every file that has any."""

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    + "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


def pdf_file(
    pages: Sequence[Sequence[str]],
    title: str = "",
    header: str | Sequence[str] = "",
    footer: str = "",
    **lock: str,
) -> bytes:
    """A PDF with these paragraphs on its pages; one that begins with "#" (to "###") is a heading.

    `header` is the same on all pages, or one for each; `footer` may hold {page}. With `password`, the file is
    encrypted.
    """
    pdf = FPDF()
    pdf.set_auto_page_break(False)
    pdf.set_creation_date(WRITTEN)
    if title:
        pdf.set_title(title)
    if lock:
        pdf.set_encryption(owner_password=lock["password"], user_password=lock["password"])
    for number, paragraphs in enumerate(pages, start=1):
        pdf.add_page()
        if header:
            _line(pdf, header if isinstance(header, str) else header[number - 1], y=8, size=9)
        pdf.set_y(25)
        for text in paragraphs:
            words = text.lstrip("# ")
            size = {0: 11, 2: 20, 3: 16, 4: 13}[len(text) - len(words)]
            pdf.set_font("Helvetica", "B" if size > 11 else "", size)
            pdf.multi_cell(0, size / 2, words, align="L", new_x="LMARGIN", new_y="NEXT")
            pdf.ln(4)
        if footer:
            _line(pdf, footer.format(page=number), y=285, size=9)
    return bytes(pdf.output())


def _line(pdf: FPDF, text: str, y: float, size: float) -> None:
    pdf.set_y(y)
    pdf.set_font("Helvetica", "", size)
    pdf.cell(0, 5, text)


def table_pdf(
    *tables: Sequence[Sequence[str]], before: str = FILLER, after: str = FILLER, borders: str = "ALL"
) -> bytes:
    """A PDF page with tables between two paragraphs; cells of several lines stand in the middle of their row."""
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", "", 11)
    for number, rows in enumerate(tables):
        pdf.multi_cell(0, 6, f"{before} {number}", align="L", new_x="LMARGIN", new_y="NEXT")
        pdf.ln(4)
        with pdf.table(rows, borders_layout=borders, text_align="LEFT", first_row_as_headings=False, width=180):
            pass
        pdf.ln(4)
    pdf.multi_cell(0, 6, after, align="L")
    return bytes(pdf.output())


def two_column_pdf(left: str, right: str) -> bytes:
    """A PDF page of two columns."""
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", "", 11)
    for x, text in ((10, left), (110, right)):
        pdf.set_xy(x, 30)
        pdf.multi_cell(85, 5, text, align="L")
    return bytes(pdf.output())


def scanned_pdf() -> bytes:
    """A PDF with a picture and no text."""
    pdf = FPDF()
    pdf.add_page()
    pdf.image(io.BytesIO(PIXEL), 10, 10, 100, 100)
    return bytes(pdf.output())


def docx_file() -> bytes:
    """A Word file with a title, headings, a list, a table, a text in a table of the layout, and a header."""
    document = docx.Document()
    document.core_properties.title = "Word Document"
    document.core_properties.created = WRITTEN
    document.sections[0].header.paragraphs[0].text = "Confidential draft"
    document.add_paragraph("Bridges of Devon", style="Title")
    document.add_heading("History", 1)
    document.add_paragraph(FILLER)
    document.add_heading("Openings", 2)
    paragraph = document.add_paragraph("The stone bridge at Exeter was ")
    paragraph.add_run("opened").bold = True
    paragraph.add_run(" by Mayor Alice Hooper in 1905.")
    document.add_heading("Upkeep", 1)
    document.add_paragraph("Each year these are done:")
    document.add_paragraph("The joints are greased.", style="List Bullet")
    document.add_paragraph("The lamps are tested.", style="List Bullet")
    table = document.add_table(rows=0, cols=3)
    for row in (("Bridge", "Built", "Length"), ("Exe", "1905", "210 m"), ("Teign", "1827", "95 m")):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    return _saved(document)


_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
_W += 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'


def docx_with(body: str, notes: str = "") -> bytes:
    """A Word file with this mark-up for its body, and for its footnotes."""
    document = docx.Document()
    for element in parse_xml(f"<w:body {_W}>{body}</w:body>"):
        document.element.body.insert_element_before(element, "w:sectPr")
    if notes:
        content = f"<w:footnotes {_W}>{notes}</w:footnotes>".encode()
        kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
        part = Part(PackURI("/word/footnotes.xml"), kind, content, document.part.package)
        document.part.relate_to(part, "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes")
    return _saved(document)


def pptx_file() -> bytes:
    """Three slides: a title slide, one of bullets, one with a table and speaker's notes."""
    presentation = pptx.Presentation()
    presentation.core_properties.title = "PowerPoint Presentation"
    presentation.core_properties.created = WRITTEN
    first = presentation.slides.add_slide(presentation.slide_layouts[0])
    first.shapes.title.text = "Bridges of Devon"
    first.placeholders[1].text = "A talk for the county"
    second = presentation.slides.add_slide(presentation.slide_layouts[1])
    second.shapes.title.text = "Openings"
    second.placeholders[1].text = f"{FACT}\n{FILLER}"
    third = presentation.slides.add_slide(presentation.slide_layouts[5])
    third.shapes.title.text = "Figures"
    table = third.shapes.add_table(2, 2, 0, 0, 4_000_000, 1_000_000).table
    for i, row in enumerate((("Bridge", "Built"), ("Exe", "1905"))):
        for j, text in enumerate(row):
            table.cell(i, j).text = text
    third.notes_slide.notes_text_frame.text = "The figures are those of the survey."
    return _saved(presentation)


def slide_of_boxes(*boxes: tuple[int, int, int, int, str], in_group: bool = False) -> bytes:
    """A slide with text boxes: each with its left edge, top, width and height in millimetres, and its text."""
    presentation = pptx.Presentation()
    shapes = presentation.slides.add_slide(presentation.slide_layouts[6]).shapes
    shapes = shapes.add_group_shape().shapes if in_group else shapes
    for *place, text in boxes:
        shapes.add_textbox(*map(Mm, place)).text_frame.text = text
    return _saved(presentation)


def xlsx_file() -> bytes:
    """A workbook: a sheet with a title, a table and a note, one of words, one that is hidden."""
    workbook = openpyxl.Workbook()
    workbook.properties.title = "Bridges of Devon"
    workbook.properties.created = WRITTEN.replace(tzinfo=None)
    figures = workbook.active
    figures.title = "Figures"
    figures["B2"] = "Table 1: Bridges and their tolls"
    rows = (
        ("Bridge", "Opened", 2019, "Share"),
        ("Exe", datetime.date(1905, 5, 4), 1234.5, 0.125),
        ("Teign", 1827, 95, None),
    )
    for i, row in enumerate(rows, start=4):
        for j, value in enumerate(row, start=2):
            figures.cell(i, j, value)
    figures["D5"].number_format, figures["E5"].number_format = "[$£-809]#,##0.00", "0.0%"
    figures["B8"] = "Tolls are those of the year."
    openings = workbook.create_sheet("Openings")
    openings.append(["No.", "What"])
    openings.append([1, FACT])
    hidden = workbook.create_sheet("Notes")
    hidden.append(["Not to be seen", "by anyone"])
    hidden.sheet_state = "hidden"
    return _saved(workbook)


def table_file(name: str, rows: Sequence[Sequence[str]]) -> bytes:
    """A file with a table alone, in the format that its name tells: csv, md, html, docx, pptx, xlsx or pdf."""
    kind = name.rpartition(".")[2]
    if kind == "pdf":
        return table_pdf(rows)
    if kind == "xlsx":
        workbook = openpyxl.Workbook()
        for row in rows:
            workbook.active.append(row)
        return _saved(workbook)
    if kind in ("docx", "pptx"):
        document = docx.Document() if kind == "docx" else pptx.Presentation()
        if kind == "docx":
            table = document.add_table(len(rows), len(rows[0]))
        else:
            shapes = document.slides.add_slide(document.slide_layouts[6]).shapes
            table = shapes.add_table(len(rows), len(rows[0]), 0, 0, 4_000_000, 1_000_000).table
        for i, row in enumerate(rows):
            for j, text in enumerate(row):
                table.cell(i, j).text = text
        return _saved(document)
    if kind == "html":
        cells = ["".join(f"<t{'hd'[i > 0]}>{text}" for text in row) for i, row in enumerate(rows)]
        return f"<table>{''.join(f'<tr>{row}' for row in cells)}</table>".encode()
    lines = [f"|{'|'.join(row)}|" if kind == "md" else ",".join(row) for row in rows]
    if kind == "md":
        lines.insert(1, "|-" * len(rows[0]) + "|")
    return "\n".join(lines).encode()


def _saved(document: docx.document.Document | pptx.presentation.Presentation | openpyxl.Workbook) -> bytes:
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def archive(members: Mapping[str, str | bytes]) -> bytes:
    """A ZIP archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in members.items():
            written.writestr(name, content)
    return file.getvalue()


def changed_archive(content: bytes, members: Mapping[str, bytes]) -> bytes:
    """An archive with some of its files replaced, or added."""
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        return archive({**{name: old.read(name) for name in old.namelist()}, **members})


_MARKED_FACT = FACT.replace("opened", "<b onclick='alert(1)'>ope</b>ned").replace(
    "Exeter", "<a href='http://203.0.113.1/'>Exeter</a>"
)

HTML = f"""<!DOCTYPE html>
<html><head><title>Bridges of Devon - County pages</title>
<meta charset="utf-8"><meta property="article:published_time" content="2019-05-04T10:00:00Z">
<meta property="og:site_name" content="County pages">
<style>p {{ color: red }}</style><script>document.write("Never run")</script></head>
<body><nav><ul><li><a href="/">Home</a></li></ul></nav>
<h1>Bridges of Devon</h1>
<h2>Openings</h2>
<p>{_MARKED_FACT}
<img src="http://203.0.113.1/x.png" onerror="alert(1)"></p>
<p hidden>Hidden words.</p>
<h2>Upkeep</h2>
<p>Each year these are done:</p>
<ul><li>The joints are greased.<li>The lamps are tested.</ul>
<table><tr><th>Bridge<th>Built</tr><tr><td>Exe<td>1905</tr></table>
<footer>Imprint and cookies</footer></body></html>
"""

CHAPTER = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head>
<body><h1>{heading}</h1><p><a id="x"/>{text}</p></body></html>
"""

EPUB_MEMBERS: Mapping[str, str] = {
    "mimetype": "application/epub+zip",
    "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
    "OEBPS/book.opf": '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    "<metadata><dc:title>Bridges of Devon</dc:title><dc:creator>Ann Rowe</dc:creator><dc:date>2019-05-04</dc:date>"
    '</metadata><manifest><item id="b" href="two%20b.xhtml"/><item id="a" href="../OEBPS/one.xhtml"/>'
    '<item id="n" href="nav.xhtml" properties="nav"/></manifest>'
    '<spine><itemref idref="n"/><itemref idref="a"/><itemref idref="b"/></spine></package>',
    "OEBPS/one.xhtml": CHAPTER.format(heading="Floods", text=FILLER),
    "OEBPS/two b.xhtml": CHAPTER.format(heading="Openings", text=FACT),
    "OEBPS/nav.xhtml": CHAPTER.format(heading="Contents", text="Floods. Openings."),
}

_ODT = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
_ODT += 'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
_ODT += 'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
_ODT += 'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
_ODT += 'xmlns:meta="urn:oasis:names:tc:opendocument:xmlns:meta:1.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'

ODT_MEMBERS: Mapping[str, str] = {
    "mimetype": "application/vnd.oasis.opendocument.text",
    "content.xml": f"<office:document-content {_ODT}><office:body><office:text>"
    f'<text:h text:outline-level="1">Openings</text:h><text:p>{FACT.replace(" by", "<text:s/>by")}</text:p>'
    "<text:list><text:list-item><text:p>The lamps are tested.</text:p></text:list-item></text:list>"
    "<table:table><table:table-row><table:table-cell><text:p>Exe</text:p></table:table-cell><table:table-cell>"
    "<text:p>1905</text:p></table:table-cell></table:table-row></table:table>"
    "</office:text></office:body></office:document-content>",
    "meta.xml": f"<office:document-meta {_ODT}><office:meta><dc:title>Bridges of Devon</dc:title>"
    "<meta:creation-date>2019-05-04T10:00:00</meta:creation-date></office:meta></office:document-meta>",
}

_STYLES = "".join(
    f'<style:style style:name="{name}" style:family="table"><style:table-properties table:display="{display}"/>'
    "</style:style>"
    for name, display in (("seen", "true"), ("unseen", "false"))
)


def _ods_row(*cells: str) -> str:
    written = "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in cells)
    return f"<table:table-row>{written}</table:table-row>"


ODS_MEMBERS: Mapping[str, str] = {
    "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
    "content.xml": f"<office:document-content {_ODT}><office:automatic-styles>{_STYLES}</office:automatic-styles>"
    '<office:body><office:spreadsheet><table:table table:name="Openings" table:style-name="seen">'
    f"<table:table-header-rows>{_ods_row('No.', 'What')}</table:table-header-rows>{_ods_row('1.', FACT)}"
    '<table:table-row><table:table-cell office:value="0.125"><text:p>12.5 %</text:p></table:table-cell>'
    '<table:table-cell table:number-columns-repeated="2"><text:p>x</text:p></table:table-cell>'
    '<table:table-cell table:number-columns-repeated="16000"/></table:table-row>'
    '<table:table-row table:number-rows-repeated="1048570"><table:table-cell/></table:table-row></table:table>'
    f'<table:table table:name="Notes" table:style-name="unseen">{_ods_row("Not to be seen", "by anyone")}</table:table>'
    "</office:spreadsheet></office:body></office:document-content>",
    "meta.xml": f"<office:document-meta {_ODT}><office:meta><dc:title>Bridges of Devon</dc:title>"
    "<meta:creation-date>2019-05-04T10:00:00</meta:creation-date></office:meta></office:document-meta>",
}

RTF = (
    r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\info{\title Bridges of Devon}}\f0 {\b Openings}\par\par "
    + FACT.replace("1905", r"\b 1905\b0 ")
    + r"\par\par It cost \'a3200 (caf\'e9).\par}"
).encode("ascii")


def mhtml_file() -> bytes:
    """The web page with a picture, saved in one file."""
    saved = email.message.EmailMessage()
    saved["Subject"] = "Bridges of Devon"
    saved["Snapshot-Content-Location"] = "http://203.0.113.1/bridges"
    saved.set_content(HTML, subtype="html", cte="quoted-printable")
    saved.add_related(PIXEL, "image", "png")
    return bytes(saved)


def eml_file(with_text: bool = True) -> bytes:
    """A mail of plain text and HTML, or of HTML alone, with a PDF attached."""
    mail = email.message.EmailMessage()
    mail["Subject"] = "Bridges of Devon – opening"
    mail["From"] = "Ann Rowe <ann@example.org>"
    mail["To"] = "county@example.org"
    mail["Date"] = "Sat, 04 May 2019 10:00:00 +0000"
    if with_text:
        mail.set_content(f"Dear all,\n\n{FACT}\n\nRegards,\nAnn\n")
        mail.add_alternative("<p>The other part.</p>", subtype="html")
    else:
        mail.set_content(HTML, subtype="html")
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="plan.pdf")
    return mail.as_bytes()


CSV = 'bridge,built,note\nExe,1905,"Opened by Mayor\nAlice Hooper"\nTeign,1827,"Long, low"\n\n'

MARKDOWN = f"""---
title: Bridges of Devon
date: 2019-05-04
source: County pages
tags: [bridges]
---

# Openings

{FACT}
"""
