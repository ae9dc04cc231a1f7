"""Find the story among the blocks of a saved page, without the site's text before, inside and after it."""

# ruff: noqa: E501 - a pattern's languages stand in one line

import re
from collections.abc import Sequence
from typing import NamedTuple

from digest.articles.plaintext.blocks import is_item
from digest.articles.plaintext.boilerplate import ALONE, APPEALS, ASKS, CONSENT, ENDS, PROMISES, RELATED
from digest.articles.plaintext.byline import read_byline
from digest.articles.plaintext.dateline import read_dateline

_LONGEST_LABEL = 320
_LONGEST_TITLE = 220
_HEAD = 14
_LONG_HEAD = 40
_STOPS = re.compile(r"[.!?…։。！？؟۔।:;]['\"’”»›)\]]*$")
_CUT = re.compile(
    r"(?:\S(?:…|\.{3}| ?\[(?:…|\.{3})\])|\[(?:…|\.{3})\]|(?:…|\.{3}) ?(?:read more|continue reading|more|weiterlesen|lire la suite|leer más|leggi tutto|leia mais|lees verder|читать далее|devamı)\W*)$",
    re.I,
)
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f\uac00-\ud7af]")
_CRUMBS = re.compile(r"[^|>»›/•·\n]{1,60}(?:\s*(?:[>»›|]|\s[/•·]\s)\s*[^|>»›/•·\n]{1,160}){1,8}")
_INVITES = re.compile(
    r"(?=.*(?:\S@\S|\b\d{3}[ .-]\d{4}\b|https?://|www\.))(?:contact|e-?mail|reach|write to|send|follow|call|do you have|have (?:a|an)|got a|"
    r"kontakt|contactez|écrivez|contacte|escriba|scrivi|envie|mail|напишите|пишите)\b",
    re.I | re.S,
)
_QUOTED_END = re.compile(r"[^.!?…,][\"”»’']$")


class StoryBlocks(NamedTuple):
    """The blocks before the first paragraph that are not the site's, and the story's own."""

    head: list[str]
    body: list[str]


def find_story(blocks: Sequence[str]) -> StoryBlocks:
    """Split the story's blocks from the site's; if no block reads like prose, all are kept."""
    first = _first_prose(blocks)
    if first is None:
        kept = [block for block in _until_end(blocks) if not is_label(block)]
        if not any(_size(block) >= 4 or stops(block) for block in kept):
            return StoryBlocks([], [])
        return StoryBlocks(kept[:1] if len(kept) > 1 else [], kept[1:] if len(kept) > 1 else kept)
    body = _without_boxes(blocks[first:])
    return StoryBlocks(list(blocks[:first]), without_trailer(body))


def is_label(block: str) -> bool:
    """Return whether a block is the site's, wherever it is."""
    label = _bare(block)
    return not label or (
        len(label) <= _LONGEST_LABEL and any(words.fullmatch(label) for words in (ALONE, ASKS, ENDS, RELATED))
    )


def is_prose(block: str) -> bool:
    """Return whether a block reads like a paragraph of a story: made of whole sentences."""
    return (
        not is_cut(block)
        and ((_size(block) >= 8 and stops(block)) or _size(block) >= 30)
        and not (len(block) <= _LONGEST_LABEL and is_label(block))
    )


def is_cut(block: str) -> bool:
    """Return whether a block breaks off, like a teaser in a list of articles."""
    return _CUT.search(block) is not None


def stops(block: str) -> bool:
    """Return whether a block ends like a sentence."""
    return _STOPS.search(block) is not None


def is_crumbs(block: str) -> bool:
    """Return whether a block is a path through the site, such as `Home > World > Europe`."""
    return _CRUMBS.fullmatch(block) is not None and not stops(block)


def _size(block: str) -> int:
    """Count words; in scripts without spaces two characters count as one."""
    unspaced = len(_UNSPACED.findall(block))
    return len(block.split()) + unspaced // 2


def _bare(block: str) -> str:
    return block.strip(' .:!*#_=-–—>»›→▶►|•·[]"“”').strip()


def _first_prose(blocks: Sequence[str]) -> int | None:
    """Find where the story begins: at its dateline, or at its first paragraph and short sentences before
    it."""
    found = next((n for n, block in enumerate(blocks) if _begins(block) and not _is_above(blocks, n)), None)
    if found is None:
        return next(
            (
                n
                for n, block in enumerate(blocks)
                if n and stops(block) and _size(block) >= 3 and not is_label(block)
            ),
            None,
        )
    found = _below_byline(blocks, found)
    while found and _is_short_sentence(blocks[found - 1]) and not _is_headline_with_stop(blocks, found - 1):
        found -= 1
    return found


def _below_byline(blocks: Sequence[str], found: int) -> int:
    """Return where the story begins if its supposed beginning is above its byline.

    Above the byline there may be a standfirst or a caption and, if there was no headline yet, the site's
    slogan or its search box: a headline directly above a byline shows where the story begins.
    """
    if read_dateline(blocks[found]).rest != blocks[found]:
        return found
    has_title = any(map(looks_like_title, blocks[:found]))
    last, prose = None, 0
    for at in range(found, min(len(blocks), found + (_HEAD if has_title else _LONG_HEAD))):
        if _is_end(blocks[at]) or RELATED.fullmatch(_bare(blocks[at])):
            break
        prose += is_prose(blocks[at])
        if read_byline(blocks[at]) and prose <= 3 and (has_title or _is_headed(blocks, at, found)):
            last = at
            if not has_title:
                break
    if last is None:
        return found
    after = [at for at in range(last + 1, len(blocks)) if is_prose(blocks[at])]
    return after[0] if len(after) > (1 if has_title else max(1, prose - 1)) else found


def _is_headed(blocks: Sequence[str], byline: int, found: int) -> bool:
    """Return whether a headline is directly above a byline, with at most one block between them."""
    above = [block for block in blocks[max(found, byline - 2) : byline] if looks_like_title(block)]
    return any(len(block.split()) >= 3 for block in above)


def _is_above(blocks: Sequence[str], at: int) -> bool:
    """Return whether prose is not part of the story yet: a headline that is a question, or a request for
    consent."""
    marks = {match[0].casefold() for match in CONSENT.finditer(blocks[at])}
    is_consent = len(marks) > 1 or (marks and at > 0 and CONSENT.search(blocks[at - 1]) is not None)
    return bool(is_consent) or _is_headline_with_stop(blocks, at)


def _begins(block: str) -> bool:
    if PROMISES.search(block) and _size(block) < 40:
        return False
    return is_prose(block) or (read_dateline(block).rest != block and not is_cut(block))


def _is_short_sentence(block: str) -> bool:
    return (
        re.search(r"[.!?։。！？؟۔।]['\"’”»›)\]]*$", block) is not None
        and _size(block) >= 2
        and not is_label(block)
        and not read_byline(block)
    )


def _is_headline_with_stop(blocks: Sequence[str], at: int) -> bool:
    """Return whether a block that ends like a sentence is the title: a question, a call or a quotation at
    the top."""
    block = blocks[at]
    if at + 1 >= len(blocks) or len(block) > _LONGEST_TITLE or block.endswith("."):
        return False
    after = blocks[at + 1]
    is_topmost = not any(looks_like_title(other) for other in blocks[:at])
    return is_topmost and (read_byline(after) is not None or read_dateline(after).rest != after)


def looks_like_title(block: str) -> bool:
    """Return whether a block has the form of a title."""
    if len(block) > _LONGEST_TITLE or is_label(block) or is_item(block) or is_cut(block) or is_crumbs(block):
        return False
    if not any(map(str.isalpha, block)) or read_byline(block):
        return False
    return not stops(block) or bool(_QUOTED_END.search(block)) or block.endswith(("?", "!"))


def _until_end(blocks: Sequence[str]) -> Sequence[str]:
    return blocks[: next((n for n, block in enumerate(blocks) if n and _is_end(block)), len(blocks))]


def _is_end(block: str) -> bool:
    label = _bare(block)
    return len(label) <= _LONGEST_LABEL and ENDS.fullmatch(label) is not None


def _without_boxes(blocks: Sequence[str]) -> list[str]:
    """Remove the site's boxes, and everything after the words that no story continues after."""
    kept: list[str] = []
    at = 0
    while at < len(blocks):
        block, label = blocks[at], _bare(blocks[at])
        if len(label) > _LONGEST_LABEL:
            kept.append(block)
        elif ENDS.fullmatch(label):
            if not _is_counter(blocks, at, kept):
                break
        elif not label or ALONE.fullmatch(label) or (APPEALS.search(block) and len(kept) > 1):
            pass
        elif RELATED.fullmatch(label) or ASKS.fullmatch(label):
            resumed = _resumed(blocks, at + 1, is_list=RELATED.fullmatch(label) is not None)
            if resumed is None:
                break
            at = resumed
            continue
        else:
            kept.append(block)
        at += 1
    return kept


def _is_counter(blocks: Sequence[str], at: int, kept: Sequence[str]) -> bool:
    """Return whether "12 comments" is above the story and not below it."""
    following = blocks[at + 1 : at + 6]
    return (
        sum(map(is_prose, kept)) <= 1
        and sum(map(is_prose, following)) >= 3
        and not any(
            re.search(
                r"\b(?:reply|says|said on|at \d{1,2}:\d\d(?: ?[ap]\.?m)?|antworten|répondre|responder|ответить)\b\W*$",
                block,
                re.I,
            )
            for block in following
        )
    )


def _resumed(blocks: Sequence[str], start: int, *, is_list: bool) -> int | None:
    """Find where the story continues after a box; None if it does not.

    Two whole paragraphs in a row are a story again; after a box that asks for something so is one, if it
    mentions neither the newsletter nor its terms.
    """
    for at in range(start, len(blocks)):
        if _is_end(blocks[at]):
            return None
        if not is_prose(blocks[at]) or _is_promise(blocks[at]):
            if not is_list and at > start and _is_last_sentence(blocks, at):
                return at
            if (
                not is_list
                and _is_short_sentence(blocks[at])
                and at + 1 < len(blocks)
                and is_prose(blocks[at + 1])
                and not _is_promise(blocks[at])
                and at > start
            ):
                return at
            continue
        following = next((block for block in blocks[at + 1 : at + 4] if not is_label(block)), "")
        is_pair = is_prose(following) and not _is_promise(following)
        if is_pair and not (is_list and _is_teaser(blocks, at)):
            return at
        if not is_list and not _is_teaser(blocks, at):
            return at
    return None


def _is_last_sentence(blocks: Sequence[str], at: int) -> bool:
    """Return whether a short sentence below a box is the story's end: after a button, before the site's
    own text."""
    block = blocks[at]
    is_closed = at + 1 == len(blocks) or is_label(blocks[at + 1])
    return (
        is_closed
        and _size(block) >= 6
        and _is_short_sentence(block)
        and is_label(blocks[at - 1])
        and not _is_promise(block)
    )


def _is_teaser(blocks: Sequence[str], at: int) -> bool:
    """Return whether a paragraph and the next but one are below titles, as in a list of articles."""
    return at > 0 and looks_like_title(blocks[at - 1]) and any(is_cut(block) for block in blocks[at : at + 4])


def _is_promise(block: str) -> bool:
    return PROMISES.search(block) is not None and _size(block) < 60


def without_trailer(blocks: list[str]) -> list[str]:
    """Remove what follows the last paragraph: titles, cut texts, names of topics, notices."""
    end = len(blocks)
    while end > 1 and _trails(blocks, end - 1):
        end -= 1
    return blocks[:end]


def _trails(blocks: Sequence[str], at: int) -> bool:
    block = blocks[at]
    if is_cut(block):
        return looks_like_title(blocks[at - 1]) or is_cut(blocks[at - 1])
    if _is_promise(block) and _size(block) < 30:
        return True
    if (_INVITES.match(block) and _size(block) < 40) or read_byline(block):
        return True
    if is_item(block):
        return not stops(block) and _size(block) < 8 and not _belongs_to_list(blocks, at)
    is_said = re.search(r"[.!?,…][\"”»’] |[.!?] [^a-z]", block) is not None
    return not stops(block) and not is_said and _size(block) < 18 and not block.endswith(("”", '"', "»", ")"))


def _belongs_to_list(blocks: Sequence[str], at: int) -> bool:
    while at and is_item(blocks[at]):
        at -= 1
    return blocks[at].endswith(":") or stops(blocks[at])
