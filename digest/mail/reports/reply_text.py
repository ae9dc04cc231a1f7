"""Separate a writer's own words from quoted text and the signature.

Mail clients mark quoted text in three ways: by ">" before each line, by an attribution line ("On 23 November
Anna wrote:"), or by a block of header fields. The last two are in the writer's language; reply_words.py
has every language of our own messages and the most used others.
"""

import re
from dataclasses import dataclass

from digest.mail.reports.reply_words import FIELDS, WROTE, any_of

_MOST_LINES = 5_000
_WIDEST = 2_000
_ATTRIBUTION_LINES = 5

_WROTE = any_of(WROTE)
_STARTS = (
    r"on|at|am|le|dne|v|na|на|у|στις|pada|missatge|wiadomość|kuupäev|\*|el|il(?: giorno)?|op|em|dnia|w dniu|den|d\.|på|kl\.?|il|dne|dana|la data|fecha|в|от|στις|ב|في|בתאריך|"
    r"tarihinde|a las|il|vào|trên|\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{1,2} \w+ \d{4}"
    r"|mon|tue|wed|thu|fri|sat|sun|lun|mar|mer|jeu|ven|sam|dim|mo|di|mi|do|fr|sa|so|pon|wt|śr|czw|pt|sob|niedz"
    r"|mån|tis|ons|tors|fre|lör|sön|من|من:"
)
_DATED = rf"^\W{{0,6}}(?:{_STARTS})(?=[\s,.\d/-]).{{0,400}}?(?:\b(?:{_WROTE})\b|{_WROTE}).{{0,120}}[:：՝․]\W{{0,4}}$"
_ATTRIBUTION = re.compile(
    rf"{_DATED}|^\W{{0,4}}(?:{_STARTS})(?=[\s,.\d/-]).{{6,200}}<\s*(?:mailto:)?[^<>@\s]+@[^<>\s]+>+\s?(?:{_WROTE})?.{{0,40}}[:：՝․]\W{{0,3}}$",
    re.I,
)
_LINE_ATTRIBUTION = re.compile(
    rf"^.{{0,200}}<[^<>@\s]+@[^<>\s]+>\s?(?:{_WROTE})\s?.{{0,60}}[:：՝․]\W{{0,3}}$"
    rf"|^\W{{0,4}}.{{2,120}}?(?:\d{{1,2}}[:.]\d\d|\d{{4}}).{{0,160}}(?:{_WROTE})\s?[:：՝․]\W{{0,3}}$"
    rf"|^\S.{{2,80}}?\b(?:{_WROTE})(?:\b.{{0,40}}\d{{1,4}}.{{0,60}})?[:：՝․]$"
    rf"|^-{{3,}} ?.{{2,60}} (?:{_WROTE}) ?-{{3,}}$"
    r"|^\W{0,4}\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}\D.{0,80}<\s*[^<>@\s]+@[^<>\s]+>$",
    re.I,
)
_DATE = re.compile(r"\b\d{4}\b|\d{1,2}[./-]\s?\d{1,2}[./-]|\d{4}[年년]|[۰-۹]{4}")
_MONTH_DAY = re.compile(r"\b\d{1,2}\.? [^\W\d_]{3,}|\b[^\W\d_]{3,}\.? \d{1,2}\b")
_TIME = re.compile(r"\d{1,2}[:.]\d\d(?!\d)|[۰-۹]{1,2}:[۰-۹]{2}")
_NAMED = re.compile(r"<\W{0,3}(?:mailto:)?[^<>@\s]{1,128}@[^<>\s]{1,255}>|\([^()@\s]{1,128}@[^()\s]{1,255}\)")
_COLON = (":", "：", ":*", "։", "՝", "․")
_HAS_DATE_OR_ADDRESS = re.compile(r"\d|@")
_INLINE_ATTRIBUTION = re.compile(
    rf"(?:(?<=\w)-+ ?| -* ?)(?:On|Am|Le|El|Il|Op|Em|Den)\s\S.{{6,160}}?(?:\d{{4}}|\d{{1,2}}:\d\d).{{0,160}}(?:{_WROTE})\s?:\s*$"
)
_LINK_END = re.compile(r"^\s{0,4}(?:[(<]?https?://\S{1,500}|\S{0,500}[=/&%)]\S{0,500})(?: ?>)?$")
_DIVIDER = re.compile(
    r"^[\s>]*[-_=*–—]{2,}\s*(?:original(?:e|bericht)?[ -]?(?:message|mail|appointment|nachricht|meddelande|melding|mensaje|mensagem)?"
    r"|ursprüngliche (?:nachricht|e?-?mail)|urspr\.? nachricht|(?:message|mail|courriel) (?:d'origine|original)|mensaje original|mensagem original"
    r"|messaggio (?:originale|inoltrato)|oorspronkelijk bericht|ursprungligt meddelande|oprindelig meddelelse"
    r"|opprinnelig melding|alkuperäinen viesti|(?:oryginalna|pierwotna) wiadomość|wiadomość (?:oryginalna|przekazana)"
    r"|исходное сообщение|пересылаемое сообщение|(?:forwarded|reply|antwort|weitergeleitete|mensaje reenviado|message transféré|vidarebefordrat"
    r"|doorgestuurd|رسالة|הודעה|원본|元のメッセージ|原始邮件|原始郵件|转发邮件|الرسالة الأصلية|بداية الرسالة|բնօրինակ)[^-]{0,60}"
    r")\s*[-_=*–—]*.{0,60}$"
    r"|^\s*(?:begin forwarded message|anfang der weitergeleiteten|début du (?:message|réexpéd)|inicio del mensaje|inizio messaggio)"
    r".{0,60}:?\s*$"
    r"|^[\s>]*-{3,}\s*(?:on|am|le|el) .{5,200}:?\s*$|^>>> .{3,200}\d[:.]\d\d.{0,10} ?>>>$"
    r"|^\s*reply above this line.*$|^\W{0,10}(?:please )?(?:reply|respond|write) above (?:this|the) line\W{0,10}$",
    re.I,
)
_FIELD = re.compile(
    rf"^[\s>]*[*_]{{0,2}}(?:{any_of(FIELDS)})[*_]{{0,2}}\s?[:：՝][*_]{{0,2}}\s{{0,12}}\S", re.I
)
_QUOTED = re.compile(r"^\s{0,3}[>|](?![\w-]*:\S)")
_DEVICE = (
    r"(?:iphon|ipad|ipod|android|blackberry|samsung|galaxy|mobile|handy|smartphone|phone|telefon|tel[ée]fono|téléphone|mobil|outlook|yahoo|aol"
    r"|windows|mail|nokia|htc|huawei|xiaomi|pixel|device|tablet|app|wireless|proton|spark|thunderbird|cellulare|m[óo]vil|celular|komórk|почт"
    r"|телефон|موبايل|هاتف|ال.{0,12}|dispositiv|puhelim|matkapuhelim)"
)
_SIGNATURE = re.compile(
    r"^\W{0,3}sent (?:from|via|using|by) (?:my |a |mobile )\S.{0,50}$|^.{0,60}\boutlook\b.{0,60}<https://aka\.ms/\w+>.{0,30}$"
    r"|^\W{0,3}sent (?:from|via|with) \w.{0,40}\( ?https?://\S+ ?\)$|^\W{0,3}(?:yahoo|aol) mail ?: ?\w+, \w+,? .{2,30}$|^\W{0,3}(?:from my|typed on my|sent by) .{0,20}"
    rf"{_DEVICE}.{{0,30}}$"
    r"|^\W{0,3}(?:sent from tutanota|(?:.{0,50} )?\b(?:avast|avg)\b(?:-antivir\S+)? .{0,40}(?:virus|viren|gepr[üu]ft)\b.{0,20})$"
    r"|^\s*(?:--|—|__+|–)\s?\s*$|^\s*[-_]{2,}\s*$|^_{5,}|^-{5,}$"
    r"|^\s*(?:sent|get|envoy[ée]|gesendet|verzonden|verstuurd|enviad[oa]|enviat|inviat[oa]|skickat|sendt|wysłan[eoa]|отправлен[оа]|lähetetty"
    r"|odeslán[oa]|odoslan[éoá]|elküldve|στάλθηκε|надіслано|изпратено|poslano|trimis|đã gửi|dikirim|ուղարկ\S+|saadetud|išsiųsta|nosūtīts"
    r"|von meinem|diese (?:e-?mail|nachricht) wurde von|télécharg\w+|obten(?:ir|ez|er)|hanki|scarica|holen sie sich|hämta|hent|pobierz|descarga\w*"
    r"|تم الإرسال|أُرسلت|نُشر|احصل|נשלח|iphoneから|発信|从我的|從我的|发自|發自|나의)"
    rf"\s?(?:\S+ ){{0,6}}?.{{0,60}}{_DEVICE}.{{0,60}}$"
    rf"|^\s*\S{{0,20}}{_DEVICE}\S{{0,20}} (?:gönderildi|gesendet|보냄)\W{{0,3}}$"
    r"|^\s*(?:发自|發自|iphoneから送信|나의 iphone|從我的).{0,40}$",
    re.I,
)
_RULE = re.compile(r"^\s*(?:-{3,}|_{3,}|—)\s*$")
_NOTICE = re.compile(
    r"confidential|privileged|intended (?:only |solely )?for|addressee|vertraulich|confidentiel|confidencial|riservat"
    r"|vertrouwelijk|konfidentiell|poufn|конфиденциальн|virus|unsubscribe",
    re.I,
)
_SENTENCE_ENDS = (".", "!", "?", "…", "։", "。")
_NOT_ATTRIBUTION = re.compile(r"^\s*(?:https?://|[-*•]\s+\w+\s*:)")
_POINTED = re.compile(r"<{2,}\s*$")
_DASH_NAME = re.compile(r"^-\s?[A-ZÀ-ÞԱ-Ֆ][\w.'-]*(?: [A-ZÀ-ÞԱ-Ֆ&][\w.'-]*){0,3}$")


@dataclass(frozen=True, slots=True)
class ReplyText:
    """A message's text in parts: the writer's own words, the quoted text, and the signature."""

    own: str
    quoted: str = ""
    signature: str = ""


def read_reply(text: str) -> ReplyText:
    """Split the text of a reply. Text between quoted passages is the writer's own."""
    lines = [line.rstrip()[:_WIDEST] for line in text.replace("\r\n", "\n").split("\n")[:_MOST_LINES]]
    own: list[str] = []
    quoted: list[str] = []
    place = 0
    while place < len(lines):
        before = _before_attribution(lines, place)
        taken = _attribution(lines, place) if before is None else 0
        if taken and _is_unmarked(lines, place, taken) and not _names_message(lines, place, taken, own):
            taken = 0
        if _begins_rest(lines, place, taken):
            quoted += lines[place:]
            break
        if (
            taken
            or _is_quoted(lines[place])
            or _DIVIDER.match(lines[place])
            or _is_link_of_quote(lines, place)
        ):
            taken = taken or 1
            quoted += lines[place : place + taken]
            place += taken
            continue
        own.append(lines[place] if before is None else before)
        if before is not None:
            quoted.append(lines[place][len(before) :])
        place += 1
    written, signature = _part_signature(own)
    return ReplyText(_tidy(written), "\n".join(quoted).strip("\n"), signature)


def _begins_rest(lines: list[str], place: int, attribution: int) -> bool:
    """Return whether all that follows is another message: below a divider, a block of fields, an unmarked
    quote."""
    if _DIVIDER.match(lines[place]):
        below = next((at for at in range(place + 1, min(place + 4, len(lines))) if lines[at].strip()), place)
        return not (below > place and _attribution(lines, below))
    if _is_field_block(lines, place):
        return True
    return bool(attribution) and _is_unmarked(lines, place, attribution)


def _is_unmarked(lines: list[str], place: int, attribution: int) -> bool:
    """Return whether text without ">" follows an attribution."""
    following = next((line for line in lines[place + attribution :] if line.strip()), "")
    return bool(following) and not _QUOTED.match(following) and not _QUOTED.match(lines[place])


def _names_message(lines: list[str], place: int, attribution: int, own: list[str]) -> bool:
    """Return whether an attribution names a message by its address, or below the writer's own words by a date
    and a time.

    Only then is text without ">" below it quoted text: "On page 3 you wrote:" is the writer's own.
    """
    words = " ".join(lines[place : place + attribution])
    dated = _DATE.search(words) or _MONTH_DAY.search(words)
    return "@" in words or bool(dated and _TIME.search(words) and any(line.strip() for line in own))


def _is_quoted(line: str) -> bool:
    """Return whether a line is quoted text, not one that points at its own words: ">>> here <<<"."""
    return bool(_QUOTED.match(line)) and not _POINTED.search(line)


def _attribution(lines: list[str], place: int) -> int:
    """Return how many lines an attribution has from here; 0 if none begins."""
    if not lines[place].strip() or len(lines[place]) > 500 or _NOT_ATTRIBUTION.match(lines[place]):
        return 0
    joined = ""
    for taken in range(1, _ATTRIBUTION_LINES + 1):
        if place + taken > len(lines):
            break
        line = lines[place + taken - 1].strip().lstrip("> ")
        if not line and taken > 1 and joined.endswith((":", "：")):
            break
        joined = f"{joined} {line}".strip()
        if len(joined) > 600:
            break
        if joined.endswith(_COLON) and _ATTRIBUTION.match(joined) and _HAS_DATE_OR_ADDRESS.search(joined):
            return taken
        whole = taken == 1 or (taken <= 3 and all(one.strip() for one in lines[place : place + taken]))
        if whole and _is_dated_address(joined, lines, place, place + taken):
            return taken
        if taken == 1 and _LINE_ATTRIBUTION.match(joined) and _is_quote_below(lines, place + 1, joined):
            return taken
        if _FIELD.match(joined):
            break
    return 0


def _is_dated_address(line: str, lines: list[str], first: int, place: int) -> bool:
    """Return whether a line in any language is an attribution: a date, a time and an address before a colon.

    Without the address, or without the time, a quote has to follow at once.
    """
    begins = _DATE.search(lines[first]) or _NAMED.search(lines[first])
    if not begins or not line.endswith(_COLON) or len(line) > 300 or not _DATE.search(line):
        return False
    has_time, has_address = bool(_TIME.search(line)), bool(_NAMED.search(line))
    if has_time and has_address:
        return True
    following = next((one for one in lines[place : place + 3] if one.strip()), "")
    return (has_time or has_address) and bool(_QUOTED.match(following))


def _is_quote_below(lines: list[str], place: int, line: str) -> bool:
    """Return whether a quote follows a line that may be an attribution; one with a date needs none."""
    following = next((one for one in lines[place : place + 4] if one.strip()), "")
    return bool(_QUOTED.match(following)) or bool(re.search(r"\d{4}|\d:\d\d|@", line) and following)


def _is_field_block(lines: list[str], place: int) -> bool:
    """Return whether a block of header fields begins here, as Outlook and others put one above a quote."""
    start = place
    if re.match(r"^[\s_*-]{3,}$", lines[place]):
        start = next((at for at in range(place + 1, min(place + 4, len(lines))) if lines[at].strip()), place)
    if not _FIELD.match(lines[start]):
        return False
    nearby = [line for line in lines[start : start + 9] if line.strip()][:6]
    fields = [line for line in nearby if _FIELD.match(line)]
    return len(fields) >= 3 or (
        len(fields) == 2 and any("@" in line for line in fields) and nearby[1] in fields
    )


def _before_attribution(lines: list[str], place: int) -> str | None:
    """Return the text before an attribution on the same line; None if there is none."""
    if not lines[place][:1].strip() or ":" not in lines[place][-3:]:
        return None
    match = _INLINE_ATTRIBUTION.search(lines[place])
    if match and match.start() > 0 and any(_QUOTED.match(line) for line in lines[place + 1 : place + 4]):
        return lines[place][: match.start()]
    return None


def _is_link_of_quote(lines: list[str], place: int) -> bool:
    """Return whether this is the end of a long link of the quoted line above, wrapped by a mail program."""
    around = (lines[place - 1 : place] or [""])[0], (lines[place + 1 : place + 2] or [""])[0]
    return all(_QUOTED.match(line) for line in around) and bool(_LINK_END.match(lines[place]))


def _part_signature(own: list[str]) -> tuple[list[str], str]:
    lines = list(own)
    while lines and not lines[-1].strip():
        lines.pop()
    for place, line in enumerate(lines):
        near_end = len(lines) - place <= 25
        if near_end and _SIGNATURE.match(line) and (place or len(lines) > 1):
            if line.strip() and not _is_rule(line) and any(len(one) > 200 for one in lines[place + 1 :]):
                continue
            if _RULE.match(line) and _continues(lines[place + 1 :]):
                continue
            return lines[:place], "\n".join(lines[place:]).strip()
        if len(lines) - place <= 4 and place and _DASH_NAME.match(line):
            return lines[:place], "\n".join(lines[place:]).strip()
    return lines, ""


def _continues(below: list[str]) -> bool:
    """Return whether a letter goes on below a line that is drawn: a sentence is among the first two lines
    there, and no notice of confidentiality."""
    first = [line for line in below if line.strip()][:2]
    return not any(map(_NOTICE.search, first)) and any(
        len(line.split()) > 3 and line.rstrip(" \"'”’»)*_").endswith(_SENTENCE_ENDS) for line in first
    )


def _is_rule(line: str) -> bool:
    return not line.strip(" -_—–")


def _tidy(lines: list[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
