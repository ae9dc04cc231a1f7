"""Shorten and measure prose: where a sentence ends, and how many words there are."""

import re
import unicodedata

_END = re.compile(
    r"[.!?\u2026\u0589\u0964\u061f\u06d4\u203d\u1362][\"\u201d\u2019\u00bb)\]]*(?=\s|$)|[\u3002\uff01\uff1f\uff0e][\u201d\u300d\u300f\uff09]*"
)
_BEFORE = re.compile(r"(?:^|[\s(\[\"“‘«'’-])([^\s(\[\"“‘«-]+)\.$")
# Abbreviations whose full stop ends no sentence, in the languages of the world's papers.
_SHORT_TEXT = """
    mr mrs ms dr prof st rev gen col lt sgt capt cpt cmdr adm maj sen rep gov pres hon jr sr messrs mme
    mlle mgr vs v etc e.g i.e cf al approx dept est fig inc ltd co corp no nos vol pp p ed eds jan feb
    mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun u.s u.k u.n e.u d.c a.m p.m
    ph.d ave blvd rd mt ft calif fla mass conn ariz colo ill ind kan ky mich minn miss mo mont neb nev
    okla ore pa tenn tex va vt wash wis wyo bzw ca d.h dipl evtl ggf hr fr frl inkl nr s str u.a usw vgl
    z.b zb abs art aufl bd z.t av m mm mlles sté cie env ex janv févr avr juil déc sra srta dra lic ing
    avda pág núm ee.uu sig sigg dott dott.ssa avv ecc geb dhr mevr mw drs enz bijv nl jl г гг ул пр тыс
    млн млрд руб им т.е т.д т.п др см стр проф акад обл р-н вв doç vb örn yrd
"""
_SHORT = frozenset(_SHORT_TEXT.split())
_CLAUSE = ",;:–—-( "
_UNSPACED = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\U00020000-\U0003ffff]"
)


def first_sentence(text: str, limit: int) -> str:
    """Return the first sentence if it is within the limit, else the beginning up to the end of a word."""
    line = " ".join(text.split())
    end = next((end for end in _sentence_ends(line[: limit + 80]) if end >= 12), len(line))
    if end <= limit:
        return line[:end].rstrip(".։。")
    return _cut_at_word(line[:end], limit)


def summarise(text: str, limit: int = 280) -> str:
    """Return the text's beginning, up to the end of a sentence if one is near, else of a word."""
    line = _beginning(text, limit + 101)
    if len(line) <= limit:
        return line
    end = max((end for end in _sentence_ends(line[: limit + 100]) if end <= limit), default=0)
    return line[:end] if end >= limit // 3 else _cut_at_word(line, limit)


def _beginning(text: str, length: int) -> str:
    """Return a text as one line; of a long one, at least as much as is needed."""
    line = " ".join(text[: 4 * length].split())
    return line if len(line) > length else " ".join(text.split())


def word_count(text: str) -> int:
    """Count words; in scripts without spaces two characters count as one word."""
    unspaced = len(_UNSPACED.findall(text))
    return len(_UNSPACED.sub(" ", text).split()) + (unspaced + 1) // 2


def _sentence_ends(line: str) -> list[int]:
    return [match.end() for match in _END.finditer(line) if _is_end(line, match)]


def _is_end(line: str, match: re.Match[str]) -> bool:
    mark = line[match.start()]
    after = line[match.end() :].lstrip()
    if mark == "…" or line[: match.start() + 1].endswith(".."):
        return not after or not after[0].islower()
    if mark != ".":
        return not after or not after[0].islower()
    before = _BEFORE.search(line[max(0, match.start() - 24) : match.start() + 1])
    word = before[1].casefold() if before else ""
    is_initial = len(word) == 1 and word.isalpha()
    is_number = word.isdigit() and bool(after) and (after[0].islower() or len(word) <= 2)
    if word in _SHORT or is_initial or is_number or re.fullmatch(r"(?:[^\W\d_]\.)+[^\W\d_]", word):
        return not after
    return not after or not after[0].islower()


def _cut_at_word(line: str, limit: int) -> str:
    """Cut at the last space within the limit; without one, between user-perceived characters."""
    room = line[: limit - 1]
    at = room.rfind(" ") if len(line) > len(room) and line[len(room)] != " " else len(room)
    if at < limit // 3:
        at = len(room)
        while 0 < at < len(line) and _joins(line[at - 1], line[at]):
            at -= 1
    return f"{line[:at].rstrip(_CLAUSE)}…"


def _joins(before: str, char: str) -> bool:
    """Return whether a character belongs to the previous one (close to UAX 29, GB9 to GB13)."""
    return (
        unicodedata.combining(char) != 0
        or unicodedata.category(char) in ("Mn", "Me", "Mc", "Cf")
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or before == "\u200d"
        or ("\U0001f1e6" <= char <= "\U0001f1ff" and "\U0001f1e6" <= before <= "\U0001f1ff")
    )
