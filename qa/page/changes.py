"""What the page does to the documents: each change gives an account of itself as HTML.

QAError is raised where nothing was done, or not all of it; its message says what, and what to do.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from qa.datatypes import Refused
from qa.errors import IndexBusy
from qa.indexing import REMOVED, FileStatus, IndexReport, Progress, add_files, index_folder, remove_documents
from qa.page.catalogue import Line, account_html, added_line, change_lines, changes_html, counted
from qa.page.service import Service
from qa.page.uploads import Upload, checked


def added(service: Service, uploads: Sequence[Upload], progress: Progress) -> str:
    """Add what was sent. Each file is read before it is put into the folder: what cannot be read is not kept."""
    before = service.pipeline.manifest
    try:
        with tempfile.TemporaryDirectory() as folder:
            found = list(checked(uploads, Path(folder), progress))
            files = [item for item in found if isinstance(item, Upload)]
            refused = [item for item in found if isinstance(item, Refused)]
            lines = [Line(item.id, f"was not added: {item.reason}.", failed=True) for item in refused]
            if not files:
                return account_html("Nothing was added.", lines)
            paths = [file.path for file in files]
            try:
                report = add_files(paths, service.corpus, service.index, service.pipeline.embedder, progress)
            except IndexBusy as error:
                raise IndexBusy(f"{error} Nothing was added.") from error
    finally:
        _forget(uploads)
    statuses = _statuses(report)
    done = [added_line(file.name, file.path.name, status) for file, status in zip(files, statuses, strict=True)]
    new = sum(status.status != "unchanged" for status in statuses)
    counts = [(new, f"{counted(new, 'file')} added"), (len(done) - new, f"{len(done) - new:,} there already")]
    counts.append((len(lines), f"{len(lines):,} not added"))
    heading = ", ".join(said for count, said in counts if count)
    return account_html(f"{heading}.", [*lines, *done, *change_lines(report, before, report.added)], report.notes)


def _statuses(report: IndexReport) -> list[FileStatus]:
    """What became of each file added; one that was sent twice was there the second time."""
    by_id = {status.id: status for status in report.files}
    given: list[FileStatus] = []
    for number, identifier in enumerate(report.added):
        again = identifier in report.added[:number]
        given.append(replace(by_id[identifier], status="unchanged") if again else by_id[identifier])
    return given


def brought_up_to_date(service: Service, progress: Progress) -> str:
    """Bring the index up to date with the folder of documents."""
    before = service.pipeline.manifest
    report = index_folder(service.corpus, service.index, service.pipeline.embedder, progress=progress)
    return changes_html(report, before)


def removed(service: Service, identifier: str, progress: Progress) -> str:
    """Remove a file."""
    before = service.pipeline.manifest
    report = remove_documents([identifier], service.corpus, service.index, service.pipeline.embedder, progress)
    line = Line(
        identifier,
        f"is no longer answered from. It lies in {place_of_removed(service.corpus)}: to have it back, move it from "
        f"there to {service.corpus.resolve()} and bring the index up to date.",
    )
    return account_html("1 file removed.", [line, *change_lines(report, before, [identifier])], report.notes)


def place_of_removed(corpus: Path) -> Path:
    """The folder in which removed files lie."""
    return corpus.resolve() / REMOVED


def _forget(uploads: Sequence[Upload]) -> None:
    """Delete what was sent, which lies where Gradio puts it, each file in a folder of its own."""
    for upload in uploads:
        with contextlib.suppress(OSError):
            upload.path.unlink(missing_ok=True)
            upload.path.parent.rmdir()
