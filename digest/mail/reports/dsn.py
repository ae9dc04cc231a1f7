"""Parse delivery status notifications (RFC 3464; RFC 6533 for internationalised addresses)."""

import re

from digest.mail.reports.parts import HeaderFields, Part, decode_words, read_fields
from digest.mail.reports.reasons import find_reason
from digest.mail.reports.report import Failure, Reason

KINDS = (
    "message/delivery-status",
    "message/global-delivery-status",
    "text/rfc822-delivery-status",
    "message/xdelivery-status",
)
ADDRESS = r"[^\s<>()\[\],;:\"'|=*`{}&（）：，；。、「」『』《》〈〉【】“”„«»]{1,128}@(?:\[[\d.:a-fA-F]+\]|[\w-]+(?:\.[\w-]+)*\.?)"
_FOUND = re.compile(ADDRESS)
_STATED = re.compile(r"[^\s<>@]{1,128}@[^\s<>@]{1,255}")  # no host has such a name, which is why it failed
_WHOLE = re.compile(r"[^\s<>()\[\],;:\"|@]{1,128}@[\w-]+(?:\.[\w-]+)+")
_QUOTED = re.compile(r'"([^"@\s]{1,64})"@([\w.-]+)')
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_PHONE = r"(?![ -]\d{4}(?![\d-]))"  # "555-0199" or "450 1234" is a telephone number
_CODE = re.compile(rf"(?<![\d.:/-])(4[257]\d|5[0-7]\d)(?=[\s\-:#,)\]]|$){_PHONE}")
_UTF8 = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
_MOST = 500


def read_delivery_status(part: Part) -> tuple[list[Failure], bool]:
    """Parse a status part: who did not get the message, and whether it names any recipient at all.

    Recipients whose Action is delivered, relayed or expanded have no failure (RFC 3464 2.3.3).
    """
    failures: dict[str, Failure] = {}
    told = False
    for group in _groups(part.text):
        address = _address_of(group)
        if not address:
            continue
        told = True
        action = group.get("action").split("(")[0].split(";")[0].strip().lower()
        if action in ("delivered", "relayed", "expanded", "deliverable"):
            continue
        failure = _failure(group, address, action)
        if failure is not None:
            failures.setdefault(address.lower(), failure)
    return list(failures.values()), told


def find_status(text: str) -> str:
    """Find the first enhanced code of a failure in a text, such as "5.1.1"."""
    match = next((m for m in _STATUS.finditer(text) if m[1] != "2"), None)
    return f"{match[1]}.{int(match[2])}.{int(match[3])}" if match else ""


def find_code(text: str) -> int | None:
    """Find the first SMTP reply code of a failure in a text."""
    match = _CODE.search(text)
    return int(match[1]) if match else None


def find_addresses(text: str) -> list[str]:
    """Find the mail addresses in a text, each once, in order."""
    found = [match.strip(".") for match in _FOUND.findall(text)]
    found += [f"{local}@{domain}" for local, domain in _QUOTED.findall(text)]
    return list(dict.fromkeys(found))


def bounded(words: str) -> str:
    """Return a server's words in one line of limited length."""
    return " ".join(words.split())[:_MOST]


def _groups(text: str) -> list[HeaderFields]:
    """Split the fields into groups; the first describes the message, each other a recipient (RFC 3464 2.1).

    Some servers omit the empty line between recipients, or insert one inside a recipient's fields.
    """
    groups: list[list[str]] = [[]]
    for line in re.sub(r"\n[ \t]+", " ", text).split("\n"):
        name = line.partition(":")[0].strip().lower()
        repeated = name in ("final-recipient", "original-recipient") and any(
            one.lower().startswith(f"{name}:") for one in groups[-1]
        )
        if repeated:
            groups.append([])
        if line.strip():
            groups[-1].append(line)
    return [read_fields("\n".join(lines).encode("utf-8", "replace")) for lines in groups]


def _address_of(group: HeaderFields) -> str:
    """Find whom the sender wrote to: the original recipient if it is given (RFC 3464 2.3.1)."""
    for name in ("original-recipient", "final-recipient", "x-actual-recipient", "x-orig-rcpt"):
        for value in group.all(name):
            address = _typed(value)
            if address:
                return address
    return ""


def _typed(value: str) -> str:
    """Parse "rfc822; someone@example.org": the type may be missing, the address bracketed or in xtext."""
    kind, sign, rest = decode_words(value).partition(";")
    text = (rest if sign else kind).strip().strip("<>").strip()
    if kind.strip().lower() == "utf-8":
        text = _UTF8.sub(lambda m: chr(int(m[1], 16)) if int(m[1], 16) < 0x110000 else m[0], text)
    text = re.sub(r"\+([0-9A-F]{2})", lambda m: chr(int(m[1], 16)) if m[1] in ("2B", "3D") else m[0], text)
    if _WHOLE.fullmatch(text):
        return text
    found = find_addresses(text)
    if found:
        return found[0]
    if sign:
        return text if _STATED.fullmatch(text) else ""
    return text if re.fullmatch(r"[\w.+-]{1,64}", text) else ""


def _failure(group: HeaderFields, address: str, action: str) -> Failure | None:
    diagnostic = decode_words(group.get("diagnostic-code"))
    words = diagnostic.partition(";")[2].strip() or diagnostic
    status = _best_status(group.get("status"), words)
    if status.startswith("2") and action != "failed":
        return None
    code = find_code(words)
    delayed = action == "delayed"
    mta = group.get("remote-mta").partition(";")[2].strip().split(" ")[0]
    reason = find_reason(words or group.get("status"), status)
    return Failure(
        address=address,
        permanent=not delayed and _is_permanent(status, code),
        reason=Reason.EXPIRED if reason is Reason.UNDETERMINED and delayed else reason,
        status=status,
        code=code,
        diagnostic=bounded(words),
        delayed=delayed,
        mta=mta[:255],
    )


def _best_status(stated: str, words: str) -> str:
    """Choose between the Status field and the code in the remote server's reply.

    A relay writes 5.0.0 or 4.0.0 if it does not know more, and the remote server's reply does (RFC 3463 2).
    """
    status, spoken = find_status(stated), find_status(words)
    if not status:
        match = re.match(r"\s*([245])(\d)(\d)\b", stated)
        status = f"{match[1]}.{match[2]}.{match[3]}" if match else ""
    vague = not status or status.endswith(".0.0") or (status[:1] == spoken[:1] and status.endswith(".0"))
    return spoken if spoken and vague else status


def _is_permanent(status: str, code: int | None) -> bool:
    if status[:1] in ("4", "5"):
        return status[0] == "5"
    return code is None or code >= 500
