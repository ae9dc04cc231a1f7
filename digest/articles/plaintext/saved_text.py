"""Parse a saved plain-text page: the article alone, without the site's text around it."""

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from digest.articles.building import build_article
from digest.articles.html.cleaning import escaped, paragraphs
from digest.articles.html.titles import Markup
from digest.articles.parsed import ParsedArticle
from digest.articles.plaintext.blocks import is_item, parted, without_mark
from digest.articles.plaintext.byline import is_about_author, read_byline
from digest.articles.plaintext.dateline import read_dateline
from digest.articles.plaintext.story_blocks import (
    find_story,
    is_label,
    looks_like_title,
    stops,
    without_trailer,
)
from digest.articles.text.charsets import decode_text
from digest.articles.text.identity import path_slug
from digest.articles.text.invisible import without_controls
from digest.articles.text.prose import first_sentence
from digest.errors import InputError

_LONGEST_FORMED = 100
_LARGEST = 1_000_000
_MOST_BLOCKS = 10_000
_LIST = 3
_FEWEST = 4
_JOINED = re.compile(
    r"[&:]|\b(?:and|und|et|y|e|en|и|և|of|the|more|news|for|from|your|our|all|latest)\b", re.I
)
_SITE = re.compile(r"\s+[|–—·-]\s+[^|–—·]{2,40}$")


def parse_saved_text(
    content: bytes, *, name: str, base_url: str, url: str | None = None, topics: Sequence[str] = ()
) -> ParsedArticle:
    """Parse one saved page; without a headline its first sentence becomes the title, and is marked as
    such."""
    if len(content) > _LARGEST:
        raise InputError(f"{name} is larger than {_LARGEST // 1_000} kB; save the article alone")
    text = decode_text(content).replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    blocks = parted(without_controls(text.replace("\u2029", "\n\n")))
    if len(blocks) > _MOST_BLOCKS:
        raise InputError(f"{name} has over {_MOST_BLOCKS:,} paragraphs; save the article alone")
    head, body = find_story(blocks)
    if not body:
        raise InputError(f"{name}: there is no text in this page; save its text, not its address")
    title, summary = _headline(head)
    body = [block for block in body if block.casefold() != title.casefold()] or body
    author, published_at, body = _byline(head, body)
    while len(body) > 2 and is_about_author(body[-1], author):
        body = without_trailer(body[:-1])
    dateline, body = _dateline(body)
    return build_article(
        title=title or first_sentence(body[0], _LONGEST_FORMED),
        title_markup=Markup.TEXT,
        title_formed=not title,
        url=url or f"{base_url}/{path_slug(name)}",
        html=_html(body),
        summary=escaped(summary),
        guid=f"file:{name}",
        author=author,
        place=dateline[0],
        agency=dateline[1],
        topics=topics,
        published_at=published_at,
    )


def _headline(head: Sequence[str]) -> tuple[str, str]:
    """Choose the title among the blocks above the story, and the standfirst below it.

    It is the last run of lines that no boilerplate and no byline interrupts; navigation comes above it.
    """
    runs: list[list[str]] = [[]]
    for block in head:
        if looks_like_title(block) or (
            runs[-1] and not is_label(block) and not read_byline(block) and stops(block)
        ):
            runs[-1].append(block)
        elif runs[-1]:
            runs.append([])
    chosen = [run for run in runs if any(len(block.split()) >= 4 for block in run)] or [
        run for run in runs if run
    ]
    if not chosen:
        return "", ""
    run = next((run for run in reversed(chosen) if any(map(_is_telling, run))), chosen[-1])
    at = _title_at(run)
    while at + 1 < len(run) and run[at + 1].casefold() in run[at].casefold() and len(run[at + 1]) > 12:
        at += 1  # the page's name with the site's after it, then the title alone
    title = run[at]
    if at == 0 and len(runs) == 1:
        title = _SITE.sub("", title) if len(_SITE.sub("", title).split()) >= 4 and "|" in title else title
    standfirst = run[at + 1] if at + 1 < len(run) and len(run[at + 1]) > 40 else ""
    return title, standfirst


def _title_at(run: Sequence[str]) -> int:
    """Choose the first whole line of a run, or the short one above it; in a list of lines the last."""
    whole = [n for n, block in enumerate(run) if len(block.split()) >= 4]
    if not whole:
        return len(run) - 1
    while len(whole) > 1 and _is_motto(run, whole[0], whole[1]):
        del whole[0]
    if len(whole) > _LIST:
        return whole[-1]
    at = whole[0]
    return at - 1 if at and _is_short_title(run[at - 1]) else at


def _is_motto(run: Sequence[str], at: int, following: int) -> bool:
    """Return whether a line above another is the site's: a slogan that ends like a sentence, or a quotation
    above its name."""
    block = run[at]
    is_slogan = (
        at == 1 and len(run[0].split()) < _FEWEST and block.endswith(".") and looks_like_title(run[following])
    )
    return is_slogan or (block[0] in '"“„«' and block[-1] in '"”“»' and following > at + 1)


def _is_telling(block: str) -> bool:
    """Return whether a line could be a headline: long enough, and not just names."""
    words = block.split()
    return len(words) >= 7 or (len(words) >= 5 and sum(word[0].islower() for word in words) >= 2)


def _is_short_title(block: str) -> bool:
    """Return whether three words are a title, unlike the name of a section."""
    words = block.split()
    return (
        len(words) == 3
        and any(w[0].islower() and len(w) > 3 for w in words[1:])
        and not _JOINED.search(block)
    )


def _byline(head: Sequence[str], body: list[str]) -> tuple[str | None, datetime | None, list[str]]:
    """Collect the bylines above the story, and those between its first two paragraphs."""
    author: str | None = None
    published_at: datetime | None = None
    kept = [block for n, block in enumerate(body) if n > 2 or not read_byline(block)] or body
    for block in (*head, *(block for block in body[:3] if read_byline(block))):
        if (found := read_byline(block)) is not None:
            author, published_at = author or found[0], published_at or found[1]
    return author, published_at, kept


def _dateline(body: list[str]) -> tuple[tuple[str | None, str | None], list[str]]:
    """Remove the dateline from the paragraph that it opens: the first, or the one below a standfirst."""
    for n, block in enumerate(body[:2]):
        read = read_dateline(block)
        if read.rest != block:
            return (read.place, read.agency), [*body[:n], read.rest, *body[n + 1 :]]
    return (None, None), body


def _html(body: Sequence[str]) -> str:
    parts = []
    for is_list, group in groupby(body, is_item):
        items = list(group)
        if is_list and len(items) > 1:
            inner = "".join(f"<li>{escaped(without_mark(item))}</li>" for item in items)
            parts.append(f"<ul>{inner}</ul>")
        else:
            parts.append(paragraphs(items))
    return "".join(parts)
