"""The tab of the documents: what may be added, what is listed, and adding and removing in a browser."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import stat
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import filelock
import pytest
from axe_playwright_python.sync_playwright import Axe
from gradio_client import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.datatypes import Refused
from qa.errors import DocumentError, IndexBusy, QAError
from qa.index import DocumentEntry, Manifest
from qa.indexing import index_folder, no_progress
from qa.page.catalogue import (
    PAGE_ROWS,
    Line,
    Row,
    View,
    account_html,
    catalogue_html,
    dates_html,
    lengths_html,
    rows,
    summary_html,
    unread_html,
    years,
)
from qa.page.changes import added, brought_up_to_date, place_of_removed, removed
from qa.page.service import Service
from qa.page.uploads import MAX_NAME_BYTES, Upload, checked, incoming, safe_name
from qa.pipeline import Pipeline
from qa.reader import SentenceReader
from tests.helpers import TinyEmbedder, write_corpus
from tests.visiting import Visit, served
from tests.writers import FACT, FILLER, archive, pdf_file, scanned_pdf

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CORPUS = Path(__file__).parents[1] / "corpus"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&${alert(3)}{{alert(4)}}"


# Names


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("/etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\ada\\notes.txt", "notes.txt"),
        ("annual\u202etxt.exe", "annualtxt.exe"),
        ("two\nlines\x00\x1b[31m.txt", "two lines[31m.txt"),
        ("  What is  NATO?.txt. ", "What is NATO_.txt"),
        ("con.txt", "_con.txt"),
        ("LPT1", "_LPT1"),
        ("console.txt", "console.txt"),
        ("Bru\u0308cke.txt", "Brücke.txt"),
        (HOSTILE + ".txt", "script__img src=x onerror=alert(2)__'&${alert(3)}{{alert(4)}}.txt"),
        ("ü" * 300 + ".txt", "ü" * 98 + ".txt"),
    ],
)
def test_a_name_is_made_safe(sent: str, kept: str) -> None:
    assert safe_name(sent) == kept


@pytest.mark.parametrize("sent", ["", ".", "..", ".env", "a/.env", "\u202e.txt", "dir/", "\x00"])
def test_a_name_that_is_hidden_or_empty_is_refused(sent: str) -> None:
    with pytest.raises(DocumentError, match="begins with a dot or holds no letter"):
        safe_name(sent)


NAMES = st.one_of(
    st.text(max_size=300),
    st.text(st.sampled_from("aü./\\ :\u202e\u0000\ud800\u0301COMNUL1🙂"), max_size=300),
)


@settings(deadline=None)
@given(sent=NAMES)
def test_whatever_is_sent_is_kept_as_one_visible_file_in_the_folder(
    tmp_path_factory: pytest.TempPathFactory, sent: str
) -> None:
    try:
        kept = safe_name(sent)
    except DocumentError:
        return
    folder = tmp_path_factory.getbasetemp() / "names"
    folder.mkdir(exist_ok=True)
    (folder / kept).write_text("kept")

    assert os.listdir(folder) == [kept]
    assert kept.isprintable() and not kept.startswith(".") and not re.search(r'[<>:"/\\|?*]|[ .]$', kept)
    assert len(kept.encode()) <= MAX_NAME_BYTES
    assert safe_name(kept) == kept
    (folder / kept).unlink()


# What is sent


def sent(folder: Path, files: dict[str, bytes]) -> list[Upload]:
    """Files as Gradio keeps them, each in a folder of its own."""
    uploads = []
    for number, (name, content) in enumerate(files.items()):
        path = folder / "sent" / str(number) / "upload"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        uploads.append(Upload(name, path))
    return uploads


def taken(folder: Path, files: dict[str, bytes]) -> dict[str, str]:
    """What becomes of each file: the name under which it may be kept, or why it may not."""
    kept = folder / "kept"
    kept.mkdir()
    found = {}
    for item in checked(sent(folder, files), kept, no_progress):
        if isinstance(item, Upload):
            assert item.path.parent.parent == kept
            found[item.name] = f"kept as {item.path.name}"
        else:
            found[item.id] = item.reason
    return found


def test_what_can_be_read_is_kept_and_the_rest_refused_with_its_reason(tmp_path: Path) -> None:
    files = {
        "a/rain.txt": b"It rained.",
        "rain.txt": b"It poured.",
        "bridge.pdf": pdf_file([[FACT]]),
        "scan.pdf": scanned_pdf(),
        "empty.md": b"",
        "tool.exe": b"MZ",
        ".env": b"KEY=1",
    }

    assert taken(tmp_path, files) == {
        "a/rain.txt": "kept as rain.txt",
        "rain.txt": "kept as rain.txt",
        "bridge.pdf": "kept as bridge.pdf",
        "scan.pdf": "it has no text, only pictures of it: a scan; make one with text recognition (OCR)",
        "empty.md": "it is empty",
        "tool.exe": "files ending in .exe are not read",
        ".env": "its name begins with a dot or holds no letter: hidden files are not read",
    }


def test_an_archive_is_unpacked_but_nothing_that_leads_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "linked.zip"
    with zipfile.ZipFile(path, "w") as written:
        link = zipfile.ZipInfo("papers/link.txt")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        written.writestr(link, "/etc/passwd")
        written.writestr("papers/rain.txt", "It rained.")
        written.writestr("papers/more/rain.txt", "It poured.")
        written.writestr("papers/inner.zip", archive({"deep.txt": "Deep."}))
        written.writestr("papers/tool.exe", "MZ")
        written.writestr("__MACOSX/papers/._rain.txt", "x")
        written.writestr("papers/.DS_Store", "x")
    files = {
        "papers.ZIP": path.read_bytes(),
        "evil.zip": archive({"../evil.txt": "Evil.", "good.txt": "Good."}),
        "absolute.zip": archive({"/tmp/evil.txt": "Evil."}),
        "bomb.zip": archive({"zeros.txt": b"0" * 20_000_000}),
        "hidden.zip": archive({".env": "KEY=1"}),
        "broken.zip": b"PK\x03\x04 no archive",
    }

    assert taken(tmp_path, files) == {
        "papers.ZIP/papers/link.txt": "it is a link, and these are not followed",
        "papers.ZIP/papers/rain.txt": "kept as rain.txt",
        "papers.ZIP/papers/more/rain.txt": "kept as rain.txt",
        "papers.ZIP/papers/inner.zip": "it is an archive inside an archive: unpack it and add what it holds",
        "papers.ZIP/papers/tool.exe": "files ending in .exe are not read",
        "evil.zip": "it is an archive with names that lead out of it; no program for documents makes these",
        "absolute.zip": "it is an archive with names that lead out of it; no program for documents makes these",
        "bomb.zip": "it unpacks to 1,022 times its size (at most 200 times; QA_MAX_EXPANSION): a bomb",
        "hidden.zip": "there is no file in it",
        "broken.zip": "it is damaged: the archive that it should be cannot be opened",
    }


MEMBERS = NAMES.map(lambda name: re.sub("[\0\ud800-\udfff]", "", name)).filter(bool)
"""Names that Python can write into an archive."""


@settings(max_examples=50, deadline=None)
@given(members=st.dictionaries(MEMBERS, st.just("It rained."), max_size=4))
def test_whatever_an_archive_holds_stays_where_it_is_put(
    tmp_path_factory: pytest.TempPathFactory, members: dict[str, str | bytes]
) -> None:
    folder = tmp_path_factory.mktemp("archive")
    outside = folder / "outside"
    outside.mkdir()
    (outside / "kept").mkdir()
    uploads = sent(folder, {"any.zip": archive(members)})

    for item in incoming(uploads, outside / "kept"):
        if isinstance(item, Upload):
            assert item.path.read_text() == "It rained."
            assert item.path.resolve().parent.parent == (outside / "kept").resolve()
    assert os.listdir(outside) == ["kept"]


def test_more_than_may_be_sent_at_once_is_refused_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qa.page.uploads.MAX_UPLOAD_BYTES", 15)
    uploads = sent(tmp_path, {"a.txt": b"0123456789", "b.txt": b"0123456789"})

    with pytest.raises(QAError, match=r"have 20 bytes; at most 15 .*QA_MAX_UPLOAD_BYTES.*Nothing was added"):
        incoming(uploads, tmp_path)


# The list


def manifest(documents: list[DocumentEntry], refused: tuple[Refused, ...] = ()) -> Manifest:
    """What an index of these would say of itself."""
    passages = sum(entry.passages for entry in documents)
    return Manifest(3, "2024-05-06T07:08:09+00:00", "", {}, {}, tuple(documents), refused, passages, {})


def entry(identifier: str, title: str, date: str | None, passages: int, **fields: Any) -> DocumentEntry:
    return DocumentEntry(identifier, title, "ab12", date, 100, fields.pop("pages", 0), passages, **fields)


HELD = manifest(
    [
        entry("b.pdf", "Bridges", "2019-05-04", 20, pages=7),
        entry("copy.txt", "Bridges again", None, 20, near_duplicate_of="b.pdf"),
        entry("notes/rain.md", "Annual rain", "2016-12-31", 3),
    ],
    (Refused("scan.pdf", "it has no text, only pictures of it: a scan"),),
)


def text_of(fragment: str) -> str:
    """What a person reads of some HTML."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", fragment)).split())


def titles(view: View) -> list[str]:
    """The names in the list, in order."""
    return re.findall(r"data-document=\"[^\"]*\">([^<]*)<", catalogue_html(rows(HELD), view))


def test_every_file_is_listed_with_what_is_known_of_it() -> None:
    assert text_of(catalogue_html(rows(HELD), View())) == (
        "The documents Title Date Format Pages Passages Status "
        "Annual rain notes/rain.md 31 December 2016 MD 3 passages Indexed "
        "Bridges b.pdf 4 May 2019 PDF 7 pages 20 passages Indexed "
        "Bridges again copy.txt TXT 20 passages Indexed; nearly the same as b.pdf "
        "scan.pdf PDF Not read: it has no text, only pictures of it: a scan"
    )
    assert text_of(summary_html(HELD)).startswith("3 documents , 43 passages, 1 file not read. Indexed 6 May 2024, ")


def test_the_list_is_sorted_by_any_column_with_what_has_no_value_last() -> None:
    by_date = View().turned({"column": "date"})

    assert titles(View()) == ["Annual rain", "Bridges", "Bridges again", "scan.pdf"]
    assert titles(by_date) == ["Annual rain", "Bridges", "Bridges again", "scan.pdf"]
    assert titles(by_date.turned({"column": "date"})) == ["Bridges", "Annual rain", "Bridges again", "scan.pdf"]
    assert titles(View().turned({"column": "passages"}))[:2] == ["Annual rain", "Bridges"]
    assert "class='date' aria-sort='ascending'" in catalogue_html(rows(HELD), by_date)


def test_files_are_found_by_words_of_title_name_and_status() -> None:
    assert titles(View("RAIN")) == ["Annual rain"]
    assert titles(View("notes/")) == ["Annual rain"]
    assert titles(View("bridges same")) == ["Bridges again"]
    assert titles(View("not read")) == ["scan.pdf"]
    assert text_of(catalogue_html(rows(HELD), View("<b>"))) == "No document matches “<b>”."


def test_a_long_list_is_turned_page_by_page() -> None:
    many = [Row(f"{number:04}.txt", f"Paper {number:04}", "", 0, 1) for number in range(2 * PAGE_ROWS + 1)]
    pages = [catalogue_html(many, View(page=page)) for page in (0, 2, 9)]

    assert [page.count("data-document") for page in pages] == [PAGE_ROWS, 1, 1]
    assert f"1–{PAGE_ROWS} of {len(many)}" in pages[0] and "data-page='1'" in pages[0]
    assert "data-page='1'" in pages[1] and "data-page='3'" not in pages[1]


@pytest.mark.parametrize("data", [None, [], {"column": "sha256"}, {"column": ["title"]}, {"page": -1}, {"page": "1"}])
def test_a_click_that_says_nothing_changes_nothing(data: object) -> None:
    assert View("rain", "date", True, 2).turned(data) == View("rain", "date", True, 2)


def test_figures_count_documents_by_year_and_passages_by_document() -> None:
    assert years(HELD) == [("2016", 1), ("2017", 0), ("2018", 0), ("2019", 1)]
    assert years(manifest([entry("a", "A", "1899-01-01", 1), entry("b", "B", "1950-01-01", 1)])) == [
        ("1890s", 1),
        *((f"{decade}s", 0) for decade in range(1900, 1950, 10)),
        ("1950s", 1),
    ]
    assert text_of(dates_html(HELD)).startswith("Documents by date; 1 document without a date Year Documents 2016 1")
    assert text_of(lengths_html(HELD)) == (
        "Passages by document Document Passages Bridges 20 Bridges again 20 Annual rain 3"
    )
    assert dates_html(manifest([entry("a", "A", None, 1)])) == ""


def test_whatever_files_are_called_is_shown_as_text() -> None:
    hostile = manifest(
        [entry(HOSTILE, HOSTILE, "2020-01-01", 1, near_duplicate_of=HOSTILE)], (Refused(f"{HOSTILE}.x", HOSTILE),)
    )
    refused = rows(hostile)[1]
    shown = [
        catalogue_html(rows(hostile), View(), HOSTILE),
        catalogue_html([Row("a.txt", "", "", 0, 1)], View(HOSTILE)),
        unread_html(refused),
        lengths_html(hostile),
        account_html("Done.", [Line(HOSTILE, HOSTILE)], [HOSTILE]),
    ]

    for fragment in shown:
        assert "<script" not in fragment and "<img" not in fragment
        assert HOSTILE in html.unescape(fragment)


# What is done


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """Two small documents, to be changed."""
    corpus, index = (
        write_corpus(tmp_path / "corpus", {"cat.txt": "The cat sleeps.", "dog.txt": "The dog barks."}),
        tmp_path,
    )
    index_folder(corpus, index / "index", TinyEmbedder())
    return Service(Pipeline(index / "index", TinyEmbedder(), SentenceReader(TinyEmbedder())), corpus, index / "index")


def held(service: Service) -> list[str]:
    """The files in the folder of documents."""
    return sorted(path.name for path in service.corpus.iterdir())


def test_an_account_says_what_became_of_each_file_added(service: Service, tmp_path: Path) -> None:
    files = {
        "cat.txt": b"A kitten plays.",
        "dog.txt": b"The dog barks.",
        "What rain?.txt": b"It rained.",
        "again/What rain?.txt": b"It rained.",
        "scan.pdf": scanned_pdf(),
    }
    uploads = sent(tmp_path, files)
    steps: list[tuple[str, int, int]] = []
    account = text_of(added(service, uploads, lambda *step: steps.append(step)))

    assert re.sub(r"\d\.\d s", "0.1 s", account) == (
        "2 files added, 2 there already, 1 not added. "
        "scan.pdf was not added: it has no text, only pictures of it: a scan; make one with text recognition (OCR). "
        "cat.txt is indexed, kept as “cat (2).txt” beside another file of its name: 1 passage, read in 0.1 s. "
        "dog.txt is there already. "
        "What rain?.txt is indexed, kept as “What rain_.txt”: 1 passage, read in 0.1 s. "
        "again/What rain?.txt is there already."
    )
    assert held(service) == ["What rain_.txt", "cat (2).txt", "cat.txt", "dog.txt"]
    assert steps[:5] == [(f"Reading {name}", number, 5) for number, name in enumerate(files)]
    assert {step for step, _, _ in steps[5:]} == {"reading", "embedding", "writing"}
    assert [upload.path.exists() for upload in uploads] == [False] * 5
    assert len(service.pipeline.manifest.documents) == 4


def test_while_another_writes_nothing_is_changed(service: Service, tmp_path: Path) -> None:
    with filelock.FileLock(service.index / ".lock"):
        with pytest.raises(IndexBusy, match=r"Another process .* then try again\. Nothing was added\."):
            added(service, sent(tmp_path, {"rain.txt": b"It rained."}), no_progress)
        with pytest.raises(IndexBusy):
            removed(service, "cat.txt", no_progress)
        with pytest.raises(IndexBusy):
            brought_up_to_date(service, no_progress)

    assert held(service) == ["cat.txt", "dog.txt"]


def test_a_removed_file_can_be_had_back(service: Service) -> None:
    account = text_of(removed(service, "cat.txt", no_progress))
    bin = service.corpus.resolve() / ".removed"

    assert account == (
        f"1 file removed. cat.txt is no longer answered from. It lies in {bin}: to have it back, move it from there "
        f"to {service.corpus.resolve()} and bring the index up to date."
    )
    assert [row.id for row in rows(service.pipeline.manifest)] == ["dog.txt"]
    (bin / "cat.txt").rename(service.corpus / "cat.txt")
    assert "cat.txt is new: 1 passage" in text_of(brought_up_to_date(service, no_progress))


def test_any_file_can_be_removed_and_the_last_one_had_back(service: Service) -> None:
    (service.corpus / "tool.exe").write_bytes(b"MZ")
    assert "tool.exe is not read: files ending in .exe are not read." in text_of(
        brought_up_to_date(service, no_progress)
    )
    assert text_of(brought_up_to_date(service, no_progress)) == "Nothing has changed: 2 documents, 2 passages."
    assert "tool.exe" not in text_of(removed(service, "cat.txt", no_progress))
    removed(service, "tool.exe", no_progress)
    assert service.pipeline.manifest.refused == ()

    removed(service, "dog.txt", no_progress)
    assert rows(service.pipeline.manifest) == []
    assert catalogue_html([], View()) == "<p class='none'>There are no documents yet.</p>"
    (place_of_removed(service.corpus) / "dog.txt").rename(service.corpus / "dog.txt")
    brought_up_to_date(service, no_progress)
    assert [row.id for row in rows(service.pipeline.manifest)] == ["dog.txt"]


# In a browser


def copies(folder: Path, index: Path) -> Path:
    """Copies of the repository's documents and of their index, to be changed; gives the folder of the documents."""
    shutil.copytree(index, folder / "index")
    return Path(shutil.copytree(CORPUS, folder / "corpus"))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, browser: Browser, index_path: Path) -> Iterator[tuple[str, Path]]:
    """A page of its own: its address, and the folder of its documents."""
    folder = tmp_path_factory.mktemp("library")
    corpus = copies(folder, index_path)
    with served(folder, corpus=corpus) as address:
        yield address, corpus


@pytest.fixture(params=[{}])
def shelf(request: pytest.FixtureRequest, browser: Browser, library: tuple[str, Path]) -> Iterator[Visit]:
    """A visit to the tab of the documents."""
    visit = Visit(browser.new_page(**request.param), library[0]).open()
    visit.page.get_by_role("tab", name="Documents").click()
    visit.page.locator(".catalogue").wait_for()
    yield visit
    visit.close()


@pytest.fixture(scope="module")
def client(library: tuple[str, Path]) -> Client:
    """A program that asks the page."""
    return Client(library[0], verbose=False)


def answer(client: Client, question: str) -> Any:
    return client.predict(question, api_name="/ask")["answer"]


def drop(shelf: Visit, folder: Path, files: dict[str, str | bytes]) -> str:
    """Drop files on the page; gives the account of what was done."""
    write_corpus(folder, files)
    shelf.page.locator("#drop input[type=file]").set_input_files([folder / name for name in files])
    shelf.page.locator("#account").get_by_text("added").first.wait_for(timeout=60_000)
    return shelf.page.locator("#account").inner_text()


def open_file(shelf: Visit, name: str) -> None:
    shelf.page.get_by_label("Find a document").fill(name)
    shelf.page.locator(".catalogue").get_by_role("button", name=name, exact=True).click()


@pytest.mark.browser
def test_files_that_are_dropped_are_answered_from_and_removed_again(
    shelf: Visit, client: Client, library: tuple[str, Path], tmp_path: Path
) -> None:
    page, corpus = shelf.page, library[1]
    tower = pdf_file([[FILLER], ["The tower at Truro was built by Jane Carne in 1880."]], title="The tower")
    account = drop(shelf, tmp_path, {"bridge.txt": FACT, "tower.pdf": tower, "scan.pdf": scanned_pdf()})

    assert "2 files added, 1 not added." in account
    assert re.search(r"tower\.pdf is indexed: 2 pages, \d passages?, read in \d+\.\d s\.", account)
    assert "scan.pdf was not added: it has no text, only pictures of it: a scan" in account
    assert sorted({*os.listdir(corpus)} - {*os.listdir(CORPUS)}) == ["bridge.txt", "tower.pdf"]
    page.locator("#summary").get_by_text("4 documents").wait_for()
    assert answer(client, "Who opened the stone bridge at Exeter?") == "Mayor Alice Hooper"
    assert answer(client, "Who built the tower at Truro?") == "Jane Carne"

    open_file(shelf, "The tower")
    page.locator("#document .source:focus").get_by_text("tower.pdf").wait_for()
    page.get_by_role("button", name="Remove this file").click()
    page.get_by_text("Really remove The tower (tower.pdf)?").wait_for()
    page.get_by_role("button", name="Keep it").click()
    page.get_by_role("button", name="Remove this file").click()
    page.get_by_role("button", name="Yes, remove it").click()
    page.locator("#account").get_by_text("1 file removed.").wait_for(timeout=60_000)
    page.locator("#summary").get_by_text("3 documents").wait_for()
    assert not page.locator("#document").is_visible()
    assert page.locator(".catalogue").get_by_text("tower.pdf").count() == 0
    assert (corpus / ".removed" / "tower.pdf").read_bytes() == tower
    assert answer(client, "Who built the tower at Truro?") is None


@pytest.mark.browser
def test_over_an_empty_folder_the_page_says_what_to_do_and_answers_once_a_file_is_there(
    browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with served(tmp_path, corpus=tmp_path / "empty") as address:
        visit = Visit(browser.new_page(), address).open()
        page = visit.page
        page.locator("#nothing").get_by_text("There are no documents yet. Add some on the tab").wait_for()
        assert "Nothing in the documents is about this." in visit.ask("Who opened the bridge?").inner_text()

        page.get_by_role("tab", name="Documents").click()
        page.locator("#catalogue").get_by_text("There are no documents yet.").wait_for()
        assert "1 file added." in drop(visit, tmp_path / "sent", {"bridge.txt": FACT})
        page.get_by_role("tab", name="Ask").click()
        page.locator("#nothing").wait_for(state="hidden")
        assert "Mayor Alice Hooper" in visit.ask("Who opened the stone bridge at Exeter?").inner_text()
        visit.close()


@pytest.mark.browser
def test_archives_are_unpacked_but_never_outside_the_folder(
    shelf: Visit, library: tuple[str, Path], tmp_path: Path
) -> None:
    papers = archive({"a/wall.txt": "The wall is of granite.", "a/inner.zip": archive({"deep.txt": "Deep."})})
    account = drop(shelf, tmp_path / "in", {"papers.zip": papers, "evil.zip": archive({"../evil.txt": "Evil."})})

    assert "papers.zip/a/wall.txt is indexed" in account
    assert "papers.zip/a/inner.zip was not added: it is an archive inside an archive" in account
    assert "evil.zip was not added: it is an archive with names that lead out of it" in account
    assert (library[1] / "wall.txt").exists()
    assert not [*library[1].parent.rglob("evil.txt"), *library[1].rglob("deep.txt")]


@pytest.mark.browser
def test_what_others_put_there_is_listed_as_text_with_its_reason(shelf: Visit, library: tuple[str, Path]) -> None:
    page = shelf.page
    name = HOSTILE.replace("/", "")
    (library[1] / f"{name}.md").write_text(f"---\ntitle: {json.dumps(HOSTILE)}\n---\n\n{HOSTILE} rained.")
    (library[1] / f"{name}\u202e.exe").write_text("MZ")
    page.get_by_role("button", name="Bring the index up to date").click()
    page.locator("#account").get_by_text("The index is up to date").wait_for(timeout=60_000)

    assert f"{name}.md is new: 1 passage" in page.locator("#account").inner_text()
    assert f"{name}\\u202e.exe is not read: files ending in .exe are not read." in page.locator("#account").inner_text()
    page.locator(".catalogue").get_by_text("Not read: files ending in .exe are not read").wait_for()
    open_file(shelf, f"{name}\\u202e.exe")
    page.locator("#document .unread:focus").get_by_text("until the file is mended").wait_for()
    open_file(shelf, HOSTILE)
    page.locator("#document .source:focus").get_by_role("heading", name=HOSTILE).wait_for()
    assert f"{HOSTILE} rained." in page.locator("#document .text").inner_text()
    page.get_by_role("button", name="Remove this file").click()
    assert f"Really remove {HOSTILE} ({name}.md)?" in page.locator("#really").inner_text()
    page.get_by_label("Find a document").fill(HOSTILE + "x")
    page.get_by_text(f"No document matches “{HOSTILE}x”.").wait_for()


@pytest.mark.browser
def test_while_the_index_is_brought_up_to_date_questions_are_answered(
    shelf: Visit, client: Client, library: tuple[str, Path]
) -> None:
    write_corpus(library[1] / "many", {f"{n}.txt": f"House {n} has {n + 2} windows. {FILLER}" for n in range(200)})
    seen, done = [], threading.Event()

    def ask() -> None:
        while not done.is_set():
            with urlopen(f"{library[0]}healthz") as ready:
                seen.append(
                    (json.load(ready)["status"], answer(client, "When did Tajikistan join the Partnership for Peace?"))
                )

    asking = threading.Thread(target=ask)
    asking.start()
    shelf.page.get_by_role("button", name="Bring the index up to date").click()
    shelf.page.locator("#account").get_by_text("The index is up to date").wait_for(timeout=120_000)
    done.set()
    asking.join()

    assert set(seen) == {("ready", "2002")}
    shelf.page.locator("#catalogue .pager").get_by_role("button", name="Next page").click()
    shelf.page.locator("#catalogue .pager").get_by_text(f"{PAGE_ROWS + 1}–").wait_for()
    assert "and 100 more" in shelf.page.locator("#account").inner_text()


@pytest.mark.browser
def test_what_is_named_by_an_address_is_not_fetched(library: tuple[str, Path]) -> None:
    with urlopen(f"{library[0]}config") as response:
        events = json.load(response)["dependencies"]
    upload = next(event["id"] for event in events if any(kind == "upload" for _, kind in event["targets"]))
    file = {"path": "http://198.51.100.1/rain.txt", "meta": {"_type": "gradio.FileData"}}
    body = json.dumps({"data": [[file]], "fn_index": upload, "session_hash": "rain"}).encode()
    urlopen(Request(f"{library[0]}gradio_api/queue/join", body, {"Content-Type": "application/json"})).close()
    with urlopen(f"{library[0]}gradio_api/queue/data?session_hash=rain") as stream:
        last = next(line for line in stream if b"process_completed" in line)

    assert json.loads(last.removeprefix(b"data: "))["success"] is False
    assert "Nothing is fetched from other machines" in (library[1].parent / "log").read_text(encoding="utf-8")


@pytest.mark.browser
@pytest.mark.parametrize("shelf", [{"viewport": {"width": 360, "height": 700}}], indirect=True)
def test_on_a_phone_and_for_everyone_the_documents_can_be_used(shelf: Visit) -> None:
    page = shelf.page
    page.get_by_role("button", name="The documents in figures").click()
    page.get_by_text("Passages by document").wait_for()
    open_file(shelf, "Relations with Tajikistan")
    page.locator("#document .source:focus").wait_for()
    found = Axe().run(page).response["violations"]

    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert [fault for fault in found if fault["impact"] in ("serious", "critical")] == []
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent") == "Relations with Tajikistan"


@pytest.mark.browser
def test_a_page_that_is_read_only_has_nothing_that_changes_documents(
    browser: Browser, index_path: Path, library: tuple[str, Path], tmp_path: Path
) -> None:
    def offered(address: str) -> tuple[set[str], set[str]]:
        """What can be pressed, and what events of it and of dropped files a program could send."""
        with urlopen(f"{address}config") as response:
            config = json.load(response)
        names = {part["id"]: str(part["props"].get("value")) for part in config["components"]}
        targets = [(names.get(of), event) for event_of in config["dependencies"] for of, event in event_of["targets"]]
        return set(names.values()), {name if event == "click" else event for name, event in targets}

    changing = {"Bring the index up to date", "Remove this file", "Yes, remove it", "Keep it"}
    shown, events = offered(library[0])
    assert changing <= shown and changing | {"upload"} <= events

    with served(tmp_path, "--read-only", corpus=copies(tmp_path, index_path)) as address:
        shown, events = offered(address)
        assert shown.isdisjoint(changing) and events.isdisjoint(changing | {"upload"})
        visit = Visit(browser.new_page(), address).open()
        visit.page.get_by_role("tab", name="Documents").click()
        open_file(visit, "Relations with Tajikistan")
        visit.page.locator("#document .source:focus").wait_for()
        assert visit.page.locator("#drop, #account, #remove").count() == 0
        visit.close()
