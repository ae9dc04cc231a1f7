"""Read a saved plain-text page: the article alone, without what the site put after it."""

import re
from collections.abc import Sequence

from digest.articles.building import build_article
from digest.articles.clean import paragraphs, summarise, without_controls
from digest.articles.identity import path_slug
from digest.articles.parsed import ParsedArticle
from digest.errors import InputError

_DATELINE = re.compile(
    r"(?P<place>[^\W\d_]{2}[\w .'\u2019-]{0,38}?(?:, [^\W\d_][\w. ]{0,24}?)?)"
    r"(?:\s+\((?P<agency>[^()]{2,40})\)\s+-{1,2}|(?:\s+\((?P<bureau>[^()]{2,40})\))?\s+[\u2014\u2013])\s+"
)
_TAIL = re.compile(
    r"leave a (?:reply|comment)|sign up (?:for|to)\b.{0,60}|subscribe to\b.{0,40}newsletter.{0,20}"
    r"|you may also like|related (?:articles|stories|posts)|share this.{0,40}|post navigation"
    r"|more (?:stories|from)\b.{0,60}|(?:\d+ )?comments?",
    re.I,
)
_LONGEST_HEADLINE = 140


def parse_plaintext(
    content: bytes, *, name: str, base_url: str, url: str | None = None, topics: Sequence[str] = ()
) -> ParsedArticle:
    """Read one saved page; where it has no headline one is formed from the first sentence and marked so."""
    blocks = _without_tail(_blocks(without_controls(_decoded(content))))
    if not blocks:
        raise InputError(f"{name}: there is no text in this page")
    title = _headline(blocks)
    body = blocks[1:] if title else blocks
    place, agency, body[0] = _dateline(body[0])
    return build_article(
        title=title or summarise(body[0], 100),
        title_formed=not title,
        url=url or f"{base_url}/{path_slug(name)}",
        html=paragraphs(body),
        guid=f"file:{name}",
        place=place,
        agency=agency,
        topics=topics,
    )


def _decoded(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")  # what old editors save
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _blocks(text: str) -> list[str]:
    """Part at blank lines, or at each line where a page has none and its lines are whole paragraphs."""
    parts = re.split(r"\n[ \t]*\n", text.strip())
    if len(parts) == 1 and any(len(line) > _LONGEST_HEADLINE for line in text.splitlines()):
        parts = text.splitlines()
    return [" ".join(part.split()) for part in parts if part.strip()]


def _without_tail(blocks: list[str]) -> list[str]:
    return blocks[: next((n for n, block in enumerate(blocks) if n and _TAIL.fullmatch(block)), len(blocks))]


def _headline(blocks: list[str]) -> str:
    first = blocks[0]
    is_one = len(blocks) > 1 and len(first) <= _LONGEST_HEADLINE and first[-1] not in '.!?”"'
    return first if is_one and _dateline(first)[0] is None else ""


def _dateline(block: str) -> tuple[str | None, str | None, str]:
    match = _DATELINE.match(block)
    if match is None or not match["place"].partition(",")[0].isupper():
        return None, None, block
    return match["place"], match["agency"] or match["bureau"], block[match.end() :]
