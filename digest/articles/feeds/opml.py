"""Read and write OPML, the list of feeds that feed readers exchange (opml.org/spec2)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from anyascii import anyascii
from lxml import etree

from digest.articles.feeds.feeds import MAX_BYTES
from digest.articles.feeds.references import mend_references
from digest.articles.feeds.xml_bombs import check_xml
from digest.articles.html.cleaning import one_line, safe_url
from digest.articles.parsed import Rejected
from digest.errors import InputError
from digest.rules.articles.topics import slug

_OUTLINE = re.compile(
    rb"<outline\b((?:[^<]|<(?!/?(?:outline|body|head|opml)\b|!))*?)(/?)>(?=\s*(?:<|\Z))", re.I
)
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\r")
_DECLARED = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,200}?\bencoding\s*=\s*[\"']([\w.-]+)")
_COMMENT = re.compile(rb"<!--(?:[^-]|-(?!->))*+-->")
_WHOLE = re.compile(rb"(?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*\s*")
_ATTRIBUTE = re.compile(
    rb"([\w:.-]+)\s*=\s*(?:\"(.*?)\"(?=\s+[\w:.-]+\s*=|\s*\Z)|'(.*?)'(?=\s+[\w:.-]+\s*=|\s*\Z)|([^\s\"']+))",
    re.S,
)
_SCRAPED = ("html+", "xml+", "json+")  # FreshRSS
_NO_SCHEME = re.compile(r"(?://)?(?:[a-z0-9-]{1,63}\.)+[a-z]{2,63}(?:[/?]|\Z)", re.I)
_LONGEST_OUTLINE = 8_000
_LONGEST_NAME = 40
_LONGEST_URL = 2_000
_MOST_DAMAGES = 20


@dataclass(frozen=True, slots=True)
class OpmlFeed:
    """One feed of a list: its title, its URL, and topics from its folders and categories."""

    title: str
    url: str
    topics: tuple[str, ...] = ()


def parse_opml(content: bytes, *, name: str) -> tuple[list[OpmlFeed], list[Rejected]]:
    """Parse a list's feeds and what is wrong with others; raise InputError if it is no OPML.

    The readable feeds of a damaged list are returned; the damage is reported with the refused ones.
    """
    if len(content) > MAX_BYTES:
        raise InputError(f"{name} is larger than {MAX_BYTES // 1_000_000} MB; give a smaller list")
    check_xml(content, name)
    content = _legible(content)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, huge_tree=False)
    try:
        root = etree.fromstring(mend_references(_mend_outlines(content)), parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None or str(root.tag).rpartition("}")[2].lower() != "opml":
        raise InputError(f"{name} is not OPML; export the list of feeds from a feed reader as OPML")
    taken: list[OpmlFeed] = []
    rejected: list[Rejected] = []
    for outline, folders in _outlines(root):
        try:
            taken.append(_read(outline, folders))
        except InputError as error:
            rejected.append(Rejected(_title(outline) or "an outline without a name", str(error)))
    rejected.extend(_damages(parser.error_log))
    if not taken and not rejected:
        raise InputError(f"{name} lists no feeds; export the list of feeds from a feed reader as OPML")
    return taken, rejected


def _legible(content: bytes) -> bytes:
    """Return a list without control characters, and in UTF-8 if it declares that and is in Windows-1252."""
    if b"\0" in content:
        return content  # UTF-16, which the parser knows
    content = content.translate(None, _CONTROLS)
    declared = _DECLARED.match(content)
    if declared is not None and declared[1].lower() not in (b"utf-8", b"utf8"):
        return content
    try:
        content.decode()
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace").encode()
    return content


def _mend_outlines(content: bytes) -> bytes:
    """Quote the attributes of outlines anew where they are not quoted, or have a quote or `<` within."""
    return content if b"\0" in content else _OUTLINE.sub(_mended, _COMMENT.sub(b"", content))


def _mended(outline: re.Match[bytes]) -> bytes:
    inner = outline[1]
    if _WHOLE.fullmatch(inner) or len(inner) > _LONGEST_OUTLINE:
        return outline[0]
    found = [(match[1], match[2] or match[3] or match[4] or b"") for match in _ATTRIBUTE.finditer(inner)]
    written = (
        b' %s="%s"' % (name, value.replace(b'"', b"&quot;").replace(b"<", b"&lt;")) for name, value in found
    )
    return b"<outline%s%s>" % (b"".join(written), outline[2])


def _damages(log: Any) -> Iterator[Rejected]:
    """Return where a list is damaged, one line each; an undeclared prefix does no harm."""
    lines = {entry.line for entry in log if entry.domain != etree.ErrorDomains.NAMESPACE}
    for line in sorted(lines)[:_MOST_DAMAGES]:
        yield Rejected(f"line {line}", "it is damaged; check the feeds around it in the list")


def write_opml(title: str, outlines: Iterable[OpmlFeed]) -> bytes:
    """Write a list of feeds; topics become categories (OPML 2.0, "category")."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = title
    body = etree.SubElement(root, "body")
    for outline in outlines:
        values = {"type": "rss", "text": outline.title, "title": outline.title, "xmlUrl": outline.url}
        if outline.topics:
            values["category"] = ",".join(f"/{topic}" for topic in outline.topics)
        etree.SubElement(body, "outline", values)
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return written


def setting_name(text: str) -> str:
    """Return a title as a name for the settings: a-z, 0-9 and -; "" if it has no letter or digit.

    Other scripts are transliterated: `Новости` is `novosti`.
    """
    plain = anyascii(slug(text, 4 * _LONGEST_NAME)).lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_NAME].strip("-")


def _outlines(root: Any) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """Walk all outlines in order without recursion, because their depth is not limited."""
    open_: list[tuple[Any, tuple[str, ...]]] = [(root, ())]
    while open_:
        element, folders = open_.pop()
        children = [child for child in element if isinstance(child.tag, str)]
        inner = folders
        if _is_outline(element):
            has_address = bool(_address(element))
            if has_address or not any(map(_is_outline, children)):
                yield element, folders
            inner = folders if has_address else (*folders, _title(element))
        open_.extend((child, inner) for child in reversed(children))


def _is_outline(element: Any) -> bool:
    return str(element.tag).rpartition("}")[2].lower() == "outline"


def _read(outline: Any, folders: tuple[str, ...]) -> OpmlFeed:
    address = _address(outline)
    if not address:
        raise InputError("it has no xmlUrl; add the feed's address")
    if _value(outline, "type").lower().startswith(_SCRAPED):
        raise InputError("it is a page that its program cuts into articles, and no feed")
    address = re.sub(r"^feed:(?://)?(?=https?:)|^feed:(?=//)", _scheme, address.strip())
    if _NO_SCHEME.match(address):
        address = f"https://{address.removeprefix('//')}"
    url = safe_url(address.replace("&amp;", "&"), "")
    if url is None or len(url) > _LONGEST_URL:
        raise InputError(f'"{one_line(address)[:100]}" is not an http(s) address')
    categories = [part.rpartition("/")[2] for part in _value(outline, "category").split(",")]
    names = (slug(text) for text in (*folders, *categories))
    return OpmlFeed(_title(outline), url, tuple(dict.fromkeys(filter(None, names))))


def _address(outline: Any) -> str:
    """Return a feed's address; an outline of type "rss" or "atom" may have it in `url`."""
    is_feed = _value(outline, "type").lower() in ("rss", "rss1", "atom")
    return _value(outline, "xmlUrl") or (_value(outline, "url") if is_feed else "")


def _scheme(match: re.Match[str]) -> str:
    """Accept feed:https://... and feed://..., which old feed readers write."""
    return "http:" if match[0] == "feed:" and match.string[5:7] == "//" else ""


def _title(outline: Any) -> str:
    return one_line(_value(outline, "title") or _value(outline, "text"))[:200]


def _value(outline: Any, name: str) -> str:
    """Return an attribute, ignoring the case of its name: exports write xmlurl and xmlURL as well."""
    for key, value in outline.attrib.items():
        if str(key).lower() == name.lower():
            return str(value)
    return ""
