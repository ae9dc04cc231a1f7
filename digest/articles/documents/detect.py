"""Find out what a document is, and parse it accordingly.

The parser of each kind is imported when it is needed: few commands use them all.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from digest.articles.parsed import ParsedArticle
from digest.articles.text.identity import path_slug
from digest.errors import InputError

_BEGINS_AS_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?(?>(?:<\?xml[^>]*>|<!--.*?-->|\s+)*)<(?:!doctype html|html|head|body)\b", re.I | re.S
)
# All of them may be omitted (HTML Standard 13.1.2.4); a script or a server's warning may come first.
_BEGINS_WITH_A_TAG = re.compile(
    rb"(?:\xef\xbb\xbf)?(?>(?:<!--.*?-->|\s+)*)<(?:meta|title|link|script|style|base|br|b|div|main|article|header)\b",
    re.I | re.S,
)
_HAS_A_PAGE = re.compile(rb"^[ \t]*<(?:!doctype html|html)\b.*<(?:/html|/head|body)\b", re.I | re.S | re.M)
_TAG = re.compile(rb"<[a-zA-Z!/][^<>]*>")
# A page that a browser saved with its parts (RFC 2557): the header of a mail.
_ARCHIVE = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:[!-9;-~]{1,60}:[^\n]*\n(?:[ \t][^\n]*\n){0,20}){1,20}?"
    rb"Content-Type:\s*(?:multipart/related|text/html)\b",
    re.I,
)
_FRONT = (b"---\n", b"---\r\n", b"+++\n", b"+++\r\n")
_LOOKED_AT = 4_000
_PAGE_ENDINGS = ("html", "htm", "xhtml", "php", "asp", "aspx", "jsp")


class _Kind(StrEnum):
    PAGE = "a web page"
    MARKDOWN = "Markdown"
    TEXT = "plain text"


_TYPES = {
    "text/html": _Kind.PAGE,
    "application/xhtml+xml": _Kind.PAGE,
    "text/markdown": _Kind.MARKDOWN,
    "text/x-markdown": _Kind.MARKDOWN,
}
_OF_NO_ARTICLE = re.compile(r"(?:image|audio|video|font)/|application/(?:pdf|zip|gzip|msword|vnd\.|epub)")
_FEED_TYPES = re.compile(r"application/(?:rss|atom|feed)\+(?:xml|json)")


def parse_document(
    content: bytes,
    *,
    name: str,
    base_url: str,
    url: str | None = None,
    content_type: str = "",
    topics: Sequence[str] = (),
    now: datetime | None = None,
) -> ParsedArticle:
    """Parse a page, Markdown or plain text: as the server declares it, else by its name and beginning.

    `url` is where it was fetched from and `content_type` what the server declared; without a URL it is a
    saved file. Raise InputError, with the remedy, if it is no article.
    """
    if url is None and _ARCHIVE.match(content):
        return _archived(content, name, base_url, topics)
    kind = _kind(content, name if url is None else url, "" if url is None else content_type)
    if kind is _Kind.MARKDOWN:
        from digest.articles.documents.markdown import parse_markdown

        return parse_markdown(content, name=name, base_url=base_url, url=url, topics=topics, now=now)
    if kind is _Kind.PAGE:
        try:
            from digest.articles.documents.pages import parse_page
        except ModuleNotFoundError as error:
            raise InputError(
                f'{error.name} is not installed, which web pages need: install "newsletter-digest[pages]"'
            ) from None

        return parse_page(
            content,
            url=url or f"{base_url}/{path_slug(name)}",
            topics=topics,
            saved=url is None,
            content_type=content_type,
        )
    from digest.articles.plaintext.saved_text import parse_saved_text

    return parse_saved_text(content, name=name, base_url=base_url, url=url, topics=topics)


def _archived(content: bytes, name: str, base_url: str, topics: Sequence[str]) -> ParsedArticle:
    """Parse the page in a web archive; its address is that of the page's part, else of the archive."""
    from email import message_from_bytes, policy

    from digest.articles.documents.pages import parse_page

    archive = message_from_bytes(content, policy=policy.default)
    page = next((part for part in archive.walk() if part.get_content_type() == "text/html"), None)
    payload = page.get_payload(decode=True) if page is not None else None
    if page is None or not isinstance(payload, bytes):
        raise InputError(f"{name} is a web archive without a page; save the page again as HTML")
    stated = (page["content-location"], archive["snapshot-content-location"])
    place = next(
        (str(one).strip() for one in stated if str(one or "").startswith(("http://", "https://"))), ""
    )
    return parse_page(
        payload,
        url=place or f"{base_url}/{path_slug(name)}",
        topics=topics,
        saved=True,
        content_type=page["content-type"] or "",
    )


def _kind(content: bytes, place: str, content_type: str) -> _Kind:
    """Return the kind of a document; the server's type decides (RFC 9110 8.3), except for plain text.

    Many servers declare Markdown, and some declare pages, as `text/plain`.
    """
    called = content_type.partition(";")[0].strip().lower()
    _refuse(called, place)
    if called in _TYPES:
        return _TYPES[called]
    ending = _ending(urlsplit(place).path if "://" in place else place)
    if ending in ("md", "markdown", "mdx") or content.startswith(_FRONT):
        return _Kind.MARKDOWN
    begins = content[:_LOOKED_AT].lstrip(b"\xff\xfe").replace(b"\0", b"")
    is_bare = called in ("", "text/plain") and not _TAG.search(content.replace(b"\0", b""))
    if (ending in _PAGE_ENDINGS and not is_bare) or _BEGINS_AS_PAGE.match(begins):
        return _Kind.PAGE
    if ending not in ("txt", "text") and called != "text/plain":
        is_page = _BEGINS_WITH_A_TAG.match(begins) or _HAS_A_PAGE.search(begins)
        return _Kind.PAGE if is_page else _Kind.TEXT
    return _Kind.TEXT


def _refuse(called: str, place: str) -> None:
    shown = place.partition("?")[0]
    if _FEED_TYPES.match(called):
        raise InputError(f"{shown} is a feed ({called}); make it the url of one of the [[sources]]")
    if _OF_NO_ARTICLE.match(called):
        raise InputError(f"{shown} is {called}, not a page; save its text and add that file")


def _ending(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[2].lower()
