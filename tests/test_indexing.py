"""Keeping an index true to its folder: only what changed is done again, and whatever happens, it answers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import filelock
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qa.errors import CorpusError, IndexBusy, QAError
from qa.index import Index
from qa.indexing import IndexReport, add_files, index_folder, remove_documents, watch_folder
from qa.pipeline import Pipeline
from qa.retrieval import HybridRetriever
from tests.helpers import TinyEmbedder, write_corpus

FILES = {
    "cat.txt": "The cat sleeps.",
    "dog.txt": "The dog barks.",
    "notes/fish.md": "# Fish\n\nThe trout swims.\n\n# Weather\n\nA storm came.",
}
ROOT = Path(__file__).parents[1]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_corpus(tmp_path / "corpus", FILES)


@pytest.fixture
def folder(corpus: Path, tmp_path: Path) -> Path:
    """An index of the files, which were settled when it was made."""
    settle(corpus)
    index_folder(corpus, tmp_path / "index", TinyEmbedder())
    return tmp_path / "index"


def settle(corpus: Path) -> None:
    """Make all files a day old."""
    for path in corpus.rglob("*"):
        if path.is_file():
            yesterday = time.time_ns() - 86_400 * 10**9
            os.utime(path, ns=(yesterday, yesterday))


def statuses(report: IndexReport) -> dict[str, str]:
    return {file.id: file.status for file in report.files}


def held(folder: Path) -> set[tuple[str, str, str | None]]:
    """Every passage of the live generation, with its document and label."""
    store = Index.open(folder).store
    return {
        (p.document, p.text, None if p.label is None else p.label.text)
        for document in store.document_ids()
        for p in store.passages_of(document)
    }


def found(folder: Path, question: str) -> list[tuple[str, str, float]]:
    """All passages for a question, with their cosines, those with the same in the order of their names."""
    candidates = HybridRetriever(Index.open(folder), TinyEmbedder()).retrieve(question, 100)
    places = [(p.document, p.text, round(c.dense, 5)) for c in candidates for p in (c.passage, *c.copies)]
    return sorted(places, key=lambda place: (-place[2], *place))


# What is done again


def test_only_the_new_passages_of_a_changed_file_are_embedded(folder: Path, corpus: Path) -> None:
    (corpus / "notes" / "fish.md").write_text("# Fish\n\nThe trout swims.\n\n# Weather\n\nThe rain fell.")
    embedder = TinyEmbedder()
    report = index_folder(corpus, folder, embedder)

    assert embedder.encoded == ["Fish. Weather. The rain fell."]
    assert statuses(report) == {"cat.txt": "unchanged", "dog.txt": "unchanged", "notes/fish.md": "changed"}
    assert (report.built, report.embedded, report.notes) == (True, 1, ())
    assert found(folder, "rain")[0][:2] == ("notes/fish.md", "The rain fell.")
    assert ("notes/fish.md", "A storm came.", None) not in held(folder)


def test_a_paragraph_that_moved_costs_nothing(folder: Path, corpus: Path) -> None:
    (corpus / "notes" / "fish.md").write_text("# Fish\n\n# Weather\n\nA storm came.\n\n# Fish\n\nThe trout swims.")
    embedder = TinyEmbedder()
    index_folder(corpus, folder, embedder)

    assert [text for text in embedder.encoded if "storm" in text] == []


def test_each_file_has_a_status_and_its_figures(folder: Path, corpus: Path) -> None:
    write_corpus(corpus, {"new.txt": "It rained. " * 100, "bad.bin": b"\x00", "dog.txt": "The hound barks."})
    (corpus / "cat.txt").unlink()
    report = index_folder(corpus, folder, TinyEmbedder())

    assert statuses(report) == {
        "bad.bin": "refused",
        "cat.txt": "removed",
        "dog.txt": "changed",
        "new.txt": "new",
        "notes/fish.md": "unchanged",
    }
    by_id = {file.id: file for file in report.files}
    assert by_id["bad.bin"].reason == "files ending in .bin are not read"
    assert by_id["new.txt"].passages > 1 and by_id["new.txt"].seconds > 0
    assert (by_id["notes/fish.md"].passages, by_id["cat.txt"].passages) == (2, 0)


def test_a_settled_file_with_its_size_and_time_is_not_opened(folder: Path, corpus: Path) -> None:
    path = corpus / "cat.txt"
    before = path.stat()
    path.write_text("The cat leaps!!")  # as long as before
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert not index_folder(corpus, folder, TinyEmbedder()).built
    assert index_folder(corpus, folder, TinyEmbedder(), full=True).built
    assert found(folder, "cat")[0][1] == "The cat leaps!!"


def test_a_file_that_changed_just_before_it_was_read_is_compared_by_its_bytes(corpus: Path, tmp_path: Path) -> None:
    path, folder = corpus / "cat.txt", tmp_path / "index"
    index_folder(corpus, folder, TinyEmbedder())
    before = path.stat()
    path.write_text("The cat leaps!!")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # one tick of a coarse clock

    assert index_folder(corpus, folder, TinyEmbedder()).built


@pytest.mark.parametrize("days", [-3_000, 3_000], ids=["past", "future"])
def test_a_clock_that_jumps_hides_no_change(folder: Path, corpus: Path, days: int) -> None:
    path = corpus / "cat.txt"
    for text in ("The cat leaps!!", "The cat snores."):
        path.write_text(text)
        then = time.time_ns() + days * 86_400 * 10**9
        os.utime(path, ns=(then, then))

        assert index_folder(corpus, folder, TinyEmbedder()).built
        assert found(folder, "cat")[0][1] == text


def test_a_new_time_on_the_same_bytes_is_no_change(folder: Path, corpus: Path) -> None:
    os.utime(corpus / "cat.txt")
    report = index_folder(corpus, folder, TinyEmbedder())

    assert (report.built, statuses(report)["cat.txt"]) == (False, "unchanged")


def test_another_embedder_embeds_all_and_reads_nothing(
    folder: Path, corpus: Path, caplog: pytest.LogCaptureFixture
) -> None:
    embedder = TinyEmbedder("other")
    with caplog.at_level("INFO", "qa"):
        report = index_folder(corpus, folder, embedder)

    assert len(embedder.encoded) == report.embedded == 4
    assert report.notes == (
        "Every passage is embedded again: the index was made with the embedder 'tiny', 'other' is in use.",
    )
    assert [record.getMessage() for record in caplog.records] == ["written"]
    assert held(folder) == {
        ("cat.txt", "The cat sleeps.", None),
        ("dog.txt", "The dog barks.", None),
        ("notes/fish.md", "The trout swims.", None),
        ("notes/fish.md", "A storm came.", None),
    }


def test_other_ways_of_reading_read_all_and_embed_nothing(
    folder: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("qa.indexing.READING", 1_000)
    embedder = TinyEmbedder()
    with caplog.at_level("INFO", "qa"):
        report = index_folder(corpus, folder, embedder)

    assert (report.embedded, embedder.encoded) == (0, [])
    assert report.notes == ("Every file is read again: how documents are read or cut has changed.",)
    assert sum(record.getMessage() == "read" for record in caplog.records) == 3
    assert set(statuses(report).values()) == {"unchanged"}


def test_of_two_names_that_are_shown_alike_the_first_is_indexed_and_stays(corpus: Path, tmp_path: Path) -> None:
    (corpus / "rain\\xff.txt").write_text("It rained.")
    Path(os.fsdecode(os.fsencode(corpus) + b"/rain\xff.txt")).write_text("A storm came.")
    report = index_folder(corpus, tmp_path / "index", TinyEmbedder())

    alike = [file.status for file in report.files if file.id == "rain\\xff.txt"]
    assert (len(report.manifest.documents), sorted(alike)) == (4, ["new", "refused"])
    assert not index_folder(corpus, tmp_path / "index", TinyEmbedder()).built


def test_a_damaged_index_is_made_anew_and_says_so(folder: Path, corpus: Path) -> None:
    store = next(folder.glob("generations/*/documents.sqlite"))
    store.write_bytes(store.read_bytes()[:-1])
    report = index_folder(corpus, folder, TinyEmbedder())

    assert report.notes[0].startswith("All is made anew, for the index could not be used.")
    assert found(folder, "kitten")[0][1] == "The cat sleeps."


def test_the_generation_before_stays_as_it_was_written(folder: Path, corpus: Path) -> None:
    before = Index.open(folder)
    (corpus / "cat.txt").write_text("The cat runs.")
    (corpus / "dog.txt").unlink()
    index_folder(corpus, folder, TinyEmbedder())

    before.verify()
    assert before.store.document("cat.txt").text == "The cat sleeps."
    Index.open(folder).verify()


def test_gaps_that_removed_passages_leave_are_closed_in_time(corpus: Path, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    index_folder(corpus, folder, TinyEmbedder())
    for number in range(12):
        (corpus / "cat.txt").write_text(f"The cat number {number} sleeps.")
        report = index_folder(corpus, folder, TinyEmbedder())
        index = Index.open(folder)

        assert report.embedded == 1
        assert index.store.next_row() - report.manifest.passages <= 2
        assert len(index.lexical.best("number", 10)) == 1


WORDS = st.sampled_from(["cat", "dog", "trout", "bridge", "mayor", "rain", "hill", "1999"])
TEXT = st.lists(st.lists(WORDS, min_size=1, max_size=3).map(lambda w: f"The {' '.join(w)} came."), max_size=3).map(
    "\n\n".join
)
NAME = st.sampled_from(["a.txt", "b.txt", "c.md", "d/e.txt"])
EDITS = st.lists(st.lists(st.tuples(NAME, st.one_of(st.none(), TEXT)), min_size=1, max_size=3), min_size=1, max_size=4)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=EDITS)
def test_after_any_edits_it_is_as_if_it_had_been_made_anew(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[list[tuple[str, str | None]]]
) -> None:
    work = tmp_path_factory.mktemp("edits")
    corpus = write_corpus(work / "corpus", {"always.txt": "The official came."})
    for edits in rounds:
        for name, text in edits:
            if text is None:
                (corpus / name).unlink(missing_ok=True)
            else:
                write_corpus(corpus, {name: text})
        kept = index_folder(corpus, work / "kept", TinyEmbedder())
        new = index_folder(corpus, work / "new", TinyEmbedder(), full=True)

        assert held(work / "kept") == held(work / "new")
        for question in ("cat dog", "rain", "1999", "The hill"):
            assert found(work / "kept", question) == found(work / "new", question)
        assert (kept.manifest.documents, kept.manifest.refused) == (new.manifest.documents, new.manifest.refused)
        assert kept.manifest.corpus_digest == new.manifest.corpus_digest


# Adding and removing


def test_a_file_is_added_under_its_name_and_never_over_another(folder: Path, corpus: Path, tmp_path: Path) -> None:
    inbox = write_corpus(tmp_path / "inbox", {"cat.txt": "A kitten plays.", "rain.txt": "A storm.", "dog.txt": ""})
    (inbox / "dog.txt").write_text(FILES["dog.txt"])
    report = add_files(sorted(inbox.iterdir()), corpus, folder, TinyEmbedder())

    assert statuses(report) == {
        "cat (2).txt": "new",
        "cat.txt": "unchanged",
        "dog.txt": "unchanged",
        "notes/fish.md": "unchanged",
        "rain.txt": "new",
    }
    assert report.added == ("cat (2).txt", "dog.txt", "rain.txt")
    assert (corpus / "cat.txt").read_text() == "The cat sleeps."


def test_a_file_that_cannot_be_added_stops_all(folder: Path, corpus: Path, tmp_path: Path) -> None:
    inbox = write_corpus(tmp_path / "inbox", {"a.txt": "A.", ".hidden": "B."})
    with pytest.raises(CorpusError, match="hidden cannot be added"):
        add_files([inbox / "a.txt", inbox / ".hidden"], corpus, folder, TinyEmbedder())

    assert not (corpus / "a.txt").exists()


def test_a_removed_document_is_silent_at_once_and_not_lost(folder: Path, corpus: Path) -> None:
    report = remove_documents(["notes/fish.md"], corpus, folder, TinyEmbedder())

    assert statuses(report)["notes/fish.md"] == "removed"
    assert {document for document, _, _ in found(folder, "trout storm")} == {"cat.txt", "dog.txt"}
    assert (corpus / ".removed" / "notes" / "fish.md").read_text() == FILES["notes/fish.md"]

    write_corpus(corpus, {"notes/fish.md": "Another."})
    remove_documents(["notes/fish.md"], corpus, folder, TinyEmbedder())
    assert len(list((corpus / ".removed" / "notes").iterdir())) == 2


def test_a_document_that_is_not_there_cannot_be_removed(folder: Path, corpus: Path) -> None:
    with pytest.raises(CorpusError, match=r"There is no file \.\./index/CURRENT in "):
        remove_documents(["cat.txt", "../index/CURRENT"], corpus, folder, TinyEmbedder())

    assert (corpus / "cat.txt").exists()


def test_when_every_document_is_removed_nothing_is_answered_until_one_is_added(folder: Path, corpus: Path) -> None:
    everything = ["cat.txt", "dog.txt", "notes/fish.md"]
    report = remove_documents(everything, corpus, folder, TinyEmbedder())
    pipeline = Pipeline(folder, TinyEmbedder())

    assert (report.manifest.documents, report.manifest.passages) == ((), 0)
    assert sorted(p.name for p in (corpus / ".removed").rglob("*.*")) == ["cat.txt", "dog.txt", "fish.md"]
    assert pipeline.ask("cat").reason == "nothing_near"
    assert pipeline.search("cat") == []
    assert not index_folder(corpus, folder, TinyEmbedder()).built

    (corpus / ".removed" / "cat.txt").rename(corpus / "cat.txt")
    index_folder(corpus, folder, TinyEmbedder())
    assert pipeline.search("cat")[0].passage.text == "The cat sleeps."


def test_others_that_cannot_be_read_are_not_removed_with_one_that_is(folder: Path, corpus: Path) -> None:
    (corpus / "dog.txt").write_text("")
    (corpus / "notes" / "fish.md").write_text("")
    with pytest.raises(CorpusError, match="Nothing in .* could be read"):
        remove_documents(["cat.txt"], corpus, folder, TinyEmbedder())

    assert len(held(folder)) == 4


@pytest.mark.parametrize("files", [{}, {"a.png": b"\x89PNG"}])
def test_an_index_without_documents_can_be_asked_for(tmp_path: Path, files: dict[str, bytes]) -> None:
    corpus = write_corpus(tmp_path / "corpus", files)
    report = index_folder(corpus, tmp_path / "index", TinyEmbedder(), may_be_empty=True)

    assert [refused.id for refused in report.manifest.refused] == list(files)
    assert Pipeline(tmp_path / "index", TinyEmbedder()).ask("cat").reason == "nothing_near"
    with pytest.raises(CorpusError, match="Nothing in .* could be read"):
        index_folder(corpus, tmp_path / "index", TinyEmbedder(), full=True)


def test_while_another_writes_no_file_is_added_or_removed(folder: Path, corpus: Path, tmp_path: Path) -> None:
    inbox = write_corpus(tmp_path / "inbox", {"rain.txt": "A storm."})
    with filelock.FileLock(folder / ".lock"):
        with pytest.raises(IndexBusy):
            add_files([inbox / "rain.txt"], corpus, folder, TinyEmbedder())
        with pytest.raises(IndexBusy):
            remove_documents(["cat.txt"], corpus, folder, TinyEmbedder())

    assert not (corpus / "rain.txt").exists() and (corpus / "cat.txt").exists()


# Watching


def test_a_watched_folder_is_kept_up_to_date(folder: Path, corpus: Path) -> None:
    stop, reports = threading.Event(), []

    def watch() -> None:
        for report in watch_folder(corpus, folder, TinyEmbedder(), stop=stop):
            reports.append(report)

    def until(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert condition(), reports

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        until(lambda: len(reports) == 1)
        (corpus / "new.txt").write_text("A kitten plays.")
        until(lambda: len(reports) == 2)
        for name in [*FILES, "new.txt"]:
            (corpus / name).unlink()
        until(lambda: any(isinstance(report, QAError) for report in reports))
        (corpus / "dog.txt").write_text("A puppy came back.")
        until(lambda: isinstance(reports[-1], IndexReport) and len(reports) > 3)
    finally:
        stop.set()
        thread.join(30)

    assert not thread.is_alive()
    assert isinstance(reports[0], IndexReport) and not reports[0].built
    assert {document for document, _, _ in held(folder)} == {"dog.txt"}


# What goes wrong on the way


KILLED_AT_EVERY_STEP = """
import os, signal, sys
from pathlib import Path
from qa.index import Index
from qa.indexing import index_folder
from tests.helpers import TinyEmbedder

corpus, folder, first = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
steps = -first

def kill(event, arguments):
    # Every opening, renaming, removing and making of a file, and every connection to the store.
    global steps
    if event.startswith(("open", "os.", "shutil.", "sqlite3.")):
        steps += 1
        if steps == 1:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(kill)
index_folder(corpus, folder, TinyEmbedder())
os._exit(0)
"""

HARNESS = """
import importlib, os, shutil, sys
from pathlib import Path
import datasketch, faiss, filelock, sqlite3, tantivy, watchfiles, encodings.idna
import qa.indexing, qa.lexical, qa.vectors, tests.helpers
code = compile(open(sys.argv[1]).read(), "step", "exec")
corpus, original = Path(sys.argv[2]), Path(sys.argv[3])
killed = 0
while True:
    folder = original.with_name(f"killed-{killed}")
    shutil.copytree(original, folder)
    child = os.fork()
    if child == 0:
        sys.argv = ["step", str(corpus), str(folder), str(killed)]
        exec(code, {"__name__": "step"})
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == 0:
        break
    assert status == -9, status
    killed += 1
print(killed)
"""


def test_an_update_killed_at_any_step_leaves_an_index_that_answers(folder: Path, corpus: Path, tmp_path: Path) -> None:
    (corpus / "cat.txt").write_text("The cat runs.")
    (corpus / "dog.txt").unlink()
    (tmp_path / "step.py").write_text(KILLED_AT_EVERY_STEP)
    command = [sys.executable, "-c", HARNESS, str(tmp_path / "step.py"), str(corpus), str(folder)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    killed = int(ran.stdout)

    assert killed > 40
    old, new = [("cat.txt", "The cat sleeps."), ("cat.txt", "The cat runs.")]
    ends = set()
    for number in range(killed):
        broken = tmp_path / f"killed-{number}"
        best = found(broken, "cat")[0][:2]
        assert best in (old, new)
        ends.add(best)
        if number % 8 == 0:  # the next run mends all
            index_folder(corpus, broken, TinyEmbedder())
            assert found(broken, "cat")[0][:2] == new
            assert {document for document, _, _ in held(broken)} == {"cat.txt", "notes/fish.md"}
            assert len(list((broken / "generations").iterdir())) <= 2
            Index.open(broken).verify()
        shutil.rmtree(broken, ignore_errors=True)  # a thread of the lexical index may still be tidying there
    assert ends == {old, new}


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from qa.errors import QAError
from qa.indexing import index_folder
from tests.helpers import TinyEmbedder

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    index_folder(Path(sys.argv[1]), Path(sys.argv[2]), TinyEmbedder())
except QAError as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [10, 300, 1_000, 20_000])
def test_a_disk_that_is_full_during_an_update_costs_nothing(folder: Path, corpus: Path, limit: int) -> None:
    (corpus / "cat.txt").write_text("The cat runs.")
    before = json.loads((folder / "CURRENT").read_text())
    command = [sys.executable, "-c", FULL_DISK, str(corpus), str(folder), str(limit)]
    ran = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(f"The index cannot be written to {folder}: ")
    assert json.loads((folder / "CURRENT").read_text()) == before
    assert found(folder, "cat")[0][1] == "The cat sleeps."
    assert index_folder(corpus, folder, TinyEmbedder()).built


def test_a_lock_that_a_killed_writer_left_is_no_hindrance(folder: Path, corpus: Path) -> None:
    holding = "import filelock, os, sys; filelock.FileLock(sys.argv[1]).acquire(); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", holding, str(folder / ".lock")], check=False)
    (corpus / "cat.txt").write_text("The cat runs.")

    assert (folder / ".lock").exists()
    assert index_folder(corpus, folder, TinyEmbedder()).built
