"""Saved mail: its header lines and its text; attachments are named, not read."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage, MIMEPart

from qa.errors import DocumentError
from qa.formats.extraction import Extraction, one_line, sane_date
from qa.formats.limits import MAX_CHARACTERS
from qa.formats.web import page
from qa.structure import Structure, plain_text_structure

HEADER_LINES = ("From", "To", "Cc", "Date", "Subject")
MAX_HEADER_CHARACTERS = 1_000
"""Of one header line; a longer one lists the members of a mailing list."""


def eml(content: bytes) -> tuple[str, Structure]:
    """A mail: subject as title, day, sender as source; its plain text, or else its HTML as a web page."""
    try:
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        headers = {name: one_line(str(message[name]))[:MAX_HEADER_CHARACTERS] for name in HEADER_LINES if message[name]}
        attached = [one_line(part.get_filename() or "") for part in message.walk() if part.get_filename()]
        body, text = _body(message)
    except (DocumentError, RecursionError, MemoryError):
        raise
    except Exception as error:  # the standard library's parsers of headers raise whatever they stumble over
        raise DocumentError(f"it is damaged, or no mail ({type(error).__name__})") from error
    if not headers:
        raise DocumentError("it is damaged, or no mail: it has no header")
    if body is not None and body.get_content_subtype() == "html":
        text, structure = page(text)
    else:
        structure = plain_text_structure(text)
    if not structure.blocks:
        raise DocumentError("there is no text in it")
    extraction = Extraction()
    head = "\n".join(f"{name}: {value}" for name, value in headers.items())
    extraction.paragraph(head + (f"\nAttachments: {', '.join(attached)}" if attached else ""))
    extraction.insert(text, structure)
    return extraction.result(headers.get("Subject"), date=sane_date(headers.get("Date")), source=headers.get("From"))


def _body(message: EmailMessage) -> tuple[MIMEPart | None, str]:
    """The part with the mail's text: the plain one, unless it is blank and there is another."""
    body, text = None, ""
    for kind in ("plain", "html"):
        body = message.get_body((kind,)) or body
        text = "" if body is None else _characters(body)
        if text.strip():
            break
    return body, text


def _characters(body: MIMEPart) -> str:
    """A part's text, in the character set it names or else as UTF-8."""
    content = body.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    try:
        text = content.decode(body.get_content_charset("utf-8"), "replace")
    except (LookupError, UnicodeError):
        text = content.decode("utf-8", "replace")
    if len(text) > MAX_CHARACTERS:
        raise DocumentError(f"it has more than {MAX_CHARACTERS:,} characters (QA_MAX_CHARACTERS)")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
