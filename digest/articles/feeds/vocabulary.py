"""The namespaces and elements of RSS, Atom and their extensions."""

from typing import Any

ATOM = "http://www.w3.org/2005/Atom"
ATOM_03 = "http://purl.org/atom/ns#"
DC = "http://purl.org/dc/elements/1.1/"
DCTERMS = "http://purl.org/dc/terms/"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
MEDIA = "http://search.yahoo.com/mrss/"
FEEDBURNER = "http://rssnamespace.org/feedburner/ext/1.0"
XHTML = "http://www.w3.org/1999/xhtml"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"
RSS = frozenset((
    "", "http://purl.org/rss/1.0/", "http://my.netscape.com/rdf/simple/0.9/", "http://purl.org/net/rss1.1#",
    "http://channel.netscape.com/rdf/simple/0.9/", "http://backend.userland.com/rss2",
    "http://backend.userland.com/rss", "http://blogs.law.harvard.edu/tech/rss",
))  # fmt: skip
# What is used of an item, or is used by nothing and contains nothing of the item's.
KNOWN = RSS | {
    ATOM, ATOM_03, DC, DCTERMS, CONTENT, MEDIA, FEEDBURNER, XHTML, "http://purl.org/rss/1.0/modules/slash/",
    "http://wellformedweb.org/CommentAPI/", "http://purl.org/syndication/thread/1.0",
    "http://purl.org/rss/1.0/modules/syndication/", "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
}  # fmt: skip


def name_of(element: Any) -> tuple[str, str]:
    """Return an element's namespace and name; variants of a namespace are unified.

    An undeclared prefix (`yandex:related`) counts as a namespace of its own.
    """
    tag = element.tag
    if not isinstance(tag, str):
        return "?", ""
    space, _, local = tag.removeprefix("{").rpartition("}" if tag.startswith("{") else ":")
    lowered = space.lower()
    if "itunes" in lowered:
        return "itunes", local
    if "google.com/schemas/play-podcasts" in lowered or space == "googleplay":
        return "googleplay", local
    if lowered.rstrip("/") in ("http://search.yahoo.com/mrss", "https://search.yahoo.com/mrss", "media"):
        return MEDIA, local
    return space, local
