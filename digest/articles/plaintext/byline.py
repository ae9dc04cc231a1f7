"""Parse the author and date at the head of a saved page."""

# ruff: noqa: E501 - a pattern's languages stand in one line

import re
from datetime import datetime, timedelta

from digest.articles.text.dates import parse_feed_date

_BY = re.compile(
    r"(?:(?:story|written|posted|published|reported|words|text) )?(?:by|von|par|por|di|door|av|af|автор(?:ы)?|текст|հեղինակ|yazar|yazan|بقلم|كتب)"
    r"(?:\s*[:՝]\s*|\s+)(?P<name>\S.{1,90})",
    re.I,
)
_NAME = re.compile(
    r"[^\W\d_][\w.'’ʼ-]*(?: (?:and|und|et|y|e|en|и|և|&|de|da|del|della|van|von|der|den|di|du|le|la|el|al|bin|ibn|[^\W\d_][\w.'’ʼ-]*),?){0,7}"
)
_LABEL = re.compile(
    r"^(?:(?:first |last |originally )?(?:published|updated|posted|modified|created|date|released)(?: (?:on|at))?|on|veröffentlicht(?: am)?|aktualisiert(?: am)?|stand|vom|erschienen am|"
    r"publié(?:e)?(?: le)?|mis à jour(?: le)?|le|publicado(?: el| em)?|actualizado(?: el)?|atualizado(?: em)?|pubblicato(?: il)?|"
    r"aggiornato(?: il)?|gepubliceerd(?: op)?|bijgewerkt(?: op)?|опубликовано|обновлено|дата|հրապարակվել է|yayınlanma(?: tarihi)?|güncelleme|"
    r"تاريخ النشر|نشر في)\b\s*[:՝|]?\s*",
    re.I,
)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_FULL_NAME = re.compile(
    r"(?:[^\W\d_a-z][\w.'’-]*)(?: (?:de|da|del|van|von|der|den|di|du|le|la|bin|al|[^\W\d_a-z][\w.'’-]*)){1,4}"
)
_POST = re.compile(
    r"\b(?:reporter|editor|correspondent|journalist|writer|columnist|author|contributor|producer|photographer|covers?|covered|"
    r"writes|professor|fellow|journaliste|rédact\w+|correspondant\w*|redakteur\w*|korrespondent\w*|autorin?|periodista|redactor\w*|"
    r"corresponsal|giornalista|jornalista|redacteur|журналист\w*|корреспондент\w*|редактор\w*|gazeteci|muhabir\w*)\b",
    re.I,
)
_WITH_POST = re.compile(
    rf"(?P<name>{_FULL_NAME.pattern}),? (?:[\w&-]+ ){{0,3}}(?i:staff writer|(?:staff |senior |chief )?(?:reporter|correspondent|editor|writer|journalist|columnist)|redakteur(?:in)?|rédact\w+|journaliste|redactora?|corresponsal|giornalista|repórter|redacteur|verslaggever|журналист|корреспондент)"
)
_ZONES = {
    "utc": 0, "gmt": 0, "z": 0, "bst": 1, "cet": 1, "cest": 2, "mez": 1, "mesz": 2, "eet": 2, "eest": 3, "msk": 3,
    "amt": 4, "ist": 5.5, "jst": 9, "est": -5, "edt": -4, "et": -5, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6,
    "pst": -8, "pdt": -7,
}  # fmt: skip
_ZONE = re.compile(r"\s*\(?\b(" + "|".join(_ZONES) + r")\b\)?\.?$", re.I)
_PARTS = re.compile(r"\s+[|•·–—/-]\s+|\s{2,}|\s*\|\s*")
_DATED = re.compile(r"(.{5,40}?\d)(?:,)? (by .+)", re.I)
_LONGEST = 160
_LONGEST_DATE = 60
_LONGEST_NAME = 80


def read_byline(block: str) -> tuple[str | None, datetime | None] | None:
    """Return author and time if a whole block is a byline, a date, or both; None for any other block."""
    if len(block) > _LONGEST:
        return None
    author: str | None = None
    published_at: datetime | None = None
    parts = _parts(block)
    for number, part in enumerate(parts):
        name, moment = read_author(part) or _named_with_post(part), read_date(part)
        is_name = number == 0 and len(parts) > 1 and _FULL_NAME.fullmatch(part) is not None
        if (
            name is None
            and moment is None
            and not is_name
            and not _is_aside(part)
            and len(part) > len(block) // 3
        ):
            return None
        author, published_at = author or name, published_at or moment
    if published_at and not author and len(parts) > 1 and _FULL_NAME.fullmatch(parts[0]):
        author = _in_case(parts[0])
    return (author, published_at) if author or published_at else None


def read_author(text: str) -> str | None:
    """Return the name in `By NAME`, without the paper or job title after it."""
    match = _BY.fullmatch(re.sub(r"\s*\([^()]{2,60}\)$", "", text))
    if match is None:
        return None
    name = re.split(r", | (?:for|in|of|at) (?=[A-Z])", match["name"], maxsplit=1)[0].strip(" ,.")
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name) or not _is_cased(name):
        return None
    return _in_case(name)


def _in_case(name: str) -> str:
    return name.title() if name.isupper() and len(name) > 4 else name


def _named_with_post(text: str) -> str | None:
    """Return the name in `NAME, Staff Writer`, without `By` before it."""
    match = _WITH_POST.fullmatch(text)
    return _in_case(match["name"]) if match else None


def read_date(text: str) -> datetime | None:
    """Return the time that is all of a text; a year is required."""
    bare = _LABEL.sub("", text.strip(" .()"))
    if len(bare) > _LONGEST_DATE or not _YEAR.search(bare) or len(re.findall(r"[^\W\d_]{2,}", bare)) > 6:
        return None
    zone = _ZONE.search(bare)
    read = parse_feed_date(bare[: zone.start()] if zone else bare)
    return read - timedelta(hours=_ZONES[zone[1].lower()]) if read and zone else read


def _parts(block: str) -> list[str]:
    if match := _DATED.fullmatch(block):
        return [match[1], match[2]]
    parts = [part for part in _PARTS.split(block) if part.strip()]
    if len(parts) > 1:
        return parts
    # "By Ann Quay, Nov. 17, 2020" and "By Ann Quay on 17 November 2020"
    match = re.match(r"(.{5,80}?)(?:,| on| le| am| el| il| -) (?=.{0,12}\d)(.+)$", block)
    if match is None or not read_date(match[2]) or (read_date(block) and not read_author(match[1])):
        return parts
    return [match[1], match[2]]


def _is_aside(part: str) -> bool:
    """Return whether a part beside a name or date means nothing by itself: a job title, a reading time, a
    clock."""
    return (
        len(part) < 40
        and re.search(
            r"\b(?:min\w*|read|writer|editor|staff|reporter|correspondent|\d{1,2}:\d\d)\b", part, re.I
        )
        is not None
    )


def _is_cased(name: str) -> bool:
    """Return whether each word of a name, particles aside, is capitalised as names are."""
    words = [word for word in re.split(r"[ ,]+", name) if len(word) > 3 or word[:1].isupper()]
    return bool(words) and all(not word[0].islower() for word in words)


_SOMEONE = re.compile(
    r"[A-ZÀ-ÞА-ЯЁ][\w'’-]+(?: [A-ZÀ-ÞА-ЯЁ][\w.'’-]*){1,3},? (?:is|was|has|covers|writes|est|ist|es|è|é|—|–) "
)


def is_about_author(block: str, author: str | None) -> bool:
    """Return whether a block below a story is its author's name, or describes the author."""
    name = (author or "").casefold()
    if name and (
        block.casefold().strip(" .:") == name
        or (block.casefold().startswith(name) and len(block) < len(name) + 60 and block[-1] not in ".!?")
    ):
        return True
    if len(block) > 600 or not _POST.search(block):
        return False
    return _SOMEONE.match(block) is not None or bool(
        author and block.casefold().startswith(author.casefold())
    )
