"""The command line. Errors a person can mend are one sentence on standard error and exit code 1."""

from __future__ import annotations

import datetime
import json
import logging
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from qa.errors import QAError, QuestionsError

if TYPE_CHECKING:
    from qa.evaluation import Example
    from qa.pipeline import Pipeline

DEFAULT_QUESTIONS = "tests/evaluation/questions.jsonl"
SHOWN_AROUND = 300
"""Characters of surroundings that `qa show` prints on either side of a slice."""


class _Group(click.Group):
    """Turns an error that a person can mend into its sentence and exit code 1."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except QAError as error:
            click.echo(f"Error: {_plain(str(error))}", err=True)
            context.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="chapter-and-verse", prog_name="qa")
def main() -> None:
    """Answers quoted from your documents, with the place where they stand.

    Put documents into a folder (text, PDF, Word, slides, web pages, e-books, mail, tables), index it, ask. Nothing
    leaves this machine, and nothing is written by a model: an answer is a slice of a document, cited, or silence.
    """


_index_option = click.option(
    "--index",
    "index_path",
    type=click.Path(path_type=Path, file_okay=False),
    default="index",
    envvar="QA_INDEX",
    show_default=True,
    show_envvar=True,
    help="The folder of the index.",
)
_corpus_option = click.option(
    "--corpus",
    type=click.Path(path_type=Path, file_okay=False),
    default="corpus",
    envvar="QA_CORPUS",
    show_default=True,
    show_envvar=True,
    help="The folder of documents.",
)
_embedder_option = click.option(
    "--embedder",
    default=None,
    envvar="QA_EMBEDDER",
    show_envvar=True,
    help="A sentence-transformers folder or hub name.  [default: the bundled all-MiniLM-L6-v2]",
)
_reader_option = click.option(
    "--reader",
    default=None,
    envvar="QA_READER",
    show_envvar=True,
    help="What reads the passages: span, span-exact (in float32), sentence, a folder or a hub name.  [default: span]",
)
_k_option = click.option(
    "--k",
    type=click.IntRange(1, 100),
    default=None,
    envvar="QA_K",
    show_envvar=True,
    help="How many passages to read.  [default: 8]",
)
_strictness_option = click.option(
    "--strictness",
    type=click.Choice(["lenient", "normal", "strict"]),
    default="normal",
    envvar="QA_STRICTNESS",
    show_default=True,
    show_envvar=True,
    help="How sure an answer must be to be given.",
)
_document_option = click.option(
    "--document",
    "names",
    multiple=True,
    metavar="NAME",
    help="Ask this document only, by its name in `qa info`; may be given several times.",
)
_since_option = click.option(
    "--since",
    metavar="YYYY[-MM[-DD]]",
    help="Ask only documents dated then or later. A document that states no date is left out.",
)
_until_option = click.option(
    "--until",
    metavar="YYYY[-MM[-DD]]",
    help="Ask only documents dated then (within that year or month) or before. One without a date is left out.",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


@main.command()
@_corpus_option
@_index_option
@_embedder_option
@click.option("--full", is_flag=True, help="Read and embed everything anew, whether it has changed or not.")
@click.option("--watch", is_flag=True, help="Then go on doing so whenever the folder changes, until Ctrl-C.")
@click.option("--verbose", "-v", is_flag=True, help="Log what is done on standard error, a JSON object a line.")
@_json_option
def index(
    corpus: Path, index_path: Path, embedder: str | None, full: bool, watch: bool, verbose: bool, as_json: bool
) -> None:
    """Build the index, or bring it up to date with the documents.

    Only files that changed are read, and only passages that are new are embedded. The old index answers until the new
    one is complete. Exit code 1 when no document can be read.

    How much of one file is read is limited by settings in the environment: QA_MAX_FILE_BYTES, QA_MAX_PAGES,
    QA_MAX_CHARACTERS, QA_MAX_SECONDS and others, described in qa/formats/limits.py.
    """
    from qa.embedding import BUNDLED, SentenceTransformerEmbedder
    from qa.indexing import index_folder, watch_folder
    from qa.render import indexed_json, indexed_text

    if full and watch:
        raise click.UsageError("--full is done once, --watch goes on: give one of them.")
    if verbose:
        _log_to_standard_error()
    model = SentenceTransformerEmbedder(embedder or BUNDLED)
    with _Bars(hidden=verbose) as bars:
        reports = (
            watch_folder(corpus, index_path, model, bars.show)
            if watch
            else iter([index_folder(corpus, index_path, model, full, bars.show)])
        )
        for report in reports:
            bars.close()
            if isinstance(report, QAError):
                click.echo(f"Error: {_plain(str(report))}", err=True)
            elif as_json:
                click.echo(_json(indexed_json(report)))
            else:
                *before, last = indexed_text(report, index_path).splitlines()
                for line in before:
                    click.echo(_plain(line), err=True)
                click.echo(last)


def _log_to_standard_error() -> None:
    """The package's log as JSON Lines: the time, the event, and what belongs to it."""

    class Lines(logging.Formatter):
        usual = frozenset(vars(logging.makeLogRecord({})))

        def format(self, record: logging.LogRecord) -> str:
            time = datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc).isoformat()
            extra = {name: value for name, value in vars(record).items() if name not in self.usual}
            return _json({"time": time, "event": record.getMessage(), **extra})

    handler = logging.StreamHandler()
    handler.setFormatter(Lines())
    logger = logging.getLogger("qa")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    click.get_current_context().call_on_close(lambda: logger.removeHandler(handler))


class _Bars:
    """A progress bar for each step of a build, on standard error, unless they are `hidden`."""

    def __init__(self, hidden: bool = False) -> None:
        self._hidden = hidden
        self._step = ""
        self._bar: Any = None

    def __enter__(self) -> _Bars:
        return self

    def show(self, step: str, done: int, total: int) -> None:
        """Move the bar of a step; a `Progress`."""
        if self._hidden:
            return
        if step != self._step:
            self.close()
            self._step = step
            self._bar = click.progressbar(length=total, label=f"{step:<10}", file=sys.stderr)
            self._bar.__enter__()
        self._bar.update(done - self._bar.pos)

    def close(self) -> None:
        """End the bar that is shown; the next step begins another."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
        self._step, self._bar = "", None

    def __exit__(self, *_: object) -> None:
        self.close()


def _open(
    index_path: Path,
    embedder: str | None,
    reader: str | None = None,
    k: int | None = None,
    strictness: Any = "normal",
) -> Pipeline:
    if sys.stderr.isatty():
        click.echo("Loading the models …", err=True)
    from qa.answering import DEFAULT_K
    from qa.embedding import BUNDLED, SentenceTransformerEmbedder
    from qa.heap import keep_little_free
    from qa.pipeline import READERS, Pipeline

    keep_little_free()
    return Pipeline(
        index_path,
        SentenceTransformerEmbedder(embedder or BUNDLED),
        reader or READERS[0],
        k=DEFAULT_K if k is None else k,
        strictness=strictness,
    )


def _identifier(name: str) -> str:
    """A document's id by its name as the shell completes it: bytes that are no UTF-8 are shown as in `document_id`."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


@main.command()
@click.argument("question", required=False)
@click.option(
    "--batch",
    type=click.File("r", encoding="utf-8", errors="surrogateescape"),
    help="Answer each line of a file, a JSON object with id and question; - is standard input. Needs --json.",
)
@click.option("--after", metavar="QUESTION", help='What was asked before, where this leans on it: "Why?"')
@_index_option
@_embedder_option
@_reader_option
@_k_option
@_strictness_option
@_document_option
@_since_option
@_until_option
@_json_option
def ask(
    question: str | None,
    batch: TextIO | None,
    after: str | None,
    index_path: Path,
    embedder: str | None,
    reader: str | None,
    k: int | None,
    strictness: str,
    names: tuple[str, ...],
    since: str | None,
    until: str | None,
    as_json: bool,
) -> None:
    """Answer a QUESTION with the documents' own words, or stay silent and say why.

    Exit code 0 also when silent; 1 when something failed.
    """
    from qa.followup import ask_after
    from qa.index import chosen_documents
    from qa.render import answer_json, answer_text, failed_json

    if (question is None) == (batch is None):
        raise click.UsageError("Give one QUESTION, or --batch FILE.")
    if batch is not None and not as_json:
        raise click.UsageError("--batch gives one JSON object a line: say --json too.")
    pipeline = _open(index_path, embedder, reader, k, strictness)
    documents = chosen_documents(pipeline.manifest, [_identifier(name) for name in names], since, until)
    if batch is not None:
        failed = 0
        for line in _answered_lines(_tracked(batch), pipeline, documents):
            click.echo(_json(line))
            failed += line["reason"] == "failed"
        if failed:
            click.echo(f"Error: {failed} of the lines could not be answered; their `message` says why.", err=True)
            sys.exit(1)
        return
    assert question is not None
    try:
        answerer = pipeline.answerer(documents=documents)
        answer = ask_after(answerer.ask, question, answerer.ask(after) if after else None)
    except QAError as error:
        if as_json:
            click.echo(_json(failed_json(question, error)))
        raise
    click.echo(_json(answer_json(answer)) if as_json else answer_text(answer))


def _tracked(batch: TextIO) -> Iterator[str]:
    """The lines of a batch, with a progress bar where it is a file, the answers go to one, and a person watches."""
    if not sys.stderr.isatty() or sys.stdout.isatty() or batch.name == "<stdin>":
        yield from batch
        return
    with click.progressbar(batch.readlines(), label="asking    ", file=sys.stderr) as bar:
        yield from bar


def _answered_lines(
    batch: Iterable[str], pipeline: Pipeline, documents: frozenset[str] | None
) -> Iterator[dict[str, Any]]:
    """One JSON object for each line that is not blank, in order; a bad line gives one that says what is wrong."""
    from qa.render import answer_json, failed_json

    for number, line in enumerate(batch, start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield failed_json("", QuestionsError(f"Line {number} is no JSON: {error}."))
            continue
        identifier = item.get("id") if isinstance(item, dict) else None
        question = item.get("question") if isinstance(item, dict) else None
        if not isinstance(question, str):
            bad_line = QuestionsError(f'Line {number} is no JSON object with a "question" that is a string.')
            yield failed_json("", bad_line, identifier)
            continue
        try:
            yield answer_json(pipeline.ask(question, documents=documents), identifier)
        except QAError as error:
            yield failed_json(question, error, identifier)


@main.command()
@click.argument("question")
@_index_option
@_embedder_option
@_k_option
@_document_option
@_since_option
@_until_option
@_json_option
def search(
    question: str,
    index_path: Path,
    embedder: str | None,
    k: int | None,
    names: tuple[str, ...],
    since: str | None,
    until: str | None,
    as_json: bool,
) -> None:
    """Find the passages nearest to a QUESTION, with their scores."""
    from qa.index import chosen_documents
    from qa.render import candidate_json, candidates_text

    pipeline = _open(index_path, embedder)
    documents = chosen_documents(pipeline.manifest, [_identifier(name) for name in names], since, until)
    candidates = pipeline.search(question, k, documents)
    if as_json:
        click.echo(_json([candidate_json(candidate) for candidate in candidates]))
    else:
        click.echo(candidates_text(candidates))


@main.command()
@click.argument("document")
@click.option("--start", type=click.IntRange(min=0), help="First character of the slice.")
@click.option("--end", type=click.IntRange(min=0), help="The character after its last.")
@click.option("--page", "number", type=int, help="A page instead, by its number.")
@_index_option
@_json_option
def show(
    document: str, start: int | None, end: int | None, number: int | None, index_path: Path, as_json: bool
) -> None:
    """Print a DOCUMENT's stored text, a page of it, or a slice of it between » and « with its surroundings."""
    from qa.index import Index, unknown_document

    document = _identifier(document)
    try:
        stored = Index.open(index_path).store.document(document)
    except KeyError as error:
        raise unknown_document(document) from error
    first, last = start or 0, len(stored.text) if end is None else end
    if number is not None:
        page = next((page for page in stored.pages if page.number == number), None)
        if page is None or start is not None or end is not None:
            pages = f"has the pages 1 to {len(stored.pages)}" if stored.pages else "is in a format without pages"
            raise QAError(f"{document} {pages}. Give --page alone, and one that there is, or --start and --end.")
        first, last = page.start, page.end
    if not first <= last <= len(stored.text):
        raise QAError(
            f"{document} has {len(stored.text):,} characters: [{first}, {last}) is no slice of it. Give --start "
            "and --end as a citation has them."
        )
    if as_json:
        found = {
            "document": stored.id,
            "title": stored.title,
            "sha256": stored.sha256,
            "date": None if stored.date is None else stored.date.isoformat(),
            "start": first,
            "end": last,
            "line": stored.line_at(first),
            "page": stored.page_at(first),
            "headings": list(stored.headings_at(first)),
            "text": stored.text[first:last],
        }
        click.echo(_json(found))
    elif start is None and end is None:
        click.echo(_plain(stored.text[first:last]))
    else:
        before, after = stored.text[max(0, first - SHOWN_AROUND) : first], stored.text[last : last + SHOWN_AROUND]
        click.echo(_plain(f"{before}»{stored.text[first:last]}«{after}"))


@main.command()
@click.option(
    "--questions",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT_QUESTIONS,
    show_default=True,
    help="A JSON Lines file of examples; marks.json beside it holds the pass marks.",
)
@click.option("--split", default="test", show_default=True, help="Which part of the questions.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Also write an HTML page.")
@_index_option
@_embedder_option
@_reader_option
@_k_option
@_strictness_option
@_json_option
def evaluate(
    questions: Path,
    split: str,
    report: Path | None,
    index_path: Path,
    embedder: str | None,
    reader: str | None,
    k: int | None,
    strictness: str,
    as_json: bool,
) -> None:
    """Judge every stage on a fixed set of questions.

    Exit code 1 when a pass mark is missed. Marks hold for the `test` split.
    """
    from qa.evaluation import evaluate as run
    from qa.evaluation import read_examples, read_marks
    from qa.report import MARKS_ARE_EXACT, report_html, report_json, report_text

    examples = read_examples(questions)
    marks = read_marks(questions) if split == "test" else []
    pipeline = _open(index_path, embedder, reader, k, strictness)
    result = run(pipeline, examples, marks, split, track=_asking)
    if report is not None:
        try:
            report.write_text(report_html(result), encoding="utf-8")
        except OSError as error:
            raise QAError(f"The report cannot be written to {report}: {error.strerror}.") from error
    click.echo(_json(report_json(result)) if as_json else report_text(result))
    if result.missed:
        if reader in (None, "span"):
            click.echo(MARKS_ARE_EXACT, err=True)
        sys.exit(1)


def _asking(examples: Sequence[Example]) -> Iterator[Example]:
    with click.progressbar(examples, label="asking    ", file=sys.stderr) as bar:
        yield from bar


@main.command()
@click.option("--verify", is_flag=True, help="Read every file again and compare it with its checksum.")
@_index_option
@_json_option
def info(verify: bool, index_path: Path, as_json: bool) -> None:
    """Say what is indexed, with which models."""
    from qa.index import Index
    from qa.text import shown_name

    opened = Index.open(index_path)
    if verify:
        opened.verify()
    manifest = opened.manifest
    if as_json:
        found = json.loads(manifest.to_json())
        click.echo(_json({**found, "verified": verify}))
        return
    click.echo(f"{len(manifest.documents)} documents, {manifest.passages} passages, built {manifest.created}")
    click.echo(f"embedder {manifest.embedder['name']} ({manifest.embedder['fingerprint'][:12]})")
    for entry in manifest.documents:
        date = f", {entry.date}" if entry.date else ""
        pages = f", {entry.pages} page{'s' * (entry.pages > 1)}" if entry.pages else ""
        copy = f", nearly the same as {shown_name(entry.near_duplicate_of)}" if entry.near_duplicate_of else ""
        click.echo(f"  {shown_name(entry.id)}: {shown_name(entry.title)}{date}{pages}, {entry.passages} passages{copy}")
    for refused in manifest.refused:
        click.echo(f"  not read: {shown_name(refused.id)}: {shown_name(refused.reason)}")
    if verify:
        click.echo("Every file is as it was written.")


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=7860, show_default=True, help="The port to listen on.")
@click.option("--without-password", is_flag=True, help="Serve others on the network without asking who they are.")
@click.option("--read-only", is_flag=True, help="Leave out of the page what adds, removes and re-indexes documents.")
@click.option(
    "--questions",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT_QUESTIONS,
    show_default=True,
    help="The fixed questions that the page's evaluation asks, where they belong to the documents.",
)
@click.option(
    "--examples",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    envvar="QA_EXAMPLES",
    show_envvar=True,
    help="Where judgements of answers are kept, for `qa evaluate --questions`.  [default: INDEX-examples.jsonl]",
)
@_corpus_option
@_index_option
@_embedder_option
@_reader_option
@_k_option
@_strictness_option
def serve(
    host: str,
    port: int,
    without_password: bool,
    read_only: bool,
    questions: Path,
    examples: Path | None,
    corpus: Path,
    index_path: Path,
    embedder: str | None,
    reader: str | None,
    k: int | None,
    strictness: str,
) -> None:
    """Open the page in which questions are asked. The same as `python app.py`.

    Builds the index first when there is none; a folder without documents will do, for the page adds them. QA_USER and
    QA_PASSWORD set a name and a password that the page asks for; an address that other machines can reach needs them.
    /healthz says whether the page can answer.

    Who can open the page can also add and remove documents, unless it is --read-only. QA_MAX_UPLOAD_BYTES limits what
    is added at once.
    """
    from qa.indexing import index_folder
    from qa.page import check_access, check_address
    from qa.page import serve as run
    from qa.page.service import Service

    check_address(host, port)
    check_access(host, without_password)
    if not (index_path / "CURRENT").exists():
        from qa.embedding import BUNDLED, SentenceTransformerEmbedder

        with _Bars() as bars:
            model = SentenceTransformerEmbedder(embedder or BUNDLED)
            index_folder(corpus, index_path, model, progress=bars.show, may_be_empty=True)
    pipeline = _open(index_path, embedder, reader, k, strictness)
    service = Service(pipeline, corpus, index_path, read_only, questions=questions, examples=examples)
    run(service, host, port, without_password)


def _json(value: object) -> str:
    """JSON on one line; surrogates that stand alone, which UTF-8 cannot carry, are escaped."""
    return re.sub("[\ud800-\udfff]", lambda m: f"\\u{ord(m[0]):04x}", json.dumps(value, ensure_ascii=False))


def _plain(text: str) -> str:
    """A text without the control characters that could steer a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)


if __name__ == "__main__":
    main()
