"""Web pages and e-books: the text that a reader would see, without menus; nothing is fetched and nothing is run."""

from __future__ import annotations

import datetime
import email
import email.policy
import json
import posixpath
import re
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from qa.datatypes import Label
from qa.errors import DocumentError
from qa.formats.extraction import MAX_ROW_CHARACTERS, Extraction, one_line, sane_date
from qa.formats.limits import MAX_XML_DEPTH
from qa.formats.plain import decode
from qa.structure import Structure, stated_date

if TYPE_CHECKING:
    import zipfile

    from selectolax.lexbor import LexborHTMLParser, LexborNode

MIN_MAIN_CHARACTERS = 200
"""A `<main>` with less is a frame that a script would fill."""

ARTICLE_SHARE = 0.9
"""Of a page's prose, in the innermost element that holds so much: its article. With .8, sentences of articles are lost,
with .95 most of what stands around them is kept (89 pages of newspapers, blogs and offices)."""

MIN_ARTICLE_SHARE = 1 / 3
"""Of a page's characters. Where the article has less, the page is a list of links, and these are what it says."""

MIN_LINKED_SHARE = 1 / 3
"""Of the characters outside of the article: below, it is no menu but a note, an annex or a page's other half."""

MIN_PROSE_CHARACTERS = 40
"""A shorter paragraph may be a menu's entry or a button."""

_LEFT_OUT = frozenset(
    "script style noscript template nav footer svg iframe object embed canvas audio video button select datalist "
    "textarea input dialog head".split()
)
_LEFT_OUT_ROLES = frozenset({"navigation", "contentinfo", "search", "menu", "menubar", "dialog"})
_BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure form h1 h2 "
    "h3 h4 h5 h6 header hgroup hr legend li main ol p pre section summary table tbody td tfoot th thead tr ul".split()
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_CONTAINERS = frozenset("article center details div fieldset form main section td".split())
_FRAME_CLASSES = frozenset(
    "ad advert advertisement banner breadcrumb breadcrumbs cookie cookies footer menu nav navbar navigation newsletter "
    "pagination promo related share sharing social sponsored subscribe subscription".split()
)
_VOID_IN_XHTML = re.compile(r"<((?!(?:br|hr|img|meta|link|input|col|area|base|wbr)\b)[a-zA-Z][\w:-]*)(\s[^<>]*)?/>")
_CHARSET = re.compile(rb"<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
_DATE_NAMES = (
    *("article:published_time", "og:published_time", "datepublished", "citation_publication_date", "citation_date"),
    *("dc.date", "dcterms.date", "dcterms.created", "dcterms.issued", "date", "publish-date", "pubdate"),
    *("parsely-pub-date", "article:modified_time", "dcterms.modified", "last-modified"),
)


def html(content: bytes) -> tuple[str, Structure]:
    """A web page's article: its headings, paragraphs, lists and tables; title, date and site from its metadata."""
    return _article(decode_page(content))


def mhtml(content: bytes) -> tuple[str, Structure]:
    """A web page that a browser saved with its pictures in one file, as that page."""
    try:
        message = email.message_from_bytes(content, policy=email.policy.default)
        part = next((part for part in message.walk() if part.get_content_type() == "text/html"), None)
        markup = None if part is None else part.get_payload(decode=True)
        charset = None if part is None else part.get_content_charset()
    except (RecursionError, MemoryError):
        raise
    except Exception as error:  # the standard library's parsers of headers raise whatever they stumble over
        raise DocumentError(f"it is damaged, or no web page ({type(error).__name__})") from error
    if not isinstance(markup, bytes):
        raise DocumentError("it holds no web page")
    return _article(decode_page(markup) if charset is None else _decoded(markup, charset))


def _article(markup: str) -> tuple[str, Structure]:
    tree = _parse(markup)
    extraction = Extraction()
    mains = tree.css("main, [role=main]")
    root = mains[0] if len(mains) == 1 and len(mains[0].text()) >= MIN_MAIN_CHARACTERS else tree.body
    if root is not None:
        _Walk(extraction, _frame(root)).walk(root)
    return _result(extraction, tree, lambda: _date_anywhere(markup))


def page(markup: str) -> tuple[str, Structure]:
    """All of a page's text: what stands around the longest paragraph of a mail is no menu."""
    tree = _parse(markup)
    extraction = Extraction()
    read_into(extraction, tree)
    return _result(extraction, tree, lambda: None)


def _result(
    extraction: Extraction, tree: LexborHTMLParser, otherwise: Callable[[], datetime.date | None]
) -> tuple[str, Structure]:
    """What was read, with the title, site and date that the page states; `otherwise` gives a date where it has none."""
    facts = _facts(tree)
    date = next((found for name in _DATE_NAMES if (found := sane_date(facts.get(name)))), None)
    date = date or _linked_data_date(tree) or stated_date(extraction.text[:2_000])[0] or otherwise()
    source = facts.get("og:site_name") or facts.get("dc.publisher")
    titles = (_title(tree), facts.get("og:title"), extraction.first_heading)
    return extraction.result(*titles, date=date, source=source)


def decode_page(content: bytes) -> str:
    """A page's characters, in the encoding that it declares, else as any text file's."""
    declared = (
        None if content.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) else _CHARSET.search(content[:4_096])
    )
    return decode(content) if declared is None else _decoded(content, declared[1].decode("ascii"))


def _decoded(content: bytes, charset: str) -> str:
    """A page's characters in this encoding, or where it cannot be, as any text file's."""
    name = charset.lower()
    name = {"iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "ascii": "cp1252"}.get(name, name)
    try:
        return content.decode(name)
    except (LookupError, UnicodeError):
        return decode(content)


def _parse(markup: str) -> LexborHTMLParser:
    from selectolax.lexbor import LexborHTMLParser

    return LexborHTMLParser(markup.replace("\0", ""))


def read_into(extraction: Extraction, tree: LexborHTMLParser) -> None:
    """Add a page's text, piece by piece."""
    if tree.body is not None:
        _Walk(extraction).walk(tree.body)


@dataclass
class _Block:
    """An element that begins on a line of its own, and how many characters it holds."""

    node: LexborNode
    around: int  # the place of the block around it, in the page's order
    end: int  # the place after the last block in it
    plain: int = 0  # characters outside of links
    linked: int = 0
    prose: int = 0  # of paragraphs

    def hold(self, other: _Block) -> None:
        self.end = max(self.end, other.end)
        self.plain += other.plain
        self.linked += other.linked
        self.prose += other.prose


def _frame(root: LexborNode) -> set[int]:
    """The elements (their `mem_id`) in `root` that are the site's: menus, teasers, what asks to be shared or followed.

    Outside of the article they are known by their links, in it by their class. The article begins at the page's only
    main heading and ends with the innermost container that holds nearly all prose.
    """
    blocks = _blocks(root)
    for block in reversed(blocks[1:]):
        blocks[block.around].hold(block)
    page = blocks[0]
    nearly_all = ARTICLE_SHARE * page.prose
    inner = max(p for p, b in enumerate(blocks) if b.prose >= nearly_all and (b is page or b.node.tag in _CONTAINERS))
    end = blocks[inner].end
    if not page.prose or blocks[inner].plain + blocks[inner].linked < MIN_ARTICLE_SHARE * (page.plain + page.linked):
        return set()
    headings = [place for place, block in enumerate(blocks) if block.node.tag == "h1"]
    start = min(inner, *headings) if len(headings) == 1 else inner
    frame = set()
    for place, block in enumerate(blocks):
        if block.prose <= page.prose - nearly_all and not place <= start < block.end:
            is_outside = block.end <= start or place >= end
            is_linked = block.linked > MIN_LINKED_SHARE * (block.plain + block.linked)
            if (is_outside and is_linked) or _FRAME_CLASSES & _classes(block.node):
                frame.add(block.node.mem_id)
    return frame


def _blocks(root: LexborNode) -> list[_Block]:
    """The blocks that can be seen, in the page's order, `root` first; each with what is in it and in no block in it."""
    blocks = [_Block(root, 0, 1)]
    inside = {root.mem_id: (0, False)}  # for each element that can be seen, its block and whether it is in a link
    for node in root.traverse(include_text=True):
        parent = node.parent
        if parent is None or parent.mem_id not in inside or node.mem_id == root.mem_id:
            continue
        place, is_link = inside[parent.mem_id]
        if node.tag == "-text":
            characters = len(one_line(node.text_content or ""))
            if is_link:
                blocks[place].linked += characters
            else:
                blocks[place].plain += characters
        elif not _is_left_out(node):
            if node.tag in _BLOCKS:
                blocks.append(_Block(node, place, len(blocks) + 1))
                place = len(blocks) - 1
            inside[node.mem_id] = place, is_link or node.tag == "a"
    for block in blocks:
        if block.plain >= max(MIN_PROSE_CHARACTERS, block.linked) and block.node.tag not in _HEADINGS:
            block.prose = block.plain
    return blocks


def _classes(node: LexborNode) -> set[str]:
    """The words in an element's class: "relatedPosts post-share" has four."""
    stated = (node.attributes or {}).get("class") or ""
    return set(re.findall("[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", stated).lower()))


@dataclass
class _Row:
    """A table's row that is being read: for each cell the pieces in it, and whether the cell is a heading."""

    cells: list[list[tuple[str, str, int]]] = field(default_factory=list)
    headers: list[bool] = field(default_factory=list)
    is_layout: bool = False


class _Walk:
    """Goes through a page's elements in order and ends a piece where a block begins or ends."""

    def __init__(self, extraction: Extraction, frame: Set[int] = frozenset()) -> None:
        self._extraction = extraction
        self._frame = frame  # elements that are left out
        self._inline: list[str] = []
        self._heading = 0  # level of the heading that is open
        self._items = 0  # list items that are open
        self._preformatted = 0
        self._tables: list[Label | None] = []  # for each open table, its header
        self._rows: list[_Row] = []

    def walk(self, root: LexborNode) -> None:
        node: LexborNode | None = root
        depth = 0
        while node is not None:
            child = node.child if self._enter(node) else None
            if child is not None:
                node, depth = child, depth + 1
                if depth > MAX_XML_DEPTH:
                    raise DocumentError(f"its elements nest deeper than {MAX_XML_DEPTH} (QA_MAX_XML_DEPTH)")
                continue
            while node is not None:
                self._leave(node)
                if depth == 0:
                    return
                following = node.next
                if following is not None:
                    node = following
                    break
                node, depth = node.parent, depth - 1

    def _enter(self, node: LexborNode) -> bool:
        """Take a node's own text in; whether to go into it."""
        tag = node.tag
        if node.mem_id in self._frame:
            self._flush()
            return False
        if tag == "-text":
            text = node.text_content or ""
            self._inline.append(text if self._preformatted else re.sub(r"[\t\r\n\f ]+", " ", text))
            return False
        if tag is None or _is_left_out(node):
            if tag in ("nav", "footer"):
                self._flush()
            return False
        if tag == "br":
            self._inline.append("\n")
        elif tag in _BLOCKS:
            self._flush()
            if tag in _HEADINGS:
                self._heading = _HEADINGS[tag]
            elif tag in ("li", "dd"):
                self._items += 1
            elif tag == "pre":
                self._preformatted += 1
            elif tag == "table":
                self._tables.append(None)
            elif tag == "tr" and self._tables:
                self._rows.append(_Row())
            elif tag in ("td", "th") and self._rows:
                self._rows[-1].cells.append([])
                self._rows[-1].headers.append(tag == "th")
        return True

    def _leave(self, node: LexborNode) -> None:
        tag = node.tag
        if tag not in _BLOCKS or _is_hidden(node) or node.mem_id in self._frame:
            return
        self._flush()
        if tag in _HEADINGS:
            self._heading = 0
        elif tag in ("li", "dd"):
            self._items = max(0, self._items - 1)
        elif tag == "pre":
            self._preformatted = max(0, self._preformatted - 1)
        elif tag == "table" and self._tables:
            self._tables.pop()
        elif tag == "tr" and self._rows and self._tables:
            self._end_row(self._rows.pop())

    def _flush(self) -> None:
        text = "".join(self._inline)
        self._inline.clear()
        kind = "heading" if self._heading else "item" if self._items else "paragraph"
        pieces = [text] if self._preformatted else re.split(r"\n\s*\n", text)
        for piece in pieces:
            if not piece.strip():
                continue
            if self._rows and self._rows[-1].cells:
                self._rows[-1].cells[-1].append((kind, piece, self._heading))
                self._rows[-1].is_layout |= kind == "heading"
            else:
                self._emit(kind, piece, self._heading)

    def _emit(self, kind: str, text: str, level: int) -> None:
        if kind == "heading":
            self._extraction.heading(text.rstrip("¶§ \n"), level)  # the link to itself that manuals put there
        elif kind == "item":
            self._extraction.item(text)
        else:
            self._extraction.paragraph(text)

    def _end_row(self, row: _Row) -> None:
        """A row of data becomes a row; one of a page's layout, and one in a cell of it, the pieces in its cells."""
        pieces = [piece for cell in row.cells for piece in cell]
        if self._rows and self._rows[-1].cells:
            self._rows[-1].cells[-1] += pieces
            self._rows[-1].is_layout = True
        elif row.is_layout or sum(len(text) for _, text, _ in pieces) > MAX_ROW_CHARACTERS:
            for piece in pieces:
                self._emit(*piece)
        else:
            cells = [" ".join(text for _, text, _ in cell) for cell in row.cells]
            label = self._extraction.row(cells, self._tables[-1])
            if row.headers and all(row.headers):
                self._tables[-1] = label


def _is_left_out(node: LexborNode) -> bool:
    """Whether it is no element, or none that a reader would see."""
    tag = node.tag
    return tag is None or tag[0] in "-!" or tag in _LEFT_OUT or _is_hidden(node)


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    if not attributes:
        return False
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or attributes.get("role") in _LEFT_OUT_ROLES
        or "display:none" in (attributes.get("style") or "").replace(" ", "").lower()
    )


def _title(tree: LexborHTMLParser) -> str | None:
    """The page's only main heading, where its `<title>` says the same and more ("Bridges - City of Exeter")."""
    stated = tree.css_first("head > title")
    title = "" if stated is None else one_line(stated.text())
    first = [one_line(heading.text()) for heading in tree.css("h1")]
    return first[0] if len(first) == 1 and first[0] and (first[0] in title or not title) else title or None


def _facts(tree: LexborHTMLParser) -> dict[str, str]:
    """What `<meta>` and `<time>` elements say, by the name in lower case; the first of each counts."""
    facts: dict[str, str] = {}
    for node in tree.css("meta, [itemprop=datePublished]"):
        attributes = node.attributes
        name = attributes.get("property") or attributes.get("name") or attributes.get("itemprop")
        value = attributes.get("content") or attributes.get("datetime")
        if name and value:
            facts.setdefault(name.lower(), value)
    return facts


def _date_anywhere(markup: str) -> datetime.date | None:
    """The date that stands elsewhere in a page, as in the line that names its author; none for a year alone."""
    from htmldate import find_date

    date = sane_date(find_date(markup, original_date=True, extensive_search=False))
    return None if date and (date.month, date.day) == (1, 1) else date  # what is made of a year alone


def _linked_data_date(tree: LexborHTMLParser) -> datetime.date | None:
    for node in tree.css('script[type="application/ld+json"]'):
        found = re.search(r'"datePublished"\s*:\s*("[^"\\]{4,40}")', node.text() or "")
        date = found and sane_date(json.loads(found[1]))
        if date:
            return date
    return None


# E-books


def epub(content: bytes) -> tuple[str, Structure]:
    """An e-book: its chapters in reading order; title, author and date from its metadata."""
    from qa.formats.archives import member, open_archive, xml

    archive = open_archive(content)
    container = xml(member(archive, "META-INF/container.xml"))
    package_name = next((path for e in container.iterfind(".//{*}rootfile") if (path := e.get("full-path"))), None)
    if package_name is None:
        raise DocumentError("it is damaged: its container names no package")
    package = xml(member(archive, package_name))
    files = {item.get("id"): item.get("href") for item in package.iterfind(".//{*}manifest/{*}item")}
    menus = {
        item.get("id")
        for item in package.iterfind(".//{*}manifest/{*}item")
        if "nav" in item.get("properties", "").split()
    }
    chapters = [ref.get("idref") for ref in package.iterfind(".//{*}spine/{*}itemref")]
    names = [
        posixpath.normpath(posixpath.join(posixpath.dirname(package_name), unquote(href.split("#")[0])))
        for chapter in chapters
        if chapter not in menus and (href := files.get(chapter))
    ]
    _refuse_locked(archive, names)
    extraction = Extraction()
    for name in dict.fromkeys(names):
        markup = decode_page(member(archive, name))
        # An XML parser would fetch and expand what the file says; an HTML parser does neither, but `<title/>`
        # opens an element for it that nothing closes.
        read_into(extraction, _parse(_VOID_IN_XHTML.sub(r"<\1\2></\1>", markup)))

    def fact(name: str) -> str | None:
        found = package.find(f".//{{*}}metadata/{{http://purl.org/dc/elements/1.1/}}{name}")
        return None if found is None else "".join(str(part) for part in found.itertext())

    titles = (fact("title"), extraction.first_heading)
    return extraction.result(*titles, date=sane_date(fact("date")), source=fact("creator"))


def _refuse_locked(archive: zipfile.ZipFile, names: list[str]) -> None:
    """Raises DocumentError for a book whose chapters are encrypted; its fonts may be."""
    from qa.formats.archives import member, xml

    if "META-INF/encryption.xml" in archive.namelist():
        locked = {
            unquote(e.get("URI", ""))
            for e in xml(member(archive, "META-INF/encryption.xml")).iterfind(".//{*}CipherReference")
        }
        if locked & set(names):
            raise DocumentError("it is encrypted: it can only be opened with its seller's program")
