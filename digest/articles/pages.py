"""Read a web page, fetched or saved: the article alone, by trafilatura."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

import trafilatura
from trafilatura.htmlprocessing import build_html_output
from trafilatura.settings import Document

from digest.articles.building import build_article
from digest.articles.clean import escaped, one_line
from digest.articles.identity import canonical_url
from digest.articles.moments import moment
from digest.articles.parsed import ParsedArticle
from digest.errors import InputError

_HEADING = re.compile(r"<h[1-3][^>]*>(.*?)</h[1-3]>", re.S | re.I)


def parse_page(content: bytes, *, url: str, topics: Sequence[str] = (), saved: bool = False) -> ParsedArticle:
    """Read a page; raise InputError where no article is found in it.

    A page's own word on its canonical URL counts within its host only, so that none can pass for an
    article of another site. A saved page has no host: there its own word is the link.
    """
    found = trafilatura.bare_extraction(
        content,
        url=url,
        with_metadata=True,
        include_comments=False,
        include_formatting=True,
        include_links=True,
    )
    if not isinstance(found, Document) or not (found.text or "").strip():
        raise InputError(f"{url}: no article was found in this page")
    stated = found.url if str(found.url).startswith(("http://", "https://")) else None
    return build_article(
        title=found.title or "",
        url=stated if saved and stated else url,
        html=_without_title(build_html_output(found), found.title or ""),
        summary=escaped(found.description or ""),
        author=found.author,
        image=found.image,
        language=found.language,
        topics=topics,
        published_at=moment(found.date),
        canonical=stated if stated and _host(stated) == _host(url) else None,
    )


def _host(url: str) -> str | None:
    return urlsplit(canonical_url(url)).hostname


def _without_title(html: str, title: str) -> str:
    """Take out the heading that is the title: it stands above the text anyway."""
    heading = _HEADING.search(html)
    if heading is None or one_line(heading[1]).casefold() != one_line(title).casefold():
        return html
    return html[: heading.start()] + html[heading.end() :]
