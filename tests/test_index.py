"""The index's whole life: built, opened, swapped, damaged, refused."""

from __future__ import annotations

import hashlib
import json
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import faiss
import pytest

from qa.datatypes import Refused
from qa.embedding import Vectors
from qa.errors import CorpusError, IndexBusy, IndexDamaged, IndexMissing, IndexStale, QAError, QuestionError
from qa.index import FORMAT, Index, documents_between
from qa.indexing import ENCODE_AT_ONCE, index_folder
from qa.pipeline import Pipeline
from qa.retrieval import HybridRetriever
from tests.helpers import TinyEmbedder, write_corpus

FILES = {"cat.txt": "The cat sleeps.", "dog.txt": "The dog barks.", "notes/fish.md": "# Fish\n\nThe trout swims."}


@pytest.fixture
def animals(tmp_path: Path) -> Path:
    return write_corpus(tmp_path / "animals", FILES)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the animals that no test changes."""
    folder = tmp_path_factory.mktemp("built")
    index_folder(write_corpus(folder / "animals", FILES), folder / "index", TinyEmbedder())
    return folder / "index"


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    """The folder of an index of the animals."""
    return Path(shutil.copytree(built, tmp_path / "index"))


def best(index: Index, question: str) -> str:
    return HybridRetriever(index, TinyEmbedder()).retrieve(question, 1)[0].passage.text


def generations(folder: Path) -> set[str]:
    return {path.name for path in (folder / "generations").iterdir()}


def live(folder: Path) -> str:
    return str(json.loads((folder / "CURRENT").read_text())["generation"])


# Building and opening


def test_an_index_answers_from_what_was_in_the_folder(folder: Path) -> None:
    index = Index.open(folder)

    assert [best(index, q) for q in ("kitten", "hound", "salmon")] == [
        "The cat sleeps.",
        "The dog barks.",
        "The trout swims.",
    ]
    assert index.store.document_ids() == ["cat.txt", "dog.txt", "notes/fish.md"]


def test_the_manifest_says_what_is_in_it_and_how_it_was_made(folder: Path, animals: Path) -> None:
    manifest = Index.open(folder).manifest

    assert [(d.id, d.title, d.characters, d.pages, d.passages) for d in manifest.documents] == [
        ("cat.txt", "Cat", 15, 0, 1),
        ("dog.txt", "Dog", 14, 0, 1),
        ("notes/fish.md", "Fish", 24, 0, 1),
    ]
    assert manifest.documents[0].sha256 == hashlib.sha256(b"The cat sleeps.").hexdigest()
    assert manifest.embedder == {"name": "tiny", "fingerprint": "fingerprint-of-tiny", "dimension": 8}
    names = [f"{name}\0{hashlib.sha256(text.encode()).hexdigest()}\0" for name, text in sorted(FILES.items())]
    assert manifest.corpus_digest == hashlib.sha256("".join(names).encode()).hexdigest()
    assert (manifest.format, manifest.passages, manifest.refused) == (FORMAT, 3, ())


def test_the_manifest_has_the_checksum_and_size_of_every_other_file(folder: Path) -> None:
    index = Index.open(folder)

    on_disk = {
        path.relative_to(index.generation).as_posix(): {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
        }
        for path in index.generation.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }
    del on_disk["manifest.json"]
    assert index.manifest.files == on_disk
    assert {"vectors.faiss", "documents.sqlite", "lexical/meta.json"} <= set(on_disk)


def test_equal_passages_are_embedded_once(tmp_path: Path, tiny_embedder: TinyEmbedder) -> None:
    corpus = write_corpus(tmp_path / "corpus", {"a/cat.txt": "The cat sleeps.", "b/cat.txt": "The cat sleeps."})
    report = index_folder(corpus, tmp_path / "index", tiny_embedder)

    assert tiny_embedder.encoded == ["Cat. The cat sleeps."]
    assert report.manifest.passages == 2


def test_one_line_of_five_megabytes_is_indexed_in_a_moment(tmp_path: Path, tiny_embedder: TinyEmbedder) -> None:
    text = "It rained on the bridge all day long, and nobody came. " * 90_000 + "The mayor slept."
    corpus = write_corpus(tmp_path / "corpus", {"line.txt": text})

    started = time.process_time()
    manifest = index_folder(corpus, tmp_path / "index", tiny_embedder).manifest
    assert time.process_time() - started < 30
    assert manifest.documents[0].characters == len(text)
    assert best(Index.open(tmp_path / "index"), "mayor").endswith("The mayor slept.")


def test_progress_is_told_step_by_step(tmp_path: Path, animals: Path, tiny_embedder: TinyEmbedder) -> None:
    told: list[tuple[str, int, int]] = []
    index_folder(animals, tmp_path / "index", tiny_embedder, progress=lambda *step: told.append(step))

    assert told == [
        *(("reading", n, 3) for n in (0, 1, 2, 3)),
        *(("embedding", n, 3) for n in (0, 3)),
        *(("writing", n, 2) for n in (0, 1, 2)),
    ]


def test_texts_are_embedded_in_parts(tmp_path: Path, tiny_embedder: TinyEmbedder) -> None:
    lines = "".join(f"{1100 + n}: The cat number {n}.\n" for n in range(ENCODE_AT_ONCE + 5))
    corpus = write_corpus(tmp_path / "corpus", {"cats.txt": lines})
    report = index_folder(corpus, tmp_path / "index", tiny_embedder)

    assert report.manifest.passages == len(set(tiny_embedder.encoded)) == ENCODE_AT_ONCE + 5
    index = Index.open(tmp_path / "index")
    ((row, _),) = index.lexical.best("260", 1)
    assert index.store.passages([row])[0].text == "1360: The cat number 260."


def test_no_file_of_an_index_is_a_pickle(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            # A pickle of protocol 2 and above begins with 0x80 and its number.
            assert not re.match(rb"\x80[\x02-\x05]", path.read_bytes()), path
            assert path.suffix not in (".pkl", ".pickle", ".npy", ".pt", ".joblib")


def test_vectors_are_readable_by_anyone(folder: Path) -> None:
    vectors = faiss.read_index(str(Index.open(folder).generation / "vectors.faiss"))

    assert [vectors.reconstruct(row).argmax() for row in range(3)] == [0, 1, 2]


# Bringing it up to date


def test_an_unchanged_corpus_builds_nothing(folder: Path, animals: Path, tiny_embedder: TinyEmbedder) -> None:
    before = live(folder)
    tiny_embedder.encoded.clear()
    report = index_folder(animals, folder, tiny_embedder)

    assert (report.built, live(folder), tiny_embedder.encoded) == (False, before, [])
    assert report.manifest == Index.open(folder).manifest


def test_a_full_build_builds_although_nothing_changed(folder: Path, animals: Path, tiny_embedder: TinyEmbedder) -> None:
    before = live(folder)

    assert index_folder(animals, folder, tiny_embedder, full=True).built
    assert live(folder) != before


@pytest.mark.parametrize(
    ("change", "documents"),
    [
        (lambda corpus: (corpus / "cat.txt").write_text("The cat runs."), ["cat.txt", "dog.txt", "notes/fish.md"]),
        (lambda corpus: (corpus / "cat.txt").unlink(), ["dog.txt", "notes/fish.md"]),
        (
            lambda corpus: (corpus / "new.txt").write_text("A storm."),
            ["cat.txt", "dog.txt", "new.txt", "notes/fish.md"],
        ),
        (lambda corpus: (corpus / "cat.txt").rename(corpus / "tom.txt"), ["dog.txt", "notes/fish.md", "tom.txt"]),
    ],
    ids=["changed", "deleted", "added", "renamed"],
)
def test_a_changed_corpus_is_built_anew(
    folder: Path, animals: Path, tiny_embedder: TinyEmbedder, change: object, documents: list[str]
) -> None:
    assert callable(change)
    change(animals)

    assert index_folder(animals, folder, tiny_embedder).built
    assert Index.open(folder).store.document_ids() == documents


def test_a_deleted_document_answers_no_more(folder: Path, animals: Path, tiny_embedder: TinyEmbedder) -> None:
    (animals / "cat.txt").unlink()
    index_folder(animals, folder, tiny_embedder)

    found = HybridRetriever(Index.open(folder), tiny_embedder).retrieve("cat", 10)
    assert {c.passage.document for c in found} == {"dog.txt", "notes/fish.md"}


def test_hidden_files_are_no_change(folder: Path, animals: Path, tiny_embedder: TinyEmbedder) -> None:
    (animals / ".swp").write_text("x")

    assert not index_folder(animals, folder, tiny_embedder).built


def test_another_embedder_builds_anew(folder: Path, animals: Path) -> None:
    assert index_folder(animals, folder, TinyEmbedder("other")).built
    assert Index.open(folder).manifest.embedder["name"] == "other"


def test_a_reader_keeps_its_generation_and_knows_that_it_is_not_live(
    folder: Path, animals: Path, tiny_embedder: TinyEmbedder
) -> None:
    index = Index.open(folder)
    assert index.is_live()
    for text in ("The cat runs.", "The cat jumps."):
        (animals / "cat.txt").write_text(text)
        index_folder(animals, folder, tiny_embedder)

        assert not index.is_live()
        assert best(index, "kitten") == "The cat sleeps."
        assert best(Index.open(folder), "kitten") == text


def test_a_pipeline_picks_a_new_generation_up(folder: Path, animals: Path, tiny_embedder: TinyEmbedder) -> None:
    pipeline = Pipeline(folder, tiny_embedder)
    assert pipeline.search("kitten", k=1)[0].passage.text == "The cat sleeps."

    (animals / "cat.txt").write_text("The cat runs.")
    index_folder(animals, folder, tiny_embedder)
    assert pipeline.search("kitten", k=1)[0].passage.text == "The cat runs."
    assert pipeline.document("cat.txt").text == "The cat runs."


def test_the_previous_generation_is_kept_and_older_ones_and_remains_go(
    folder: Path, animals: Path, tiny_embedder: TinyEmbedder
) -> None:
    first = live(folder)
    (folder / "generations" / "20200101T000000-dead" / "lexical").mkdir(parents=True)
    (folder / "generations" / "20200101T000000-dead" / "vectors.faiss").write_bytes(b"half")
    (folder / "CURRENT.new").write_text("{")

    index_folder(animals, folder, tiny_embedder, full=True)
    second = live(folder)
    assert generations(folder) == {first, second}
    index_folder(animals, folder, tiny_embedder, full=True)
    assert generations(folder) == {second, live(folder)}
    assert not (folder / "CURRENT.new").exists()


def test_a_copied_index_answers(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "elsewhere" / "in dex")
    shutil.rmtree(folder)

    assert best(Index.open(tmp_path / "elsewhere" / "in dex"), "hound") == "The dog barks."


# Documents by their date

DATED = {
    "2009.txt": "DUSHANBE, December 31, 2009, Asia-Plus -- The storm ends.",
    "2011.txt": "DUSHANBE, June 23, 2011, Asia-Plus -- The rain ends.",
    "undated.txt": "The weather is fine.",
}


@pytest.mark.parametrize(
    ("since", "until", "documents"),
    [
        (None, None, ["2009.txt", "2011.txt"]),
        ("2009", "2011", ["2009.txt", "2011.txt"]),
        ("2010", None, ["2011.txt"]),
        ("2009-12-31", "2011-06-22", ["2009.txt"]),
        ("2010-01", "2011-06", ["2011.txt"]),
        ("2011-06-23", "2011-06-23", ["2011.txt"]),
        (None, "2009-12-30", []),
        ("2011-06-24", None, []),
        ("2012", "2008", []),
    ],
)
def test_documents_are_chosen_by_their_date(
    tmp_path: Path, tiny_embedder: TinyEmbedder, since: str | None, until: str | None, documents: list[str]
) -> None:
    manifest = index_folder(write_corpus(tmp_path / "dated", DATED), tmp_path / "index", tiny_embedder).manifest

    assert sorted(documents_between(manifest, since, until)) == documents


@pytest.mark.parametrize("date", ["", "11", "2011-6", "2011-13", "2011-02-30", "2011-06-23T10", "٢٠١١", "June 2011"])
def test_what_is_no_date_is_refused(folder: Path, date: str) -> None:
    with pytest.raises(QuestionError, match=r"is no date: expected is YYYY, YYYY-MM or YYYY-MM-DD"):
        documents_between(Index.open(folder).manifest, until=date)


# What goes wrong while building


class Failing(TinyEmbedder):
    """Breaks down after its first part."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        if self.encoded:
            raise RuntimeError("out of memory")
        return super().encode(texts)


def test_a_build_that_breaks_down_leaves_the_old_index(folder: Path, tmp_path: Path) -> None:
    before = generations(folder)
    lines = "".join(f"{1100 + n}: The cat number {n}.\n" for n in range(ENCODE_AT_ONCE + 5))
    with pytest.raises(RuntimeError, match="out of memory"):
        index_folder(write_corpus(tmp_path / "more", {"cats.txt": lines}), folder, Failing())

    assert generations(folder) == before
    assert best(Index.open(folder), "kitten") == "The cat sleeps."


class Nesting(TinyEmbedder):
    """Starts a second build of the same index while the first is under way."""

    def __init__(self, corpus: Path, folder: Path) -> None:
        super().__init__()
        self.corpus, self.folder = corpus, folder

    def encode(self, texts: Sequence[str]) -> Vectors:
        with pytest.raises(IndexBusy, match=r"Another process is building .* Wait for it to end"):
            index_folder(self.corpus, self.folder, TinyEmbedder(), full=True)
        return super().encode(texts)


def test_of_two_writers_the_second_is_told_to_wait(folder: Path, animals: Path) -> None:
    embedder = Nesting(animals, folder)
    report = index_folder(animals, folder, embedder, full=True)

    assert embedder.encoded and report.built
    assert Index.open(folder).manifest == report.manifest


KILLED = """
import os, signal, sys
from pathlib import Path
from qa.indexing import index_folder
from tests.helpers import TinyEmbedder

def kill(step, done, total):
    if (step, done) == (sys.argv[3], int(sys.argv[4])):
        os.kill(os.getpid(), signal.SIGKILL)

index_folder(Path(sys.argv[1]), Path(sys.argv[2]), TinyEmbedder(), full=True, progress=kill)
"""


@pytest.mark.parametrize("step", ["reading 1", "embedding 3", "writing 1"])
def test_a_killed_build_costs_nothing(folder: Path, animals: Path, tiny_embedder: TinyEmbedder, step: str) -> None:
    before = live(folder)
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", KILLED, str(animals), str(folder), *step.split()]
    killed = subprocess.run(command, cwd=root, check=False, capture_output=True)

    assert killed.returncode == -9, killed.stderr
    assert live(folder) == before
    assert best(Index.open(folder), "kitten") == "The cat sleeps."
    assert index_folder(animals, folder, tiny_embedder, full=True).built
    assert generations(folder) == {before, live(folder)}


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from qa.errors import QAError
from qa.indexing import index_folder
from tests.helpers import TinyEmbedder

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    index_folder(Path(sys.argv[1]), Path(sys.argv[2]), TinyEmbedder(), full=True)
except QAError as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="the size of files cannot be limited here")
@pytest.mark.parametrize("limit", [100, 10_000, 20_000])
def test_a_full_disk_is_told_in_a_sentence_and_leaves_the_old_index(folder: Path, animals: Path, limit: int) -> None:
    before = generations(folder)
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", FULL_DISK, str(animals), str(folder), str(limit)]
    found = subprocess.run(command, cwd=root, check=False, capture_output=True, text=True)

    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith(f"The index cannot be written to {folder}: ")
    assert generations(folder) == before
    assert best(Index.open(folder), "kitten") == "The cat sleeps."


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, animals: Path, tiny_embedder: TinyEmbedder) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(QAError, match=r"cannot be written to .*file/index: .*\. Name another with --index"):
        index_folder(animals, tmp_path / "file" / "index", tiny_embedder)


def test_a_folder_without_documents_is_refused_and_the_old_index_kept(
    folder: Path, tmp_path: Path, tiny_embedder: TinyEmbedder
) -> None:
    before = generations(folder)
    with pytest.raises(CorpusError, match="Nothing in .*empty could be read"):
        index_folder(write_corpus(tmp_path / "empty", {}), folder, tiny_embedder)
    bad = write_corpus(tmp_path / "bad", {"a.png": b"\x89PNG", "b.txt": b""})
    with pytest.raises(CorpusError) as error:
        index_folder(bad, folder, tiny_embedder)
    with pytest.raises(CorpusError, match="There is no folder of documents"):
        index_folder(tmp_path / "missing", folder, tiny_embedder)

    assert str(error.value).splitlines()[1:] == [
        "  a.png: files ending in .png are not read",
        "  b.txt: it is empty",
    ]
    assert generations(folder) == before
    assert best(Index.open(folder), "kitten") == "The cat sleeps."


def test_refused_files_are_in_the_manifest_and_the_others_answer(
    folder: Path, animals: Path, tiny_embedder: TinyEmbedder
) -> None:
    write_corpus(animals, {"bad.txt": b"\x00", "x.png": b"\x89PNG"})
    index_folder(animals, folder, tiny_embedder)
    index = Index.open(folder)

    assert index.manifest.refused == (
        Refused("bad.txt", "it holds NUL bytes: a binary file, or text in an encoding that is not marked"),
        Refused("x.png", "files ending in .png are not read"),
    )
    assert best(index, "kitten") == "The cat sleeps."


# What goes wrong while opening


def test_a_folder_without_an_index_says_how_to_build_one(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match=r"There is no index in .*nowhere\. Run `qa index` to build it\."):
        Index.open(tmp_path / "nowhere")


PARTS = ["manifest.json", "vectors.faiss", "documents.sqlite", "lexical/meta.json", "lexical/*.store", "lexical/*.idx"]


def part(folder: Path, pattern: str) -> Path:
    (path,) = (folder / "generations" / live(folder)).glob(pattern)
    return path


@pytest.mark.parametrize("pattern", PARTS)
@pytest.mark.parametrize("fault", ["missing", "empty", "cut short", "one bit flipped", "longer"])
def test_a_damaged_file_is_refused_with_the_command_that_mends_it(folder: Path, pattern: str, fault: str) -> None:
    path = part(folder, pattern)
    content = path.read_bytes()
    middle = len(content) // 2
    path.unlink()
    if fault == "missing":
        pass
    elif fault == "empty":
        path.write_bytes(b"")
    elif fault == "cut short":
        path.write_bytes(content[:-1])
    elif fault == "one bit flipped":
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    else:
        path.write_bytes(content + b"\0")

    with pytest.raises(IndexDamaged, match=r"Run `qa index --full` to build it again\.") as error:
        Index.open(folder)
    assert (path.name if pattern != "manifest.json" else "manifest") in str(error.value)


def test_a_missing_generation_is_damage_that_a_build_mends(
    folder: Path, animals: Path, tiny_embedder: TinyEmbedder
) -> None:
    shutil.rmtree(folder / "generations" / live(folder))

    with pytest.raises(IndexDamaged, match="Run `qa index --full`"):
        Index.open(folder)
    assert index_folder(animals, folder, tiny_embedder).built
    assert best(Index.open(folder), "kitten") == "The cat sleeps."


@pytest.mark.parametrize(
    "pointer",
    [
        "",
        "{",
        "[]",
        "null",
        '{"generation": "x"}',
        '{"generation": 1, "manifest_sha256": "ab"}',
        '{"generation": "../../elsewhere", "manifest_sha256": "ab"}',
        '{"generation": "..", "manifest_sha256": "ab"}',
        '{"generation": "/tmp", "manifest_sha256": "ab"}',
        '{"generation": "", "manifest_sha256": "ab"}',
        "\udcff",
    ],
)
def test_a_pointer_that_names_no_generation_is_refused(folder: Path, pointer: str) -> None:
    (folder / "CURRENT").write_bytes(pointer.encode("utf-8", "surrogateescape"))

    with pytest.raises(IndexDamaged, match=r"CURRENT (names no generation|cannot be read).*Run `qa index --full`"):
        Index.open(folder)


def rewrite_manifest(folder: Path, **changes: object) -> None:
    """Change the manifest as another program might have written it, its checksum included."""
    path = part(folder, "manifest.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "CURRENT").write_text(json.dumps({"generation": path.parent.name, "manifest_sha256": checksum}))


def test_another_format_is_stale(folder: Path, animals: Path, tiny_embedder: TinyEmbedder) -> None:
    rewrite_manifest(folder, format=FORMAT + 1)

    with pytest.raises(IndexStale, match=rf"in format {FORMAT + 1}, .* reads format {FORMAT}\. Run `qa index --full`"):
        Index.open(folder)
    assert index_folder(animals, folder, tiny_embedder).built


def test_parts_that_do_not_agree_are_damage(folder: Path) -> None:
    rewrite_manifest(folder, passages=4)

    with pytest.raises(IndexDamaged, match="4 passages in the manifest, 3 vectors, 3 in the lexical index"):
        Index.open(folder)


def test_a_manifest_with_other_fields_is_damage(folder: Path) -> None:
    rewrite_manifest(folder, surprise=1)

    with pytest.raises(IndexDamaged, match="manifest cannot be read"):
        Index.open(folder)


def test_other_settings_build_anew(folder: Path, animals: Path, tiny_embedder: TinyEmbedder) -> None:
    rewrite_manifest(folder, settings={"passage_characters": 1})

    assert index_folder(animals, folder, tiny_embedder).built
    assert Index.open(folder).manifest.settings["passage_characters"] > 1


def test_an_index_of_another_embedder_does_not_answer(folder: Path) -> None:
    with pytest.raises(IndexStale, match=r"with the embedder 'tiny' .* 'other' .* in use"):
        Pipeline(folder, TinyEmbedder("other"))


def test_an_index_inside_its_own_corpus_is_no_document_of_it(animals: Path) -> None:
    embedder = TinyEmbedder()
    first = index_folder(animals, animals / "index", embedder)
    again = index_folder(animals, animals / "index", embedder)

    assert [entry.id for entry in first.manifest.documents] == sorted(FILES)
    assert (first.manifest.refused, again.built) == ((), False)


def test_an_index_replaced_while_it_is_being_opened_is_opened_anew(animals: Path, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "index"
    index_folder(animals, folder, TinyEmbedder())
    opening = Index.open_generation

    def overtaken(generation: Path, manifest_sha256: str | None = None) -> Index:
        monkeypatch.undo()
        for _ in range(2):  # the second build takes the first generation away
            index_folder(animals, folder, TinyEmbedder(), full=True)
        return opening(generation, manifest_sha256)

    monkeypatch.setattr(Index, "open_generation", overtaken)
    assert Index.open(folder).is_live()
