"""Parse the dateline that opens a news story: where it was written, and by which agency."""

# ruff: noqa: E501 - a pattern's languages stand in one line

import re
from typing import NamedTuple

_PART = r"(?:[^\W\d_][\w.'’ʼ-]*)"
_PLACE = rf"{_PART}(?: {_PART}){{0,4}}(?: ?/ ?{_PART}(?: {_PART}){{0,2}}){{0,2}}"
_REGION = rf"(?:, (?!\d){_PART}(?: {_PART}){{0,2}})?"
_MONTH = r"[^\W\d_]{3,10}\.?"
_DATE = rf"(?:,? (?:{_MONTH} \d{{1,2}}|\d{{1,2}}\.? {_MONTH})(?:,? (?:19|20)\d\d)?[.,]?)?"
_DASH = r"(?:\.?[—–―]|\.?\s*-{2,3}|\s[—–―-]|\.-(?=\s))"
_AGENCY = r"[^()/\n]{2,40}"
_FULL = re.compile(
    rf"(?P<place>{_PLACE}{_REGION}?)(?P<date>{_DATE})"
    rf"(?:\s+\((?P<agency>{_AGENCY})\)|\s+/(?P<slashed>{_AGENCY})/)?\s*{_DASH}\s*"
)
_STOPPED = re.compile(
    rf"(?P<place>{_PLACE}{_REGION}?)(?P<date>{_DATE})\s+/(?P<agency>{_AGENCY})/\.?\s*[-—–]?\s*"
)
_BARE = re.compile(
    rf"\((?P<agency>{_AGENCY})\)\s*{_DASH}\s*(?:(?P<place>[^\W\d_a-z][^\W\d_a-z]+(?: [^\W\d_a-z]+){{0,2}}){_DATE}\s*{_DASH}\s*)?"
)
_NAMED = re.compile(
    rf"(?P<place>{_PLACE}{_REGION}?)(?P<date>{_DATE})(?:\s*{_DASH}|(?<=,)|,)\s*(?P<agency>[А-ЯЁ]\w+ [А-ЯЁ]\w+|[A-Z]{{3,12}}|[Ա-Ֆ]{{3,12}})\.\s+"
)
_COLON = re.compile(rf"(?P<place>{_PLACE}{_REGION}?):\s+")
_PARTICLES_TEXT = """
    al am am, an and auf aux da das de del della den der des di do dos du e el et i in la las le les lès
    lo los na nad of on op over sous sur the upon und van y
"""
_PARTICLES = frozenset(_PARTICLES_TEXT.split())
_AGENCIES_TEXT = """
    aa aap adnkronos afp ansa anp ap apa apn armenpress belga bloomberg cna cns cnn cp ctk dpa dw efe
    europa-press fana interfax irna itar-tass jta kna kyodo lusa mena ntb pa panorama pap pti reuters
    rfe/rl riaa ria rna sda spa tass tanjug tt tvnz upi vna voa wam xinhua yonhap тасс интерфакс риа
    прайм
"""
_AGENCIES = frozenset(_AGENCIES_TEXT.split())
# What is written in capitals before a dash or colon and is no place.
_NO_PLACES_TEXT = """
    advertisement advisory alert analysis answer breaking by caption clarification column comment
    correction editorial exclusive explained explainer fact factbox feature file flash from how image
    important interview just-in live more news newsletter note notice obituary official opinion photo
    photos picture podcast poll preview profile question quiz read recap related report reportage review
    special sponsored story summary survey timeline tip tips top transcript update updated updates
    urgent video views warning watch what when where who why wrap nasa nato unesco unicef covid covid-19
    aids brics opec fifa uefa eu un us u.s u.n u.k e.u uk usa imf срочно видео фото интервью eilmeldung
    exklusiv kommentar analyse vidéo exclusif urgence opinión análisis vídeo exclusivo esclusiva
"""
_NO_PLACES = frozenset(_NO_PLACES_TEXT.split())
_CITIES_TEXT = """
    abuja, accra, ankara, amsterdam, ashgabat, astana, athens, athen, baghdad, baku, bangkok, barcelona,
    beijing, beirut, belgrade, berlin, bern, bogota, bogotá, boston, bratislava, brussels, bruxelles,
    brüssel, brasília, bucharest, budapest, cairo, canberra, caracas, chicago, chisinau, copenhagen,
    dakar, damascus, delhi, dhaka, doha, dubai, dublin, edinburgh, frankfurt, genf, geneva, genève,
    hamburg, hanoi, havana, helsinki, istanbul, islamabad, jakarta, jerusalem, johannesburg, kabul,
    kiev, kyiv, lagos, lahore, leipzig, lima, lisbon, lisboa, ljubljana, london, londres, luxembourg,
    luxemburg, lviv, lyon, madrid, manila, marseille, melbourne, milan, milano, minsk, montreal,
    montréal, moscow, moskau, moscou, mumbai, munich, münchen, nairobi, oslo, ottawa, paris, pekin,
    peking, pretoria, prague, prag, pristina, quito, reykjavik, riga, rio, rom, roma, rome, sarajevo,
    seoul, shanghai, singapore, skopje, sofia, stepanakert, stockholm, strasbourg, straßburg, sydney,
    taipei, tallinn, tashkent, tbilisi, tehran, tiflis, tirana, tokyo, toronto, tripoli, tunis, vienna,
    vienne, vilnius, warsaw, warschau, washington, wien, yerevan, zagreb, zürich, zurich, москва, киев,
    минск, ереван, баку, тбилиси, лондон, париж, берлин, вашингтон, new york, new delhi, hong kong, los
    angeles, san francisco, tel aviv, st. petersburg, st petersburg, mexico city, buenos aires, rio de
    janeiro, são paulo, sao paulo, cape town, the hague, den haag, addis ababa, kuala lumpur,
    санкт-петербург, abu dhabi
"""
_CITIES = frozenset(name.strip() for name in _CITIES_TEXT.split(","))
_LONGEST = 110


class Dateline(NamedTuple):
    """Where a story was written, by which agency, and the text that follows."""

    place: str | None
    agency: str | None
    rest: str


def read_dateline(block: str) -> Dateline:
    """Split a paragraph from its dateline; a sentence that merely contains a dash has none.

    The text after it must open like a sentence. The place is in capitals, or next to an agency, or a city of
    the world: that is what newspapers' style books have in common.
    """
    head = block[:_LONGEST]
    for form, is_place in (
        (_NAMED, _is_plain_place), (_FULL, _is_place), (_STOPPED, _is_named_place), (_BARE, _is_agency_alone),
        (_COLON, _is_capital_place),
    ):  # fmt: skip
        match = form.match(head)
        if match and _opens(block[match.end() :]) and is_place(match):
            parts = match.groupdict()
            place = parts["place"]
            return Dateline(_tidy(place), parts.get("agency") or parts.get("slashed"), block[match.end() :])
    return Dateline(None, None, block)


def _tidy(place: str | None) -> str | None:
    if not place:
        return None
    return place.strip(" ,")


def _opens(rest: str) -> bool:
    """Return whether a text opens like a sentence: with a capital, a digit, a quotation or an uncased
    letter."""
    first = rest.lstrip("\"'“‘«„(¿¡[…")[:1]
    return bool(first) and (first.isdigit() or first in "$€£¥#@" or (first.isalpha() and not first.islower()))


def _is_place(match: re.Match[str]) -> bool:
    agency = match["agency"] or match["slashed"]
    if agency:
        return _is_capitalised(match["place"]) and (_is_capital(match["place"]) or _is_agency(agency))
    return _is_plain_place(match)


def _is_plain_place(match: re.Match[str]) -> bool:
    town, _, region = match["place"].partition(",")
    if _is_capital(town):
        short = match.re is _FULL and len(town) < 3
        return not short and not _stands_for_something_else(town)
    return town.casefold() in _CITIES and (not region or _is_capitalised(region))


def _is_named_place(match: re.Match[str]) -> bool:
    return _is_capitalised(match["place"]) and _is_agency(match["agency"])


def _is_agency_alone(match: re.Match[str]) -> bool:
    return _is_agency(match["agency"])


def _is_capital_place(match: re.Match[str]) -> bool:
    """Accept `NEW DELHI: ` as a place, as papers of South Asia write it; other capitals with a colon are
    labels."""
    town = match["place"].partition(",")[0]
    return len(town) > 3 and town.casefold() in _CITIES and _is_capital(town)


def _is_capital(place: str) -> bool:
    town = place.partition(",")[0]
    words = [re.sub(r"^Ma?c(?=[A-Z])", "", word) for word in re.split(r"[ /]", town) if word]
    return all(word.isupper() or word in _PARTICLES for word in words if any(map(str.isalpha, word))) and any(
        word.isupper() for word in words
    )


def _is_capitalised(place: str) -> bool:
    words = [word for word in re.split(r"[ ,/]+", place) if word]
    return (
        bool(words)
        and all(not word[0].islower() or word in _PARTICLES for word in words)
        and (words[0].casefold().strip(".") not in _NO_PLACES)
    )


def _is_agency(name: str) -> bool:
    known = re.split(r"[ ,/]+", name.casefold())
    if any(word.strip(".") in _NO_PLACES for word in known):
        return False
    return (
        any(word.strip(".") in _AGENCIES for word in known)
        or re.fullmatch(r"[A-ZА-ЯԱ-Ֆ-]{2,12}", name) is not None
    )


def _stands_for_something_else(town: str) -> bool:
    words = re.split(r"[ /]+", town.casefold())
    return any(word.strip(".'’") in _NO_PLACES for word in words)
