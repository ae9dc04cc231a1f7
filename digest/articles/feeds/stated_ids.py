"""The ids of items as a feed states them: Atom's as written, and the order in which RSS 1.0 lists them."""

import re
from collections.abc import Sequence
from html import unescape
from typing import Any

from lxml import etree

_SEQUENCE = re.compile(rb"<(?:\w{1,20}:)?items\b[^>]{0,300}>")
_SEQUENCE_END = re.compile(rb"</(?:\w{1,20}:)?items\b")
_MEMBER = re.compile(rb"<(?:\w{1,20}:)?li\b[^>]{0,300}?\bresource\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_RELATIVE = re.compile(rb"<(?:\w{1,20}:)?id\b[^>]{0,300}>\s*(?![A-Za-z][A-Za-z0-9+.-]*:)[^\s<]")
_ENTRY = "{http://www.w3.org/2005/Atom}entry"
_ID = "{http://www.w3.org/2005/Atom}id"


def in_stated_order(entries: Sequence[Any], content: bytes) -> list[Any]:
    """Return the items of an RSS 1.0 feed in the order of its rdf:Seq (RSS 1.0, 5.3.5).

    Items that the sequence lacks follow in the order in which they stand.
    """
    ranks = _ranks(content)
    return sorted(entries, key=lambda entry: ranks.get(_name(entry), len(ranks))) if ranks else list(entries)


def _name(entry: Any) -> str:
    return str(entry.get("id") or entry.get("link"))


def _ranks(content: bytes) -> dict[str, int]:
    """Return the place of each item's address in the feed's sequence; none if it has no sequence."""
    ranks: dict[str, int] = {}
    begin = _SEQUENCE.search(content)
    end = _SEQUENCE_END.search(content, begin.end()) if begin else None
    if begin is None or end is None:
        return ranks
    for member in _MEMBER.finditer(content, begin.end(), end.start()):
        name = unescape((member[1] or member[2] or b"").decode("utf-8", "replace")).strip()
        ranks.setdefault(name, len(ranks))
    return ranks


def keep_written_ids(entries: Sequence[Any], content: bytes) -> None:
    """Restore the ids of Atom entries that feedparser resolved against the feed's address.

    An id is an IRI, no reference: it is compared character by character and xml:base does not apply (RFC
    4287 4.2.6), so an entry stays the same when its feed moves.
    """
    if not _RELATIVE.search(content):
        return
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        return
    written = [] if root is None else [str(one.findtext(_ID) or "").strip() for one in root.iter(_ENTRY)]
    if len(written) == len(entries):
        for entry, name in zip(entries, written, strict=True):
            if name and entry.get("id"):
                entry["id"] = name
