"""Files made to do harm: each costs at most itself, and says why it was not read."""

from __future__ import annotations

import io
import os
import socket
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qa.cli import main
from qa.datatypes import Document, Refused
from qa.documents import READERS, read_corpus, read_document
from qa.errors import DocumentError, QAError
from qa.formats import isolation, limits
from qa.formats.isolation import checked, read_isolated
from qa.indexing import index_folder
from qa.render import document_html
from qa.structure import Structure
from qa.text import shown_name
from tests import writers
from tests.helpers import TinyEmbedder, write_corpus
from tests.test_formats import CASES, check
from tests.writers import FACT, archive, changed_archive


def refusal(tmp_path: Path, name: str, content: bytes) -> str:
    """The reason for which a file is not read; it must be found in a moment."""
    write_corpus(tmp_path, {name: content})
    started = time.monotonic()
    with pytest.raises(DocumentError) as caught:
        read_document(tmp_path / name, name)
    assert time.monotonic() - started < 20
    return str(caught.value)


# Archives and XML

ZEROS = b"\0" * 40_000_000


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"word/document.xml": ZEROS}, "times its size (at most 200 times; QA_MAX_EXPANSION): a bomb"),
        ({f"{i}.xml": b"x" for i in range(limits.MAX_ARCHIVE_MEMBERS + 1)}, "an archive of 10,001 files"),
        ({"../../etc/cron.d/x": b"x"}, "names that lead out of it"),
        ({"/etc/passwd": b"x"}, "names that lead out of it"),
        ({"..\\x": b"x"}, "names that lead out of it"),
        ({"C:\\x": b"x"}, "names that lead out of it"),
    ],
    ids=["zeros", "many", "dots", "absolute", "backslash", "drive"],
)
@pytest.mark.parametrize("name", ["a.docx", "a.pptx", "a.xlsx", "a.odt", "a.ods", "a.epub"])
def test_archives_that_must_not_be_unpacked(tmp_path: Path, name: str, members: dict[str, bytes], reason: str) -> None:
    assert reason in refusal(tmp_path, name, archive(members))


def test_an_archive_that_unpacks_to_more_than_the_limit() -> None:
    from qa.formats.archives import open_archive

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as written:
        written.writestr("a", b"x")
        written.filelist[0].file_size = limits.MAX_EXPANDED_BYTES + 1  # only said, which is enough

    with pytest.raises(DocumentError, match="it unpacks to 300,000,001 bytes"):
        open_archive(file.getvalue())


def test_a_locked_archive_and_a_locked_book(tmp_path: Path) -> None:
    locked = bytearray(archive({"content.xml": b"x"}))
    locked[6] |= 1  # the local header's flag
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    book = {
        **writers.EPUB_MEMBERS,
        "META-INF/encryption.xml": '<encryption xmlns:e="e"><e:CipherReference URI="OEBPS/one.xhtml"/></encryption>',
    }

    assert refusal(tmp_path, "a.odt", bytes(locked)) == "it is encrypted"
    assert "only be opened with its seller's program" in refusal(tmp_path, "a.epub", archive(book))


LAUGHS = (
    "<!DOCTYPE x [<!ENTITY a0 'ha'>" + "".join(f"<!ENTITY a{i} '{f'&a{i - 1};' * 10}'>" for i in range(1, 12)) + "]>"
)
STOLEN = "<!DOCTYPE x [<!ENTITY a11 SYSTEM 'file:///etc/hostname'>]>"
FETCHED = "<!DOCTYPE x [<!ENTITY a11 SYSTEM 'http://127.0.0.1:9/x'><!ENTITY % p SYSTEM 'http://127.0.0.1:9/y'> %p;]>"


@pytest.mark.parametrize("declared", [LAUGHS, STOLEN, FETCHED], ids=["laughs", "stolen", "fetched"])
def test_entities_are_never_expanded(tmp_path: Path, declared: str) -> None:
    words = (Path("/etc/hostname").read_text().strip() if Path("/etc/hostname").exists() else "") or "ha" * 1_000

    def with_entity(members: dict[str, str], name: str, before: str) -> bytes:
        return archive({**members, name: declared + members[name].replace(before, before + "&a11;")})

    docx = writers.docx_file()
    with zipfile.ZipFile(io.BytesIO(docx)) as opened:
        xml = opened.read("word/document.xml").decode().split("?>", 1)[1].strip()
    changed = declared + xml.replace("Mayor", "Mayor &a11;")
    assert "declares a document type" in refusal(
        tmp_path, "a.docx", changed_archive(docx, {"word/document.xml": changed.encode()})
    )
    utf_16 = changed_archive(docx, {"word/document.xml": changed.encode("utf-16")})
    for name, content in {
        "utf-16.docx": utf_16,
        "a.odt": with_entity(dict(writers.ODT_MEMBERS), "content.xml", "Mayor "),
        "container.epub": with_entity(dict(writers.EPUB_MEMBERS), "META-INF/container.xml", "<rootfiles>"),
        "package.epub": with_entity(dict(writers.EPUB_MEMBERS), "OEBPS/book.opf", "<dc:title>"),
    }.items():
        write_corpus(tmp_path, {name: content})
        try:
            document = read_document(tmp_path / name, name)
        except DocumentError:
            continue
        assert words not in document.text + document.title


def test_entities_of_a_chapter_are_not_expanded(tmp_path: Path) -> None:
    chapter = STOLEN + "<html><body><p>Stolen: &a11;.</p></body></html>"
    write_corpus(tmp_path, {"a.epub": archive({**writers.EPUB_MEMBERS, "OEBPS/one.xhtml": chapter})})

    assert "Stolen: &a11;." in read_document(tmp_path / "a.epub", "a.epub").text


# Nesting


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.html", ("<div>" * 20_000 + "deep").encode()),
        ("a.html", ("<table><tr><td>" * 30_000 + "deep").encode()),
        ("a.html", ("<b>" * 20_000 + "deep").encode()),
        (
            "a.odt",
            archive(
                {
                    **writers.ODT_MEMBERS,
                    "content.xml": writers.ODT_MEMBERS["content.xml"].replace(
                        "<text:list>", "<text:list>" + "<text:list-item>" * 5_000 + "</text:list-item>" * 5_000
                    ),
                }
            ),
        ),
        ("a.rtf", b"{\\rtf1 " + b"{" * 500_000 + b"deep"),
        ("a.pdf", b"%PDF-1.4\n1 0 obj " + b"[" * 500_000),
        ("a.eml", b"Subject: x\nContent-Type: message/rfc822\n\n" * 5_000 + b"deep"),
    ],
    ids=["div", "table", "b", "odt", "rtf", "pdf", "mail"],
)
def test_deep_nesting(tmp_path: Path, name: str, content: bytes) -> None:
    write_corpus(tmp_path, {name: content, "good.pdf": CASES[0].content})
    started = time.monotonic()
    found = list(read_corpus(tmp_path))
    assert time.monotonic() - started < 30

    assert isinstance(found[0], Refused) or "deep" in found[0].text
    assert isinstance(found[1], Document)


def test_a_word_file_of_tables_in_tables(tmp_path: Path) -> None:
    docx = writers.docx_file()
    with zipfile.ZipFile(io.BytesIO(docx)) as opened:
        xml = opened.read("word/document.xml").decode()
    table, end = "<w:tbl><w:tr><w:tc>", "</w:tc></w:tr></w:tbl>"
    nested = xml.replace("<w:sectPr", table * 60 + "<w:p/>" + end * 60 + "<w:sectPr", 1)

    assert refusal(tmp_path, "a.docx", changed_archive(docx, {"word/document.xml": nested.encode()})) == (
        "its tables nest deeper than 20"
    )


def test_a_row_that_says_it_spans_a_billion_columns(tmp_path: Path) -> None:
    docx = writers.docx_file()
    with zipfile.ZipFile(io.BytesIO(docx)) as opened:
        xml = opened.read("word/document.xml").decode()
    wide = xml.replace("<w:tcPr>", '<w:tcPr><w:gridSpan w:val="1000000000"/>')
    write_corpus(tmp_path, {"a.docx": changed_archive(docx, {"word/document.xml": wide.encode()})})

    assert "Exe | 1905 | 210 m" in read_document(tmp_path / "a.docx", "a.docx").text


# Size


def test_a_pdf_of_too_many_pages(tmp_path: Path) -> None:
    pdf = pypdfium2.PdfDocument.new()
    for _ in range(limits.MAX_PAGES + 1):
        pdf.new_page(10, 10).close()
    file = io.BytesIO()
    pdf.save(file)
    pdf.close()

    assert refusal(tmp_path, "a.pdf", file.getvalue()) == (
        "it has 10,001 pages (at most 10,000 are read; QA_MAX_PAGES)"
    )


@pytest.mark.parametrize("name", sorted({f"a{ending}" for ending in READERS}))
def test_thirty_megabytes_of_junk(tmp_path: Path, name: str) -> None:
    junk = bytes(range(1, 256)) * 120_000
    write_corpus(tmp_path, {name: junk})
    started = time.monotonic()

    (found,) = read_corpus(tmp_path)

    assert time.monotonic() - started < 30
    assert isinstance(found, Refused) or name.endswith((".txt", ".text", ".csv", ".tsv", ".md", ".markdown"))


def test_a_limit_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_MAX_PAGES", "7")
    assert limits._setting("QA_MAX_PAGES", 10) == 7
    monkeypatch.setenv("QA_MAX_PAGES", "many")
    with pytest.raises(QAError, match="QA_MAX_PAGES is set to 'many'; a whole number above 0 was expected"):
        limits._setting("QA_MAX_PAGES", 10)


# The process that can be killed


@pytest.fixture
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Makes the library that reads .rtf files, in the other process, do something else."""

    def replace(code: str) -> None:
        write_corpus(
            tmp_path / "faulty",
            {"striprtf/__init__.py": "", "striprtf/striprtf.py": f"def rtf_to_text(markup, errors):\n    {code}\n"},
        )
        monkeypatch.syspath_prepend(str(tmp_path / "faulty"))

    isolation._reading.end()
    yield replace
    isolation._reading.end()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("while True: pass", "reading it took longer than 1 seconds and was given up (QA_MAX_SECONDS)"),
        ("import time; time.sleep(1000)", "reading it took longer than 1 seconds"),
        ("import os; os.abort()", "its parser ended before it had read it"),
        ("import ctypes; ctypes.string_at(0)", "its parser ended before it had read it"),
        ("import os; os._exit(0)", "its parser ended before it had read it"),
        ("bytearray(10**12)", "its parser ended before it had read it"),
        ("rtf_to_text(markup, errors)", "it nests too deep"),
        ("raise KeyError('x\\n\\x1b[31m')", "it is damaged, or no RTF file (KeyError)"),
        ("print('{}'); raise ValueError", "it is damaged, or no RTF file (ValueError)"),
        ("import os; os.write(1, b'{}\\n'); fault2", "it is damaged, or no RTF file (NameError)"),
        ("import socket; socket.create_connection(('127.0.0.1', 9))", "(PermissionError)"),
        ("import socket; socket.getaddrinfo('example.org', 80)", "(PermissionError)"),
        ("import subprocess; subprocess.run(['true'])", "(PermissionError)"),
        ("import os; os.system('true')", "(PermissionError)"),
        ("open('written', 'w')", "(PermissionError)"),
        ("import pathlib; pathlib.Path('written').write_text('x')", "(PermissionError)"),
        ("import os; os.open('written', os.O_CREAT | os.O_WRONLY)", "(PermissionError)"),
        ("import os; os.remove('kept')", "(PermissionError)"),
    ],
)
def test_a_parser_that_fails_costs_one_file(
    faulty: Callable[[str], None], code: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty(code)
    write_corpus(tmp_path, {"kept": "x"})
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DocumentError) as caught:
        read_isolated(".rtf", rb"{\rtf1 " + b"x" * 5_000_000, seconds=1)
    assert reason in str(caught.value)
    assert (tmp_path / "kept").exists() and not (tmp_path / "written").exists()
    text, _ = read_isolated(".html", writers.HTML.encode())
    assert FACT in text


def test_no_program_among_the_documents_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = tmp_path / "ran"
    evil = f"open({str(ran)!r}, 'w')"
    names = ["json.py", "lxml.py", "selectolax.py", "qa.py", "sitecustomize.py", "usercustomize.py", "encodings.py"]
    write_corpus(tmp_path, {name: evil for name in names})
    monkeypatch.chdir(tmp_path)
    isolation._reading.end()

    assert FACT in read_isolated(".html", writers.HTML.encode())[0]
    assert not ran.exists()


def test_a_process_that_was_killed_between_two_files_is_replaced() -> None:
    read_isolated(".html", writers.HTML.encode())
    assert isolation._reading.process is not None
    first = isolation._reading.process._process
    first.kill()
    first.wait()

    assert FACT in read_isolated(".html", writers.HTML.encode())[0]
    assert isolation._reading.process._process.pid != first.pid


def test_one_process_reads_many_files() -> None:
    read_isolated(".html", writers.HTML.encode())
    assert isolation._reading.process is not None
    first = isolation._reading.process._process.pid
    for _ in range(20):
        read_isolated(".html", writers.HTML.encode())

    assert isolation._reading.process._process.pid == first


EMPTY: dict[str, Any] = {"title": None, "date": None, "source": None, "sections": [], "blocks": [], "pages": []}


@pytest.mark.parametrize(
    "structure",
    [
        None,
        {},
        {**EMPTY, "blocks": [["paragraph", 0, 11, None]]},
        {**EMPTY, "blocks": [["paragraph", -1, 3, None]]},
        {**EMPTY, "blocks": [["paragraph", 3, 1, None]]},
        {**EMPTY, "blocks": [["paragraph", 0, 5, None], ["paragraph", 4, 6, None]]},
        {**EMPTY, "blocks": [["program", 0, 5, None]]},
        {**EMPTY, "blocks": [["item", 3, 5, ["It", 1, 3]]]},
        {**EMPTY, "blocks": [["item", 3, 5, ["It", 1, 30]]]},
        {**EMPTY, "sections": [["x", 1, 0, 11]]},
        {**EMPTY, "sections": [[7, 1, 0, 10]]},
        {**EMPTY, "pages": [[1, 0, 5], [2, 6, 10]]},
        {**EMPTY, "title": 7},
        {**EMPTY, "date": "tomorrow"},
    ],
)
def test_an_answer_that_no_reader_gives_is_refused(structure: object) -> None:
    with pytest.raises(DocumentError, match="its parser gave"):
        checked({"text": "It rained.", "structure": structure})
    with pytest.raises(DocumentError, match="its parser gave no document"):
        checked({"text": "\ud800", "structure": EMPTY})
    assert checked({"text": "It rained.", "structure": EMPTY}) == ("It rained.", Structure(None, None, None, (), ()))


# The folder


def test_links_and_pipes_of_a_folder(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", {"good.txt": "It rained.", "sub/also.txt": "It is dry."})
    write_corpus(tmp_path, {"secret.txt": "The password is 1234.", "outside/x.txt": "Out."})
    (corpus / "up.txt").symlink_to("../secret.txt")
    (corpus / "out").symlink_to(tmp_path / "outside")
    (corpus / "round").symlink_to(corpus)
    (corpus / "itself.txt").symlink_to("itself.txt")
    (corpus / "zero.pdf").symlink_to("/dev/zero")
    (corpus / "in.txt").symlink_to("sub/also.txt")
    os.mkfifo(corpus / "pipe.pdf")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(corpus / "socket.pdf"))

    assert {item.id: item.text if isinstance(item, Document) else item.reason for item in read_corpus(corpus)} == {
        "good.txt": "It rained.",
        "sub/also.txt": "It is dry.",
        "in.txt": "It is dry.",
        "up.txt": "it is a link that leads out of the folder of documents",
        "out": "it is a link to a folder, and these are not followed",
        "round": "it is a link to a folder, and these are not followed",
        "itself.txt": "it is a link that leads nowhere",
        "zero.pdf": "it is a link that leads out of the folder of documents",
        "pipe.pdf": "it is not a regular file",
        "socket.pdf": "it is not a regular file",
    }


def test_names_that_steer_a_terminal_are_written_out(tmp_path: Path) -> None:
    names = ["a\nError: forged.txt", "\x1b[31mred.txt", "gpj\u202etxt.txt", "a\rb.bin", "zero\u200bwidth.txt"]
    corpus = write_corpus(tmp_path / "corpus", {name: "It rained." for name in names})
    index_folder(corpus, tmp_path / "index", TinyEmbedder())

    result = CliRunner().invoke(main, ["info", "--index", str(tmp_path / "index")])
    assert result.exit_code == 0
    for name in names:
        assert f"  {shown_name(name)}: " in result.output or f"  not read: {shown_name(name)}: " in result.output
    assert all(character.isprintable() or character == "\n" for character in result.output)
    assert not any(line.startswith("Error") for line in result.output.splitlines())


def test_scripts_in_a_document_are_words(tmp_path: Path) -> None:
    markup = (
        "<h1>A &lt;script&gt;</h1><p>Type &lt;img src=x onerror=alert(1)&gt; here.</p>"
        "<p onclick='alert(1)'>It rained.</p>"
    )
    write_corpus(tmp_path, {"a.html": markup})
    document = read_document(tmp_path / "a.html", "a.html")

    assert document.text == "A <script>\n\nType <img src=x onerror=alert(1)> here.\n\nIt rained."
    shown = document_html(document, 12, 20, 12, 16)
    assert "<script" not in shown and "<img" not in shown


# Mutated files

FUZZED = [case for case in CASES if Path(case.name).suffix != ".HTM"]


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """A real file with parts of it changed, taken out or repeated; in an archive, those of one of its files."""
    case = draw(st.sampled_from(FUZZED))
    content = case.content.encode() if isinstance(case.content, str) else case.content
    ending = Path(case.name).suffix.lower()
    if content[:2] != b"PK" or draw(st.integers(0, 3)) == 0:
        return ending, draw(changed(content))
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        name = draw(st.sampled_from([n for n in opened.namelist() if n.endswith((".xml", ".rels", ".xhtml", ".opf"))]))
        member = opened.read(name)
    return ending, changed_archive(content, {name: draw(changed(member))})


@st.composite
def changed(draw: st.DrawFn, content: bytes) -> bytes:
    for _ in range(draw(st.integers(1, 4))):
        if not content:
            break
        start = draw(st.integers(0, len(content) - 1))
        end = min(len(content), start + draw(st.integers(1, 60)))
        new = draw(
            st.one_of(
                st.binary(max_size=8),
                st.just(content[start:end] * 30),
                st.sampled_from([b"", b"\0", b"\xff\xfe", b"-1", b"99999999999", b"<", b'"', b"&#0;", b"\xed\xa0\x80"]),
            )
        )
        content = content[:start] + new + content[end:]
    return content


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(mutated())
def test_a_mutated_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, file: tuple[str, bytes]) -> None:
    ending, content = file
    path = tmp_path_factory.getbasetemp() / f"mutated{ending}"
    path.write_bytes(content)
    try:
        check(read_document(path, path.name))
    except DocumentError as reason:
        assert "gave" not in str(reason)


@pytest.mark.parametrize("case", FUZZED, ids=lambda case: case.name)
def test_a_file_that_was_cut_short_is_read_or_refused(tmp_path: Path, case: Any) -> None:
    content = case.content.encode() if isinstance(case.content, str) else case.content
    for part in range(12):
        write_corpus(tmp_path, {case.name: content[: len(content) * part // 12]})
        try:
            check(read_document(tmp_path / case.name, case.name))
        except DocumentError as reason:
            assert "gave" not in str(reason)


PIECES = [
    "<p>",
    "</p>",
    "<table>",
    "<tr>",
    "<td>",
    "<th>",
    "</table>",
    "<li>",
    "<h1>",
    "<pre>",
    "<br>",
    "<nav>",
    "</nav>",
]
PIECES += [
    "&#xd800;",
    "&fflig;",
    "<!--",
    "-->",
    "<svg>",
    "<title>",
    "<main>",
    "It rained. ",
    "a\u00adb",
    "\u202e",
    "<![CDATA[",
]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_mark_up_is_read_or_refused(markup: str) -> None:
    text, structure = READERS[".html"](markup.encode())
    check(as_document(text, structure))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.sampled_from([".csv", ".tsv", ".md", ".txt"]),
    st.text(alphabet='ab1 ,;\t|"\n\r-:#*\x0b\x0c\x1c\x85\u2028', max_size=60),
)
def test_any_text_is_read_with_the_right_places(ending: str, content: str) -> None:
    text, structure = READERS[ending](content.encode())
    assert text == content.replace("\r\n", "\n").replace("\r", "\n")
    check(as_document(text, structure))


def as_document(text: str, structure: Structure) -> Document:
    return Document("a", "a", text, "", sections=structure.sections, blocks=structure.blocks, pages=structure.pages)
