"""Read a web page, fetched or saved: the article alone, by trafilatura."""

from collections.abc import Sequence
from datetime import UTC, datetime

from digest.articles.building import build_article
from digest.articles.parsed import ParsedArticle
from digest.errors import InputError


def parse_page(content: bytes, *, url: str, topics: Sequence[str] = ()) -> ParsedArticle:
    """Read a page; raise InputError where no article is found in it."""
    # A quarter of a second to import, and few commands ever read a page.
    import trafilatura
    from trafilatura.settings import Document

    found = trafilatura.bare_extraction(content, url=url, with_metadata=True, include_comments=False)
    if not isinstance(found, Document) or not (found.text or "").strip():
        raise InputError(f"{url}: no article was found in this page")
    lines = (found.text or "").splitlines()
    paragraphs = "".join(f"<p>{_escape(line)}</p>" for line in lines if line.strip())
    return build_article(
        title=found.title or "",
        url=url,
        html=paragraphs,
        summary=_escape(found.description or ""),
        author=found.author,
        image=found.image,
        language=found.language,
        topics=topics,
        published_at=_time(found.date),
        canonical=found.url if str(found.url).startswith("http") else None,
    )


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _time(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
