"""Reading a folder of whatever files people have."""

from __future__ import annotations

import datetime
import hashlib
import os
import time
from pathlib import Path

import pytest

from qa.datatypes import Document, Refused
from qa.documents import (
    ENCODING_SAMPLE_BYTES,
    MAX_FILE_BYTES,
    corpus_files,
    decode,
    document_id,
    read_corpus,
    read_document,
)
from qa.errors import CorpusError, DocumentError
from tests.helpers import write_corpus


def read(folder: Path) -> dict[str, str]:
    """What each file became: its text, or "refused: " and the reason."""
    return {
        item.id: item.text if isinstance(item, Document) else f"refused: {item.reason}" for item in read_corpus(folder)
    }


def test_the_documents_of_the_repository_are_read_as_they_are(corpus: Path) -> None:
    report, page = read_corpus(corpus)

    assert isinstance(report, Document) and isinstance(page, Document)
    assert (page.id, page.title, page.date) == (
        "nato-relations-with-tajikistan.txt",
        "Relations with Tajikistan",
        None,
    )
    assert (report.id, report.title, report.date, report.source) == (
        "asia-plus-2011-06-23-zarifi-receives-appathurai.txt",
        "Asia plus 2011-06-23 zarifi receives appathurai",
        datetime.date(2011, 6, 23),
        "Asia-Plus",
    )
    for document in (report, page):
        content = (corpus / document.id).read_bytes()
        assert document.text == content.decode("utf-8")
        assert document.sha256 == hashlib.sha256(content).hexdigest()


def test_every_file_is_read_or_refused_with_its_reason_in_the_order_of_ids(tmp_path: Path) -> None:
    folder = write_corpus(
        tmp_path / "corpus",
        {
            "good.txt": "It rained.",
            "b/UPPER.TXT": "It rained too.",
            "b/notes.md": "# Notes\n\nIt was *wet*.",
            "empty.txt": b"",
            "blank.txt": " \n\t\n",
            "dashes.txt": "---\n***\n",
            "mark.txt": b"\xef\xbb\xbf",
            "heading.md": "# Nothing but this\n",
            "picture.png": b"\x89PNG",
            "README": "no ending",
            "zip.txt": b"PK\x03\x04\x00\x00\xff",
            "nul.txt": b"It \x00 rained.",
            "utf-32.txt": "It rained.".encode("utf-32"),
            "unmarked.txt": "It rained.".encode("utf-16-le"),
            "broken-utf-8.txt": "Il a plu à côté. ".encode() * 3 + b"\xff" + "été, où".encode(),
            ".hidden.txt": "hidden",
            ".git/config.txt": "hidden",
        },
    )

    assert list(read(folder).items()) == [
        ("README", "refused: files without an ending are not read"),
        ("b/UPPER.TXT", "It rained too."),
        ("b/notes.md", "# Notes\n\nIt was *wet*."),
        ("blank.txt", "refused: there is no text in it"),
        ("broken-utf-8.txt", "refused: its text is in no encoding that could be recognised; save it as UTF-8"),
        ("dashes.txt", "refused: there is no text in it"),
        ("empty.txt", "refused: it is empty"),
        ("good.txt", "It rained."),
        ("heading.md", "refused: there is no text in it but headings"),
        ("mark.txt", "refused: there is no text in it"),
        ("nul.txt", "refused: it holds NUL bytes: a binary file, or text in an encoding that is not marked"),
        ("picture.png", "refused: files ending in .png are not read"),
        ("unmarked.txt", "refused: it holds NUL bytes: a binary file, or text in an encoding that is not marked"),
        ("utf-32.txt", "refused: it holds NUL bytes: a binary file, or text in an encoding that is not marked"),
        ("zip.txt", "refused: it holds NUL bytes and is no UTF-8: a binary file"),
    ]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("The bridge was built in 1901. It was “of stone”.", "utf-8"),
        ("The bridge was built in 1901. It was “of stone”.", "utf-8-sig"),
        ("The bridge was built in 1901. It was “of stone”.", "utf-16"),
        ("The bridge was built in 1901. It was “of stone”.", "cp1252"),
        ("Café", "latin-1"),
        ("Le pont fut bâti en 1901 à côté de l'église. L'ancien avait brûlé deux fois.", "latin-1"),
        ("Die Brücke wurde 1901 gebaut. Die alte war zweimal abgebrannt, schön für Müller.", "latin-1"),
        ("Zażółć gęślą jaźń. Most zbudowano w 1901 roku. Stary spłonął dwukrotnie.", "cp1250"),
        ("Мост через реку построили в 1901 году. Старый мост сгорел дважды.", "cp1251"),
        ("Мост через реку построили в 1901 году. Старый мост сгорел дважды.", "koi8-r"),
        ("橋は一九〇一年に架けられた。古い橋は二度焼けました。", "shift-jis"),
        ("桥建于一九〇一年。旧桥烧毁两次。", "gbk"),
    ],
)
def test_text_in_an_older_encoding_is_recognised(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_the_encoding_is_guessed_around_the_first_byte_that_is_no_utf_8() -> None:
    text = "It rained. " * (ENCODING_SAMPLE_BYTES // 5) + "The café “of stone” closed; a naïve mayor."

    assert decode(text.encode("cp1252")) == text


def test_a_file_in_two_encodings_is_refused() -> None:
    content = "Мост через реку построили. ".encode("cp1251") * 10_000 + b"\x98"

    with pytest.raises(DocumentError, match="neither UTF-8 nor cp1251 throughout; save it as UTF-8"):
        decode(content)


@pytest.mark.parametrize("content", [b"one\ntwo\n\nthree", b"one\r\ntwo\r\n\r\nthree", b"one\rtwo\r\rthree"])
def test_every_line_end_becomes_one_newline(content: bytes) -> None:
    assert decode(content) == "one\ntwo\n\nthree"
    assert decode(b"\xef\xbb\xbf" + content) == "one\ntwo\n\nthree"


@pytest.mark.parametrize("name", ["a b.txt", "two\nlines.txt", "ünï 橋.txt", "semi;'\".txt", "-dash.txt", "a\tb.txt"])
def test_file_names_may_hold_anything(tmp_path: Path, name: str) -> None:
    folder = write_corpus(tmp_path / "corpus", {name: "It rained."})

    assert read(folder) == {name: "It rained."}


def test_a_name_that_is_no_utf_8_is_shown_and_the_file_is_read(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "corpus", {"good.txt": "It rained."})
    for name in (b"bad\xff.txt", b"worse.\xfe"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(b"It is dry.")

    found = list(read_corpus(folder))
    assert [item.id for item in found] == ["bad\\xff.txt", "good.txt", "worse.\\xfe"]
    assert isinstance(found[0], Document) and found[0].title == "Bad\\xff"
    assert isinstance(found[2], Refused) and found[2].reason.startswith("files ending in .\\xfe are not read")
    "".join(str(item) for item in found).encode("utf-8")


def test_two_names_that_are_shown_alike_are_one_document_and_one_refusal(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "corpus", {"a\\xff.txt": "It rained."})
    Path(os.fsdecode(os.fsencode(folder) + b"/a\xff.txt")).write_bytes(b"It is dry.")

    first, second = read_corpus(folder)
    assert isinstance(first, Document)
    assert second == Refused("a\\xff.txt", "its name is shown in the same way as that of another file")


def test_a_document_is_named_by_its_path_below_the_corpus(tmp_path: Path) -> None:
    assert document_id(tmp_path / "a" / "b c.txt", tmp_path) == "a/b c.txt"


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "corpus", {"good.txt": "It rained."})
    os.mkfifo(folder / "pipe.txt")
    (folder / "nowhere.txt").symlink_to(folder / "missing")
    (folder / "link.txt").symlink_to(folder / "good.txt")

    assert read(folder) == {
        "good.txt": "It rained.",
        "link.txt": "It rained.",
        "nowhere.txt": "refused: it is a link that leads nowhere",
        "pipe.txt": "refused: it is not a regular file",
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable to the superuser")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "corpus", {"good.txt": "It rained.", "secret.txt": "It is dry."})
    (folder / "secret.txt").chmod(0)

    assert read(folder) == {"good.txt": "It rained.", "secret.txt": "refused: it cannot be opened: Permission denied"}


def test_a_file_that_can_be_found_but_not_read_is_refused() -> None:
    memory = Path("/proc/self/mem")
    if not memory.is_file():
        pytest.skip("there is no /proc here")
    with pytest.raises(DocumentError, match="it is empty|it cannot be opened: "):
        read_document(memory, "mem.txt")


def test_a_huge_file_is_refused_without_being_read(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "corpus", {"huge.txt": "x"})
    with (folder / "huge.txt").open("r+b") as file:
        file.truncate(MAX_FILE_BYTES + 1)

    assert read(folder) == {"huge.txt": "refused: it has 50,000,001 bytes (at most 50,000,000 are read)"}


@pytest.mark.parametrize("name", ["line.txt", "line.md"])
def test_one_line_of_five_megabytes_is_read_in_a_moment(tmp_path: Path, name: str) -> None:
    line = "It rained on the bridge all day long, and nobody came. " * 90_000
    folder = write_corpus(tmp_path / "corpus", {name: line})

    started = time.process_time()
    assert read(folder) == {name: line}
    assert time.process_time() - started < 10


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"There is no folder of documents at .*missing\. Make it, or name another"):
        list(read_corpus(tmp_path / "missing"))
    (tmp_path / "file").write_text("x")
    with pytest.raises(CorpusError, match="There is no folder of documents"):
        corpus_files(tmp_path / "file")


def test_an_empty_folder_holds_no_documents(tmp_path: Path) -> None:
    assert list(read_corpus(tmp_path)) == []
