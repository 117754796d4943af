"""How much of one file is read before it is refused. Each limit can be set in the environment under its own name.

They are there for what is no document (a disk image, a bomb of zeros) and for what would hold everything else up. Raise
one when a real document is refused: the reason names the setting.
"""

from __future__ import annotations

import os

from qa.errors import QAError


def _setting(name: str, default: int) -> int:
    value = os.environ.get(name)
    if value is None:
        return default
    if not value.isdecimal() or int(value) == 0:
        raise QAError(f"{name} is set to {value!r}; a whole number above 0 was expected.")
    return int(value)


MAX_FILE_BYTES = _setting("QA_MAX_FILE_BYTES", 50_000_000)
"""A larger file is data, or pictures, not a document to be quoted."""

MAX_UPLOAD_BYTES = _setting("QA_MAX_UPLOAD_BYTES", 250_000_000)
"""All files together that are added on the page at once, archives as they are sent: some hundred papers."""

MAX_CHARACTERS = _setting("QA_MAX_CHARACTERS", 50_000_000)
"""Of extracted text; a long book has three million. A file of `MAX_FILE_BYTES` of plain text passes."""

MAX_PAGES = _setting("QA_MAX_PAGES", 10_000)
"""Pages or slides: above the longest single reports, far below a file made to keep a parser busy."""

MAX_SECONDS = _setting("QA_MAX_SECONDS", 120)
"""That reading one file may take; a page takes about five milliseconds, and twice that on a busy machine. The parser is
then killed."""

MAX_MEMORY_BYTES = _setting("QA_MAX_MEMORY_BYTES", 3_000_000_000)
"""That the parser's process may use, where the system can enforce it (not on Windows or macOS)."""

MAX_ARCHIVE_MEMBERS = _setting("QA_MAX_ARCHIVE_MEMBERS", 10_000)
"""Files inside a DOCX, PPTX, ODT or EPUB; an illustrated book has a thousand."""

MAX_EXPANDED_BYTES = _setting("QA_MAX_EXPANDED_BYTES", 300_000_000)
"""All files inside such an archive together, unpacked."""

MAX_EXPANSION = _setting("QA_MAX_EXPANSION", 200)
"""How many times larger than packed an archive may be unpacked. Office files reach 20; zeros reach 1,000."""

EXPANSION_FREE_BYTES = 10_000_000
"""Up to this size unpacked, the ratio is not looked at: repetition in small files is harmless."""

MAX_XML_DEPTH = _setting("QA_MAX_XML_DEPTH", 250)
"""Elements inside elements, in HTML and in the XML of archives; the worst real pages reach 100. libxml2 itself stops
at 256."""

SETTINGS = {
    "max_file_bytes": MAX_FILE_BYTES,
    "max_characters": MAX_CHARACTERS,
    "max_pages": MAX_PAGES,
    "max_seconds": MAX_SECONDS,
    "max_memory_bytes": MAX_MEMORY_BYTES,
    "max_archive_members": MAX_ARCHIVE_MEMBERS,
    "max_expanded_bytes": MAX_EXPANDED_BYTES,
    "max_expansion": MAX_EXPANSION,
    "max_xml_depth": MAX_XML_DEPTH,
}
"""All of them, for the index's manifest: a file refused under one limit is read again under another."""
