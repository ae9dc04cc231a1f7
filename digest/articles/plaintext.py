"""Read a saved plain-text page: the article alone, without what the site put after it."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from digest.articles.building import build_article
from digest.articles.clean import summarise
from digest.articles.identity import slug
from digest.articles.parsed import ParsedArticle
from digest.errors import InputError

_DATELINE = re.compile(
    r"(?P<place>[A-Z\u00c0-\u00de\u0400-\u042f][^\W\d_a-z]+(?:[ ,.'-]+[\w.'-]+){0,4}?)"
    r"(?:\s+\((?P<agency>[^)]{2,40})\))?\s+[\u2014\u2013-]+\s+"
)
_TAIL = re.compile(
    r"leave a (?:reply|comment)|sign up (?:for|to)\b.*|subscribe to\b.*newsletter.*|you may also like"
    r"|related (?:articles|stories|posts)|share this.*|post navigation|more (?:stories|from)\b.*|comments?",
    re.I,
)
_LONGEST_HEADLINE = 140


def parse_plaintext(content: bytes, *, name: str, base_url: str, topics: Sequence[str] = ()) -> ParsedArticle:
    """Read one saved page; where it has no headline one is formed from the first sentence and marked so."""
    text = content.decode("utf-8-sig", "replace").replace("\r\n", "\n")
    blocks = [" ".join(block.split()) for block in re.split(r"\n\s*\n", text) if block.strip()]
    cut = next((n for n, block in enumerate(blocks) if _TAIL.fullmatch(block)), len(blocks))
    blocks = blocks[:cut]
    if not blocks:
        raise InputError(f"{name}: there is no text in this page")
    title = _headline(blocks)
    body = blocks[1:] if title else blocks
    place, agency, body[0] = _dateline(body[0])
    return build_article(
        title=title or summarise(body[0], 100),
        title_formed=not title,
        url=f"{base_url}/{slug(PurePosixPath(name).stem)}",
        html="".join(f"<p>{_escape(block)}</p>" for block in body),
        guid=f"file:{name}",
        place=place,
        agency=agency,
        topics=topics,
    )


def _headline(blocks: list[str]) -> str:
    first = blocks[0]
    is_one = len(blocks) > 1 and len(first) <= _LONGEST_HEADLINE and first[-1] not in '.!?”"'
    return first if is_one and not _DATELINE.match(first) else ""


def _dateline(block: str) -> tuple[str | None, str | None, str]:
    match = _DATELINE.match(block)
    if match is None or not match["place"].split()[0].isupper():
        return None, None, block
    return match["place"], match["agency"], block[match.end() :]


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
