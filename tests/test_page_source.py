"""The document beside the answer: boxes on the pages of a PDF, parts of long texts, originals, and all of it used."""

from __future__ import annotations

import dataclasses
import html
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pypdfium2
import pytest
from axe_playwright_python.sync_playwright import Axe
from fpdf import FPDF
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from qa.datatypes import Document, Section
from qa.documents import read_document
from qa.errors import DocumentError, QAError
from qa.formats import isolation
from qa.formats.extraction import lines, traced_lines
from qa.formats.isolation import draw_isolated
from qa.formats.pdf import pdf
from qa.formats.pdf_pages import MAX_IMAGE_BYTES, Box, DrawnPage, as_data, checked_page, draw_page
from qa.page.pane import KEPT_COPIES, SourcePane
from qa.page.source import MAX_HEADINGS, MAX_SHOWN_CHARACTERS, Place, View, source_html
from tests import writers
from tests.helpers import write_corpus
from tests.visiting import Visit, served
from tests.writers import FACT, FILLER

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'"
WIDTH, HEIGHT = 210, 297
"""Of a page of A4, in millimetres."""


def boxes(content: bytes, words: str, page: int = 1) -> tuple[Box, ...]:
    """The boxes on a page of the one place in a PDF's text where these words stand."""
    text, _ = pdf(content)
    (match,) = re.finditer(re.escape(words), text)
    return draw_page(content, page, [match.span()]).boxes[0]


def written(*pages: dict[tuple[float, float], str]) -> bytes:
    """A PDF with words at these places, in millimetres from the left and to the base line from the top."""
    file = FPDF()
    for page in pages:
        file.add_page()
        file.set_font("Helvetica", size=12)
        for (x, y), words in page.items():
            file.text(x, y, words)
    return bytes(file.output())


def width(words: str) -> float:
    """Of words in 12 points, in millimetres."""
    file = FPDF()
    file.set_font("Helvetica", size=12)
    return file.get_string_width(words)


def is_at(box: Box, left: float, base: float, words: str) -> bool:
    """Whether a box holds words that begin there, in millimetres, and is one line high."""
    sides = box[0] * WIDTH, box[2] * WIDTH
    return (
        sides == pytest.approx((left, left + width(words)), abs=0.5)
        and box[1] * HEIGHT < base - 3 < base < box[3] * HEIGHT < box[1] * HEIGHT + 7
    )


def raw_pdf(stream: bytes, differences: bytes) -> bytes:
    """A PDF page that writes with these glyphs for these codes."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica "
        b"/Encoding << /Type /Encoding /Differences %b >> >> >> >> >>" % differences,
        b"<< /Length %d >> stream\n%b\nendstream" % (len(stream), stream),
    ]
    body = b"".join(b"%d 0 obj %b endobj\n" % (number, each) for number, each in enumerate(objects, start=1))
    return b"%PDF-1.4\n" + body + b"trailer << /Root 1 0 R >>"


# Boxes on a page


def test_a_word_is_boxed_where_it_stands() -> None:
    content = written({(50, 100): "The bridge at Exeter was opened."})

    (box,) = boxes(content, "Exeter")
    assert is_at(box, 50 + width("The bridge at "), 100, "Exeter")


def test_a_word_that_a_line_end_divides_is_boxed_on_both_lines() -> None:
    content = written({(20, 50): "The cost led to a long contro-", (20, 55): "versy in the county of Devon."})

    one, other = boxes(content, "controversy")
    assert is_at(one, 20 + width("The cost led to a long "), 50, "contro")
    assert is_at(other, 20, 55, "versy")


def test_words_behind_a_bullet_and_tidied_spaces_are_boxed_where_they_stand() -> None:
    content = written({(20, 50): "- The   lamps  are tested.", (20, 60): "- The joints are greased."})

    (box,) = boxes(content, "lamps are tested")
    assert is_at(box, 20 + width("- The   "), 50, "lamps  are tested")


def test_a_sentence_over_two_columns_is_boxed_in_both() -> None:
    content = writers.two_column_pdf(f"{FILLER} The bridge that the", f"county opened has four arches. {FILLER}")

    found = boxes(content, "The bridge that the county opened has four arches.")
    left = [box for box in found if box[2] < 0.5]
    right = [box for box in found if box[0] > 0.5]
    assert left and right and [*left, *right] == list(found)


def test_a_quote_over_two_pages_is_boxed_on_both() -> None:
    content = written({(20, 250): "The bridge that Mayor Hooper"}, {(20, 30): "opened has four arches."})
    quote = "The bridge that Mayor Hooper opened has four arches."

    assert [is_at(box, 20, 250, "The bridge that Mayor Hooper") for box in boxes(content, quote, page=1)] == [True]
    assert [is_at(box, 20, 30, "opened has four arches.") for box in boxes(content, quote, page=2)] == [True]


def test_a_ligature_is_boxed_for_each_of_its_letters() -> None:
    content = raw_pdf(b"BT /F 20 Tf 100 700 Td (The o\\001cial \\002sh) Tj ET", b"[1 /ffi 2 /fi]")

    assert pdf(content)[0] == "The official fish"
    (official,), (fish,) = boxes(content, "official"), boxes(content, "fish")
    assert official[0] < official[2] < fish[0] < fish[2]
    (letters,) = boxes(content, "icial")  # the ligature that holds the first of them, and the rest
    assert official[0] < letters[0] < letters[2] == official[2]


REPORT = writers.pdf_file(
    [
        ["# Bridges of Devon", "## Floods", "- The dispute was long, and the contro-\nversy was well-\nknown.", FILLER],
        ["## Openings", f"{FILLER} " * 9, FACT, "A mid-\n1890s offi\u00adcial, they say."],
        ["### Stone", FILLER],
    ],
    header="County survey of 2018",
    footer="Page {page} of 3",
)


def words_of(content: bytes, page: int) -> tuple[list[str], DrawnPage]:
    """All words of a page's text, and the page with the boxes of each."""
    text, structure = pdf(content)
    place = structure.pages[page - 1]
    found = [match for match in re.finditer(r"\S+", text) if place.start <= match.start() < place.end]
    return [match[0] for match in found], draw_page(content, page, [match.span() for match in found])


@pytest.mark.parametrize("page", [1, 2, 3])
def test_pdfium_reads_in_each_box_the_word_it_is_for(page: int) -> None:
    words, drawn = words_of(REPORT, page)
    read = []
    document = pypdfium2.PdfDocument(REPORT)
    sheet = document[page - 1]
    across, down = sheet.get_size()
    text = sheet.get_textpage()
    for found in drawn.boxes:
        inside = [
            text.get_text_bounded(
                (left + 1e-3) * across, down - bottom * down, (right - 1e-3) * across, down - top * down
            )
            for left, top, right, bottom in found
        ]
        read.append("".join(inside))
    text.close()
    sheet.close()
    document.close()

    assert len(words) > 10
    assert [re.sub(r"\W", "", word) for word in read] == [re.sub(r"\W", "", word) for word in words]


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_on_a_page_that_is_turned_and_cropped_all_ink_is_in_boxes(turned: int) -> None:
    document = pypdfium2.PdfDocument(REPORT)
    document[1].set_rotation(turned)
    document[1].set_cropbox(20, 10, 580, 830)
    file = io.BytesIO()
    document.save(file)
    document.close()

    _, drawn = words_of(file.getvalue(), 2)
    image = Image.open(io.BytesIO(drawn.image)).convert("L")
    assert image.size == (drawn.width, drawn.height)
    assert is_inked(image)
    for left, top, right, bottom in (box for found in drawn.boxes for box in found):
        corners = left * image.width - 2, top * image.height - 2, right * image.width + 2, bottom * image.height + 2
        image.paste(255, tuple(map(round, corners)))
    assert not is_inked(image)


def is_inked(image: Image.Image) -> bool:
    darkest, _ = image.getextrema()
    return int(darkest) < 128  # type: ignore[arg-type]


def test_a_page_that_is_hard_to_compress_is_drawn_smaller() -> None:
    noise = io.BytesIO()
    Image.effect_noise((700, 700), 60).save(noise, "PNG")
    file = FPDF()
    file.add_page()
    file.image(noise, 0, 0, WIDTH, HEIGHT)
    file.set_font("Helvetica", size=12)
    file.text(20, 20, FACT)

    drawn = draw_page(bytes(file.output()), 1, [])
    assert (drawn.width, drawn.height) == Image.open(io.BytesIO(drawn.image)).size == (700, 990)
    assert len(drawn.image) <= MAX_IMAGE_BYTES


@given(
    st.text(alphabet="ab \t\n\r\x0b\x0c\x02\x85\u2028\u00a0\u00ad\ufb01\ufb03\ufffe\U0001f989\ud83e\udd89", max_size=12)
)
def test_tidied_text_is_traced_to_what_it_was_made_of(text: str) -> None:
    tidied, places = traced_lines(text)

    assert tidied == lines(text)
    assert len(places) == len(tidied)
    kept = [place for place in places if place is not None]
    assert kept == sorted(kept)
    assert all(
        text[place] == letter
        for place, letter in zip(places, tidied, strict=True)
        if place is not None and letter in "ab"
    )


# In a process that can be killed


def test_a_page_is_drawn_in_another_process() -> None:
    drawn = draw_isolated(REPORT, 2, [(0, 400)])

    assert drawn == draw_page(REPORT, 2, [(0, 400)])
    assert isolation._drawing.process is not None
    assert isolation._drawing.process is not isolation._reading.process


@pytest.mark.parametrize(
    ("content", "page", "reason"),
    [
        (REPORT, 4, "it has no page 4"),
        (REPORT[:2000], 1, "it is damaged, or no PDF file"),
        (b"It rained.", 1, "it is damaged, or no PDF file"),
        (writers.pdf_file([[FACT]], password="secret"), 1, "it is encrypted"),
    ],
)
def test_why_a_page_cannot_be_drawn(content: bytes, page: int, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        draw_isolated(content, page, [])


def test_drawing_that_takes_too_long_is_given_up_and_the_next_page_drawn() -> None:
    with pytest.raises(DocumentError, match=r"longer than 0\.001 seconds"):
        draw_isolated(REPORT, 1, [], seconds=0.001)
    assert draw_isolated(REPORT, 1, []).text.startswith("County survey of 2018")


@pytest.mark.parametrize(
    "change",
    [
        {"image": "<svg>"},
        {"image": "PHN2Zz4="},
        {"size": [0, 10]},
        {"size": [10]},
        {"size": [100_000, 10]},
        {"boxes": [[[0, 0, 1, 2]]]},
        {"boxes": [[["'><script>", 0, 1, 1]]]},
        {"boxes": [[[0.5, 0, 0.4, 1]]]},
        {"boxes": None},
        {"start": "x"},
    ],
)
def test_a_page_that_is_never_drawn_so_is_refused(change: dict[str, Any]) -> None:
    data = as_data(draw_page(REPORT, 1, [(0, 10)]))
    assert checked_page(json.loads(json.dumps(data))).boxes

    with pytest.raises(DocumentError, match="its parser gave no page"):
        checked_page({**data, **change})


# The HTML


def document(text: str, name: str = "a.txt", **fields: Any) -> Document:
    return dataclasses.replace(Document(name, "A title", text, "ab12"), **fields)


def place_in(source: Document, quote: str, answer: str = "") -> Place:
    start, answer_start = source.text.index(quote), source.text.index(answer or quote)
    return Place(source.id, source.sha256, start, start + len(quote), answer_start, answer_start + len(answer))


def text_shown(fragment: str) -> str:
    """What stands in the text of some HTML of the source."""
    (content,) = re.findall(r"<div class='text'.*?>(.*)</div>", fragment, re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", content))


LINE = "The carts wait on the hill.\n"
LONG = document("".join(f"{number}. {LINE}" for number in range(20_000)))


@pytest.mark.parametrize(
    ("at", "before", "after"),
    [(None, True, True), (0, False, True), (len(LONG.text), True, False), (300_000, True, True), (-5, False, True)],
)
def test_of_a_long_text_whole_lines_around_a_place_are_shown(at: int | None, before: bool, after: bool) -> None:
    place = place_in(LONG, "10000. The carts wait", "carts")
    place = dataclasses.replace(place, answer_start=place.start + 11, answer_end=place.start + 16)
    shown = source_html(LONG, place, True, 1, View(at=at))

    first, last = map(int, re.findall(r"data-(?:first|last)='(\d+)'", shown))
    assert text_shown(shown) == LONG.text[first:last]
    assert 0.4 * MAX_SHOWN_CHARACTERS < last - first <= MAX_SHOWN_CHARACTERS
    assert LONG.text[:first][-1:] in ("", "\n") and LONG.text[last - 1] == "\n"
    assert (f"&quot;at&quot;: {first}}}'>‹" in shown) == before
    assert (f"&quot;at&quot;: {last}}}'>›" in shown) == after
    assert ("id='quote'" in shown) == (first <= place.start and place.end <= last) == ("To the quote" not in shown)
    assert "of 20,000</span>" in shown


def test_a_quote_is_never_cut() -> None:
    text = "x" * 3 * MAX_SHOWN_CHARACTERS
    at = MAX_SHOWN_CHARACTERS
    place = Place(
        "a.txt",
        "ab12",
        at + MAX_SHOWN_CHARACTERS // 2 - 5,
        at + MAX_SHOWN_CHARACTERS // 2 + 5,
        at + 100_000,
        at + 100_000,
    )

    shown = source_html(document(text), place, True, 1, View(at=at))
    assert len(text_shown(shown)) == MAX_SHOWN_CHARACTERS + 5
    assert "<span class='quote' id='quote'>xxxxxxxxxx</span>" in shown


def test_headings_lead_to_where_they_stand_and_the_one_around_the_quote_is_known() -> None:
    text = "Floods\n\nIt rained.\n\nOpenings\n\nA mayor came."
    source = document(text, sections=(Section("Floods", 1, 0, 20), Section("Openings", 2, 20, len(text))))

    shown = source_html(source, place_in(source, "A mayor came."), True, 1)
    assert re.findall(r"<li class='level(\d)'><button type='button' data-at='(\d+)'(.*?)>(.*?)</button>", shown) == [
        ("1", "0", "", "Floods"),
        ("2", "20", " aria-current=location", "Openings"),
    ]


def test_of_very_many_headings_the_lower_levels_are_left_out() -> None:
    many = tuple(Section(str(i), 1 + (i % 10 > 0), i, i + 1) for i in range(MAX_HEADINGS + 100))
    source = document("x" * 600, sections=many)
    listed = re.findall("data-at='", source_html(source, place_in(source, "x"), True, 1))
    assert len(listed) == (MAX_HEADINGS + 100) / 10

    flat = dataclasses.replace(source, sections=tuple(dataclasses.replace(s, level=1) for s in many))
    shown = source_html(flat, place_in(source, "x"), True, 1)
    assert len(re.findall("data-at='", shown)) == MAX_HEADINGS and "and 100 more" in shown


# Pages and originals of a folder


@pytest.fixture
def pane(tmp_path: Path) -> SourcePane:
    """Over a folder with a PDF, a web page and a file with a hostile name; what was read of them is kept."""
    corpus = write_corpus(
        tmp_path / "corpus",
        {
            "a.pdf": REPORT,
            "sub/b.html": "<h1>Lamps</h1><p>Tom Bray lit the lamps.</p>",
            f"{'ä' * 100}\u202e.txt": "It rained.",
            HOSTILE.replace("/", "") + ".txt": "It rained.",
        },
    )
    documents = {
        name: read_document(corpus / name, name)
        for name in (path.relative_to(corpus).as_posix() for path in corpus.rglob("*") if path.is_file())
    }
    return SourcePane(corpus, documents.__getitem__, tmp_path / "downloads")


def at_fact(pane: SourcePane) -> Place:
    return place_in(pane._document("a.pdf"), FACT, "Mayor Alice Hooper")


def test_a_pdf_is_shown_as_the_page_of_the_answer_with_its_words_boxed(pane: SourcePane) -> None:
    shown = pane.html(at_fact(pane), clicked=True)

    assert "<span>Page 2 of 3</span>" in shown
    assert f"alt='Page 2 as it looks. Marked on it: {FACT}'" in shown
    assert len(re.findall("<span class='box (quote|answer)'", shown)) == 2
    assert "aria-pressed='true' data-view='{&quot;page&quot;: 2, &quot;at&quot;: null}'>Page<" in shown
    assert "aria-label='Next page' title='Next page' data-view='{&quot;page&quot;: 3, " in shown
    assert "src='data:image/webp;base64," in shown

    other = pane.html(at_fact(pane), clicked=False, view=View(page=3))
    assert "<span>Page 3 of 3</span>" in other and "class='box" not in other
    assert "aria-label='Next page' title='Next page' aria-disabled='true'" in other
    assert "data-view='{&quot;page&quot;: 2, &quot;at&quot;: null}'>To the quote" in other

    text = pane.html(at_fact(pane), clicked=False, view=View(at=0))
    assert text_shown(text) == pane._document("a.pdf").text


def test_a_page_that_was_drawn_is_kept(pane: SourcePane) -> None:
    shown = pane.html(at_fact(pane), clicked=True)
    (pane._corpus / "a.pdf").unlink()

    assert pane.html(at_fact(pane), clicked=True).replace("data-opened='2'", "data-opened='1'") == shown


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "it is no longer in the folder of documents"), (b"%PDF-1.4 other", "it has changed since it was read")],
)
def test_without_the_file_the_text_is_shown_and_why(pane: SourcePane, content: bytes | None, reason: str) -> None:
    path = pane._corpus / "a.pdf"
    path.unlink() if content is None else path.write_bytes(content)

    shown = pane.html(at_fact(pane), clicked=True)
    assert f"The page cannot be shown: {reason}. This is its text as it was read." in shown
    assert text_shown(shown) == pane._document("a.pdf").text
    assert "<mark>Mayor Alice Hooper</mark>" in shown
    given = pane.original(dataclasses.asdict(at_fact(pane)))
    assert given == {"message": f"The original cannot be given: {reason}."}


def test_a_page_that_is_read_in_another_way_than_before_is_not_boxed(pane: SourcePane) -> None:
    before = pane._document("a.pdf")
    changed = dataclasses.replace(before, text=before.text.replace("floods", "FLOODS"))
    pane = SourcePane(pane._corpus, lambda _: changed, pane._downloads)

    assert "it is read in another way than when it was indexed" in pane.html(at_fact(pane), clicked=True)


def test_what_the_browser_asks_for_is_checked(pane: SourcePane) -> None:
    place = dataclasses.asdict(at_fact(pane))

    assert "<span>Page 3 of 3</span>" in pane.opened({**place, "view": {"page": 3}})
    assert "<span>Page 2 of 3</span>" in pane.opened({**place, "view": {"page": 99}})
    assert "<span>Page 2 of 3</span>" in pane.opened({**place, "view": {"page": "3", "at": [0]}})
    assert "class='text'" in pane.opened({**place, "view": {"at": 10**9}})
    for nonsense in (None, {"view": {"page": 1}}, {**place, "sha256": "cd34"}, {**place, "end": -1}):
        with pytest.raises(QAError):
            pane.opened(nonsense)


@pytest.mark.parametrize("name", ["a.pdf", "sub/b.html", f"{'ä' * 100}\u202e.txt", HOSTILE.replace("/", "") + ".txt"])
def test_an_original_is_copied_for_this_user_alone(pane: SourcePane, name: str) -> None:
    source = pane._document(name)
    place = Place(name, source.sha256, 0, 1, 0, 0)

    given = pane.original(dataclasses.asdict(place))
    assert given["name"] == Path(name).name.replace("\u202e", "\\u202e")
    (folder,) = pane._downloads.iterdir()
    (copy,) = folder.iterdir()
    assert copy.read_bytes() == (pane._corpus / name).read_bytes()
    assert given["name"].endswith(copy.name)
    assert folder.stat().st_mode & 0o077 == 0
    assert HOSTILE not in pane.html(place, clicked=True)


def test_only_the_last_copies_are_kept(pane: SourcePane) -> None:
    for _ in range(KEPT_COPIES + 3):
        assert "url" in pane.original(dataclasses.asdict(at_fact(pane)))
    assert len(list(pane._downloads.iterdir())) == KEPT_COPIES


# The script


SCRIPT = (Path(__file__).parents[1] / "qa/page/source.js").read_text(encoding="utf-8")
STYLE = (Path(__file__).parents[1] / "qa/page/source.css").read_text(encoding="utf-8")

START = """([html, script]) => {
  const element = document.querySelector("#source");
  window.events = [];
  const trigger = (name, data) => events.push([name, data]);
  const watch = (_, settle) => { window.settle = settle; };
  const names = ["element", "trigger", "props", "server", "upload", "watch"];
  new Function(...names, script)(element, trigger, {}, {}, null, watch);
  element.innerHTML = html;
  settle();
}"""

SELECT = """([start, end]) => {
  const walker = document.createTreeWalker(document.querySelector(".text"), NodeFilter.SHOW_TEXT);
  const points = [];
  for (let before = 0, node = walker.nextNode(); node; before += node.length, node = walker.nextNode())
    for (const unit of [start, end].slice(points.length))
      if (unit <= before + node.length) points.push([node, unit - before]);
  getSelection().setBaseAndExtent(...points[0], ...points[1]);
}"""
"""Selects what stands between two places of the shown text, in UTF-16 units."""

NIGHT = "Night 🌙\n\nThe owls 🦉\n\nOne 🦉 flew.\n\nThe mills 🏭\n\n  Ruth 🙂 Penrose bought 🏭 the mill.  \n"
NIGHTS = document(NIGHT, sections=(Section("The owls 🦉", 1, 9, 32), Section("The mills 🏭", 1, 32, len(NIGHT))))


@pytest.fixture
def scripted(browser: Browser) -> Iterator[Page]:
    """A page with the script and no server: what it would tell the server is in `events`."""
    page = browser.new_page(viewport={"width": 600, "height": 500})
    failed: list[str] = []
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.set_content(f"<style>{STYLE}</style><div id='source'></div>")
    yield page
    page.close()
    assert failed == []


def start(page: Page, source: Document, place: Place, markable: bool = True) -> None:
    page.evaluate(START, [source_html(source, place, True, 1, markable=markable), SCRIPT])


@pytest.mark.browser
@pytest.mark.parametrize(
    "words",
    [
        "Night",
        "🌙",
        "One 🦉",
        "🦉\n\nOne",
        "The mills 🏭\n\n  Ruth",
        "Ruth 🙂 Penrose",
        "  Ruth ",
        "mill.  \n",
        " the mill",
        NIGHT,
    ],
)
def test_what_is_selected_is_marked_by_its_characters_in_the_document(scripted: Page, words: str) -> None:
    start(scripted, NIGHTS, place_in(NIGHTS, "Ruth 🙂 Penrose bought 🏭 the mill.", "Ruth 🙂 Penrose"))
    right = scripted.get_by_text("The right answer is here")
    expect(right).to_be_hidden()

    before = len(NIGHT[: NIGHT.index(words)].encode("utf-16-le")) // 2
    scripted.evaluate(SELECT, [before, before + len(words.encode("utf-16-le")) // 2])
    right.click()

    ((name, marked),) = scripted.evaluate("events")
    assert (name, marked["document"], marked["sha256"]) == ("mark", "a.txt", "ab12")
    assert NIGHT[marked["start"] : marked["end"]] == words.strip()
    assert marked["start"] == NIGHT.index(words) + len(words) - len(words.lstrip())
    expect(right).to_be_hidden()


@pytest.mark.browser
def test_in_a_part_of_a_long_text_too(scripted: Page) -> None:
    line = "🦉 owls fly by night.\n"
    source = document(line * 30_000)
    at = 15_000 * len(line)
    start(scripted, source, Place("a.txt", "ab12", at, at + 6, at + 2, at + 6))

    scripted.locator("mark").dblclick()
    scripted.get_by_text("The right answer is here").click()
    ((_, marked),) = scripted.evaluate("events")
    assert (marked["start"], marked["end"]) == (at + 2, at + 6)


@pytest.mark.browser
def test_words_are_marked_only_where_it_is_wanted_and_only_in_the_text(scripted: Page) -> None:
    start(scripted, NIGHTS, place_in(NIGHTS, "One 🦉 flew."), markable=False)
    scripted.locator("#quote").dblclick()
    expect(scripted.get_by_text("The right answer is here")).to_have_count(0)

    start(scripted, NIGHTS, place_in(NIGHTS, "One 🦉 flew."))
    scripted.locator("h2").dblclick()
    expect(scripted.get_by_text("The right answer is here")).to_be_hidden()


@pytest.mark.browser
def test_words_are_found_in_the_text_by_keyboard(scripted: Page) -> None:
    text = (
        "The Mill.\n" + "It rained.\n" * 60 + "The old\nmill (a.b) of 🏭 Topsham.\n" + "It rained.\n" * 60 + "The mill."
    )
    source = document(text)
    start(scripted, source, place_in(source, "The Mill."))
    find, output = scripted.get_by_label("Find in the text").last, scripted.locator(".find output")

    find.fill("mill")
    expect(output).to_have_text("1 of 3")
    for key, number, word in [
        ("Enter", 2, "mill"),
        ("Enter", 3, "mill"),
        ("Enter", 1, "Mill"),
        ("Shift+Enter", 3, "mill"),
    ]:
        find.press(key)
        expect(output).to_have_text(f"{number} of 3")
        (shown,) = scripted.evaluate("[...CSS.highlights.get('here')].map(hit => hit.toString())")
        assert shown == word
        assert 0 < scripted.evaluate("[...CSS.highlights.get('here')][0].getBoundingClientRect().top") < 500
    scripted.get_by_label("Next hit").click()
    expect(output).to_have_text("1 of 3")
    for words, found in [
        ("old mill", "1 of 1"),
        ("(A.B)", "1 of 1"),
        ("🏭", "1 of 1"),
        (".*", "none"),
        ("[", "none"),
        ("  ", ""),
    ]:
        find.fill(words)
        expect(output).to_have_text(found)
    assert scripted.locator(".text").text_content() == text
    find.fill("mill")
    find.press("Escape")
    expect(find).to_have_value("")
    assert scripted.evaluate("CSS.highlights.get('found').size") == 0


@pytest.mark.browser
def test_a_heading_leads_to_where_it_stands_also_in_another_part(scripted: Page) -> None:
    text = "".join(f"Part {i} 🦉\n" + "It rained.\n" * 3000 for i in range(10))
    size = len(text) // 10
    source = document(text, sections=tuple(Section(f"Part {i} 🦉", 1, i * size, (i + 1) * size) for i in range(10)))
    start(scripted, source, Place("a.txt", "ab12", size + 50, size + 60, size + 50, size + 50))

    scripted.get_by_text("Headings").click()
    scripted.get_by_role("button", name="Part 2 🦉").click()
    assert scripted.evaluate("events") == []
    expect(scripted.get_by_role("button", name="Part 2 🦉")).to_be_hidden()
    heading = scripted.locator(".text b").get_by_text("Part 2 🦉")
    text_top = scripted.locator(".text").evaluate("text => text.getBoundingClientRect().top")
    assert text_top <= heading.evaluate("b => b.getBoundingClientRect().top") < 500

    scripted.get_by_text("Headings").click()
    scripted.get_by_role("button", name="Part 9 🦉").click()
    ((name, asked),) = scripted.evaluate("events")
    assert (name, asked["view"], asked["start"]) == ("open", {"at": 9 * size}, size + 50)
    expect(scripted.locator(".source")).to_have_attribute("aria-busy", "true")


# The page


CORPUS: dict[str, str | bytes] = {
    "bridges.pdf": REPORT,
    "night.txt": "Night walks 🌙\n\nThe owls 🦉\n\n" + "The owls 🦉 sleep.\n\n" * 80 + "The mills 🏭\n\n"
    "The old mill 🏭 at Topsham was bought by Ruth Penrose in 1952.\n\n" + "The night was clear.\n\n" * 80,
    f"{HOSTILE.replace('/', '')}.html": f"<h1>{html.escape(HOSTILE)}</h1><h2>{html.escape(HOSTILE)}</h2>"
    "<script>alert(4)</script><p>The lamps of the harbour were lit by Tom Bray.</p>",
}


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a page over such files, behind a password, and the folder of the files."""
    folder = tmp_path_factory.mktemp("source")
    corpus = write_corpus(folder / "corpus", CORPUS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QA_USER", "ada")
        patch.setenv("QA_PASSWORD", "engine")
        with served(folder, corpus=corpus) as address:
            yield address, corpus


@pytest.fixture(params=[{}])
def reading(request: pytest.FixtureRequest, browser: Browser, locked: tuple[str, Path]) -> Iterator[Visit]:
    """A visit by someone who has signed in."""
    context = browser.new_context(**request.param)
    sign_in(context, locked[0])
    visit = Visit(context.new_page(), locked[0]).open()
    yield visit
    visit.close()
    context.close()


def sign_in(context: BrowserContext, address: str) -> None:
    assert context.request.post(f"{address}login", form={"username": "ada", "password": "engine"}).ok


def open_first(visit: Visit, question: str) -> None:
    """Ask, and click the first citation."""
    visit.ask(question)
    visit.page.locator("#answer .open").first.click()
    visit.page.locator("#source .source:focus").wait_for()


@pytest.mark.browser
def test_a_citation_of_a_pdf_opens_its_page_with_the_answer_boxed(reading: Visit) -> None:
    open_first(reading, "Who opened the stone bridge at Exeter?")

    source = reading.page.locator("#source .source")
    box, image = source.locator(".box.answer"), source.locator("img")
    assert image.evaluate("image => image.complete && image.naturalWidth") == 1399
    assert is_in_sheet(reading.page, ".box.answer") and is_in_sheet(reading.page, ".box.quote")
    found, around = box.bounding_box(), image.bounding_box()
    assert found is not None and around is not None
    (expected,) = boxes(REPORT, "Mayor Alice Hooper", page=2)
    assert (found["x"] - around["x"]) / around["width"] == pytest.approx(expected[0], abs=0.01)
    assert (found["y"] - around["y"]) / around["height"] == pytest.approx(expected[1], abs=0.01)

    source.get_by_label("Next page").click()
    expect(source.get_by_text("Page 3 of 3")).to_be_visible()
    expect(box).to_have_count(0)
    source.get_by_text("To the quote").click()
    expect(source.get_by_text("Page 2 of 3")).to_be_visible()
    expect(box).to_be_visible()

    source.get_by_role("button", name="Text", exact=True).click()
    expect(source.locator(".text mark")).to_have_text("Mayor Alice Hooper")
    assert source.locator(".text").text_content() == pdf(REPORT)[0]
    source.get_by_role("button", name="Page", exact=True).click()
    expect(box).to_be_visible()
    source.get_by_text("Headings").click()
    source.get_by_role("button", name="Floods").click()
    expect(source.get_by_text("Page 1 of 3")).to_be_visible()

    reading.page.keyboard.press("Escape")
    assert reading.page.locator("#answer .open").first.evaluate("opener => opener === document.activeElement")


def is_in_sheet(page: Page, selector: str) -> bool:
    """Whether the first such box can be seen."""
    found: bool = page.locator(selector).first.evaluate(
        """box => {
          const place = box.getBoundingClientRect(), sheet = box.closest(".sheet").getBoundingClientRect();
          const [top, bottom] = [Math.max(sheet.top, 0), Math.min(sheet.bottom, innerHeight)];
          return place.width > 0 && place.top >= top && place.bottom <= bottom;
        }"""
    )
    return found


@pytest.mark.browser
@pytest.mark.parametrize("name", ["bridges.pdf", f"{HOSTILE.replace('/', '')}.html"])
def test_the_original_is_saved_and_never_shown(reading: Visit, locked: tuple[str, Path], name: str) -> None:
    questions = {"bridges.pdf": "Who opened the stone bridge at Exeter?"}
    open_first(reading, questions.get(name, "Who lit the lamps of the harbour?"))

    with reading.page.expect_download() as saving:
        reading.page.get_by_text("Download the original").click()
    download = saving.value
    content = CORPUS[name]
    assert Path(download.path()).read_bytes() == (content if isinstance(content, bytes) else content.encode())
    assert download.suggested_filename.endswith(Path(name).suffix)
    with pytest.raises(HTTPError, match="401"):
        urlopen(download.url)
    given = reading.page.context.request.get(download.url)
    assert (given.status, given.headers["content-type"]) == (200, "application/octet-stream")
    assert given.headers["content-disposition"].startswith("attachment")


@pytest.mark.browser
def test_what_became_of_a_file_is_said_and_its_text_kept(reading: Visit, locked: tuple[str, Path]) -> None:
    path = locked[1] / "night.txt"
    content = path.read_bytes()
    open_first(reading, "Who bought the old mill at Topsham?")
    path.unlink()
    try:
        reading.page.get_by_text("Download the original").click()
        note = "The original cannot be given: it is no longer in the folder of documents."
        expect(reading.page.locator("#source").get_by_text(note)).to_be_visible()
        assert reading.page.locator("#source .text").text_content() == content.decode()
    finally:
        path.write_bytes(content)


@pytest.mark.browser
@pytest.mark.parametrize("reading", [{"color_scheme": "dark"}, {"color_scheme": "light"}], indirect=True)
def test_axe_finds_no_fault_in_a_page_and_in_a_text(reading: Visit) -> None:
    def faults() -> list[str]:
        found = Axe().run(reading.page, context="#source").response["violations"]
        return [f"{fault['id']}: {node['html'][:200]}" for fault in found for node in fault["nodes"]]

    open_first(reading, "Who opened the stone bridge at Exeter?")
    assert faults() == []
    reading.page.get_by_role("button", name="Text", exact=True).click()
    reading.page.get_by_label("Find in the text").last.fill("bridge")
    reading.page.get_by_text("Headings").click()
    assert faults() == []


@pytest.mark.browser
@pytest.mark.parametrize(
    "reading", [{"viewport": {"width": 360, "height": 700}, "color_scheme": "dark"}], indirect=True
)
def test_pages_fit_a_phone(reading: Visit) -> None:
    open_first(reading, "Who opened the stone bridge at Exeter?")

    assert is_in_sheet(reading.page, ".box.answer")
    assert reading.page.evaluate("document.documentElement.scrollWidth") <= 360
    reading.page.get_by_text("Back to the answer").click()
    assert reading.page.locator("#answer .open").first.evaluate("opener => opener === document.activeElement")
