"""Tell what a document is, and read it accordingly.

What reads each kind is imported where there is one: few commands read them all.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from digest.articles.parsed import ParsedArticle
from digest.articles.text.identity import path_slug

_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?(?>(?:<\?xml[^>]*>|<!--.*?-->|\s+)*)<(?:!doctype html|html|head|body)\b", re.I | re.S
)


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
    """Read a page, Markdown or plain text, by the name's ending and what the content looks like.

    `url` is where it was fetched from and `content_type` what the server called it; without a URL it is a
    saved file.
    """
    ending = _ending(name if url is None else urlsplit(url).path)
    if ending in ("md", "markdown") or content.startswith((b"---\n", b"---\r\n", b"+++\n", b"+++\r\n")):
        from digest.articles.documents.markdown import parse_markdown

        return parse_markdown(content, name=name, base_url=base_url, url=url, topics=topics, now=now)
    if ending in ("html", "htm", "xhtml") or _PAGE.match(
        content[:4_000].lstrip(b"\xff\xfe").replace(b"\0", b"")
    ):
        from digest.articles.documents.pages import parse_page

        return parse_page(
            content,
            url=url or f"{base_url}/{path_slug(name)}",
            topics=topics,
            saved=url is None,
            content_type=content_type,
        )
    from digest.articles.plaintext.plaintext import parse_plaintext

    return parse_plaintext(content, name=name, base_url=base_url, url=url, topics=topics)


def _ending(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[2].lower()
