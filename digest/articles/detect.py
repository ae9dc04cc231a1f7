"""Tell what a document is, and read it accordingly."""

from collections.abc import Sequence
from datetime import datetime

from digest.articles.markdown import parse_markdown
from digest.articles.pages import parse_page
from digest.articles.parsed import ParsedArticle
from digest.articles.plaintext import parse_plaintext


def parse_document(
    content: bytes,
    *,
    name: str,
    base_url: str,
    url: str | None = None,
    topics: Sequence[str] = (),
    now: datetime | None = None,
) -> ParsedArticle:
    """Read a page, Markdown or plain text, by the name's ending and what the content looks like."""
    ending = name.rpartition(".")[2].lower()
    head = content.lstrip()[:200].lower()
    if ending in ("md", "markdown"):
        return parse_markdown(content, name=name, base_url=base_url, topics=topics, now=now)
    if (
        url is not None
        or ending in ("html", "htm", "xhtml")
        or head.startswith((b"<!doctype html", b"<html"))
    ):
        return parse_page(content, url=url or f"{base_url}/{name}", topics=topics)
    if head.startswith(b"---"):
        return parse_markdown(content, name=name, base_url=base_url, topics=topics, now=now)
    return parse_plaintext(content, name=name, base_url=base_url, topics=topics)
