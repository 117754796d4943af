"""Documents, passages and candidates made by hand for tests of reading and answering."""

from qa.datatypes import Candidate, Document, Passage
from qa.passages import passages
from qa.structure import plain_text_structure


def document(identifier: str, text: str) -> Document:
    """A plain-text document."""
    structure = plain_text_structure(text)
    return Document(
        id=identifier,
        title=structure.title or identifier,
        text=text,
        sha256="0" * 64,
        date=structure.date,
        sections=structure.sections,
        blocks=structure.blocks,
    )


def candidates(*documents: Document) -> list[Candidate]:
    """All passages of the documents, in order, with falling scores."""
    found = [passage for each in documents for passage in passages(each)]
    return [candidate(passage, rank) for rank, passage in enumerate(found, start=1)]


def candidate(passage: Passage, rank: int = 1, copies: tuple[Passage, ...] = ()) -> Candidate:
    """A passage as if retrieved at a rank."""
    return Candidate(passage, rank, score=1 / (60 + rank), dense=0.6, lexical=3.0, copies=copies)
