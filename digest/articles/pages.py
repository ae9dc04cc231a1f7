"""Read a web page, fetched or saved: the article alone, by trafilatura."""

from collections.abc import Sequence
from urllib.parse import urlsplit

import trafilatura
from trafilatura.htmlprocessing import build_html_output
from trafilatura.settings import Document

from digest.articles.building import build_article
from digest.articles.clean import escaped
from digest.articles.identity import canonical_url
from digest.articles.moments import moment
from digest.articles.parsed import ParsedArticle
from digest.errors import InputError


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
        html=build_html_output(found),
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
