"""The rows of a backup of readers, written and read: one a subscription, with all that is kept of it.

The first columns are those of any list, so that a spreadsheet or another tool can read the file. What has no
column of its own there (each act of consent, how somebody was asked) is JSON in a cell.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from digest.clock import time_zones
from digest.errors import InputError
from digest.models import (
    Act,
    Confirmation,
    ConsentEvent,
    ConsentWording,
    MailForm,
    MailState,
    Subscriber,
    Subscription,
    SubscriptionState,
    Suppression,
    SuppressionReason,
)
from digest.models.row import row_id
from digest.rules.readers.address import Address, normalise
from digest.rules.readers.row_states import squeezed
from digest.settings.types import parse_quiet_hours
from digest.store.readers.batches import KnownSuppression
from digest.store.readers.whole_readers import WholeReader
from digest.tasks.readers.lists.list_rows import printable, split_topics, without_apostrophe

COLUMNS = (
    "email", "name", "language", "timezone", "cadence", "topics", "digest", "state", "confirmed_at",
    "hour", "max_articles", "min_articles", "quiet", "breaking", "mail_form", "welcome_at",
    "topics_since", "paused_until", "created_at", "ended_at",
    "reader_id", "reader_since", "suppressed", "suppressed_at", "address_hash", "hash_key",
    "consent", "askings",
)  # fmt: skip
_TELLING = squeezed(("reader_id", "address_hash", "hash_key", "consent", "askings"))
_EVENTS_A_ROW = 100  # a cell stays below what CSV readers take; the rest follows on further rows
_MOST_ATTEMPTS = 1000
_TIMES = ("confirmed_at", "paused_until", "created_at", "ended_at", "welcome_at")
_NO_QUIET, _YES = "none", "yes"
_ID = re.compile(r"[a-z0-9]{1,64}")
_NUMBER = re.compile(r"[0-9]{1,9}")
_HASH = re.compile(r"[\w+/=-]{16,128}")

Row = dict[str, Any]
Cells = dict[str, str]


@dataclass(slots=True)
class BackupRow:
    """One row: a reader with one subscription or none, a ban without its address, or the key of the bans."""

    line: int
    address: Address | None = None
    person: Row = field(default_factory=dict)
    subscription: Row | None = None
    events: list[Row] = field(default_factory=list)
    askings: list[Row] = field(default_factory=list)
    suppressed: tuple[str, datetime] | None = None
    address_hash: str = ""
    hash_key: bytes = b""

    @property
    def digest(self) -> str:
        """The digest that the row is about, or "" where it is about the reader alone."""
        return str(self.subscription["digest"]) if self.subscription else ""


def is_backup(names: Sequence[str]) -> bool:
    """Return whether a list's columns are those of a backup."""
    return squeezed(names) >= _TELLING


def write_reader(reader: WholeReader, banned: KnownSuppression | None, digest: str | None) -> Iterator[Cells]:
    """Write a reader's rows: one for each subscription, and one for acts about what is no subscription."""
    person, agreed = _write_person(reader.person, banned), reader.wordings
    digests = set()
    for row in reader.subscriptions:
        digests.add(row.digest)
        if digest in (None, row.digest):
            events = [event for event in reader.events if event.digest == row.digest]
            askings = reader.askings.get(row_id(row), [])
            yield from _write_parts(person | _write_subscription(row), events, askings, agreed)
    rest = [event for event in reader.events if event.digest not in digests]
    if digest is None and (rest or not digests):
        yield from _write_parts(person, rest, [], agreed)


def write_ban(row: Suppression) -> Cells:
    """Write a ban on an address that is not kept."""
    return {
        "suppressed": row.reason,
        "suppressed_at": row.created_at.isoformat(),
        "address_hash": row.address_hash,
    }


def _write_person(person: Subscriber, banned: KnownSuppression | None) -> Cells:
    return {
        "email": person.address,
        "name": person.name,
        "language": person.language or "",
        "timezone": person.timezone or "",
        "reader_id": person.public_id,
        "reader_since": person.created_at.isoformat(),
        "suppressed": banned.reason if banned else "",
        "suppressed_at": banned.created_at.isoformat() if banned else "",
    }


def _write_subscription(row: Subscription) -> Cells:
    times = {name: getattr(row, name) for name in _TIMES}
    return {
        "cadence": row.cadence,
        "topics": ";".join(sorted(row.topics)),
        "digest": row.digest,
        "state": row.state,
        "hour": "" if row.hour is None else str(row.hour),
        "max_articles": "" if row.max_articles is None else str(row.max_articles),
        "min_articles": "" if row.min_articles is None else str(row.min_articles),
        "quiet": "" if row.quiet is None else row.quiet or _NO_QUIET,
        "breaking": _YES if row.breaking else "",
        "mail_form": row.mail_form,
        "topics_since": _json(row.topics),
    } | {name: at.isoformat() if at else "" for name, at in times.items()}


def _write_parts(
    cells: Cells,
    events: Sequence[ConsentEvent],
    askings: Sequence[Confirmation],
    agreed: Mapping[int | None, ConsentWording],
) -> Iterator[Cells]:
    parts = range(0, max(len(events), len(askings), 1), _EVENTS_A_ROW)
    for start in parts:
        acts = [
            _write_event(event, agreed.get(event.wording_id))
            for event in events[start : start + _EVENTS_A_ROW]
        ]
        asked = [_write_asking(asking) for asking in askings[start : start + _EVENTS_A_ROW]]
        yield cells | {"consent": _json(acts), "askings": _json(asked)}


def _write_event(event: ConsentEvent, agreed: ConsentWording | None) -> Row:
    return {
        "digest": event.digest,
        "act": event.act,
        "at": event.at.isoformat(),
        "wording": agreed.text if agreed else "",
        "language": agreed.language if agreed else "",
        "origin": event.origin,
    }


def _write_asking(row: Confirmation) -> Row:
    told = row.model_dump(mode="json", exclude={"id", "subscription_id", "owner"})
    if row.mail_state in (MailState.CLAIMED, MailState.IN_FLIGHT):
        told["mail_state"] = MailState.UNCERTAIN
    return told


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else ""


class BackupReader:
    """Reads the rows of a backup by the names of its columns; nothing in a cell is trusted."""

    def __init__(self, names: Sequence[str]) -> None:
        places = {name.strip().lower(): place for place, name in enumerate(names)}
        self._places = {name: places[name] for name in COLUMNS if name in places}
        self._zones = time_zones()

    def read(self, line: int, cells: Sequence[str]) -> BackupRow:
        """Return what a row says; raise InputError naming the column and the value that cannot be taken."""
        row = {
            name: without_apostrophe(cells[place]) if place < len(cells) else ""
            for name, place in self._places.items()
        }
        one = _Cells(row)
        found = BackupRow(line, suppressed=_read_ban(one))
        if not row.get("email"):
            return _read_unaddressed(one, found)
        found.address = normalise(row["email"])
        found.person = self._read_person(one, found.address)
        if row.get("digest"):
            found.subscription = _read_subscription(one)
        found.events = [_read_event(one, told) for told in one.list("consent")]
        found.askings = [_read_asking(one, told) for told in one.list("askings")]
        return found

    def _read_person(self, one: "_Cells", address: Address) -> Row:
        zone = one["timezone"]
        if zone and zone not in self._zones:
            raise one.wrong("timezone", 'a name such as "Europe/Paris"')
        if not _ID.fullmatch(one["reader_id"]):
            raise one.wrong("reader_id", "the letters and digits that the backup wrote")
        return {
            "public_id": one["reader_id"],
            "address": address.address,
            "address_key": address.key,
            "name": printable(one["name"]),
            "language": printable(one["language"]) or None,
            "timezone": zone or None,
            "created_at": one.time("reader_since"),
        }


def _read_unaddressed(one: "_Cells", found: BackupRow) -> BackupRow:
    if one["hash_key"]:
        try:
            found.hash_key = bytes.fromhex(one["hash_key"])
        except ValueError:
            raise InputError("hash_key is not a key: it is 64 letters and digits") from None
        if len(found.hash_key) != 32:
            raise InputError("hash_key is not a key: it is 64 letters and digits")
        return found
    if found.suppressed is None or not _HASH.fullmatch(one["address_hash"]):
        raise InputError("this row has neither an address nor a suppression")
    found.address_hash = one["address_hash"]
    return found


def _read_ban(one: "_Cells") -> tuple[str, datetime] | None:
    if not one["suppressed"]:
        return None
    reason = one.choice("suppressed", one["suppressed"], SuppressionReason)
    return reason, one.time("suppressed_at")


def _read_subscription(one: "_Cells") -> Row:
    since = one.table("topics_since")
    created = one.time("created_at")
    topics: tuple[str, ...] = tuple(sorted(since))
    if not topics or ";".join(topics) != one["topics"]:  # the column was edited
        topics = split_topics(one["topics"]) or ("*",)
    return {
        "digest": printable(one["digest"]),
        "state": one.choice("state", one["state"], SubscriptionState),
        "cadence": printable(one["cadence"]),
        "hour": one.number("hour", 0, 23),
        "max_articles": one.number("max_articles", 1, 1000),
        "min_articles": one.number("min_articles", 1, 1000),
        "quiet": _read_quiet(one),
        "breaking": one["breaking"] == _YES,
        "mail_form": one.choice("mail_form", one["mail_form"] or MailForm.PICTURES, MailForm),
        "topics": {
            topic: one.moment("topics_since", since.get(topic, created)).isoformat() for topic in topics
        },
        "created_at": created,
    } | {name: one.time(name) if one[name] else None for name in _TIMES if name != "created_at"}


def _read_quiet(one: "_Cells") -> str | None:
    text = one["quiet"]
    if not text or text == _NO_QUIET:
        return "" if text else None
    try:
        return parse_quiet_hours(text)
    except ValueError:
        raise one.wrong("quiet", 'a span such as "22:00-07:00", "none", or nothing') from None


def _read_event(one: "_Cells", told: Mapping[str, Any]) -> Row:
    return {
        "digest": one.text("consent", told.get("digest")),
        "act": one.choice("consent", told.get("act"), Act),
        "at": one.moment("consent", told.get("at")),
        "wording": one.text("consent", told.get("wording")),
        "language": one.text("consent", told.get("language")),
        "origin": one.texts("consent", told.get("origin")),
    }


def _read_asking(one: "_Cells", told: Mapping[str, Any]) -> Row:
    choices = told.get("choices")
    token = told.get("token_hash")
    return {
        "token_hash": None if token is None else one.text("askings", token),
        "asked_at": one.moment("askings", told.get("asked_at")),
        "expires_at": one.moment("askings", told.get("expires_at")),
        "used_at": one.moment("askings", told["used_at"]) if told.get("used_at") else None,
        "due_at": one.moment("askings", told.get("due_at")),
        "origin": one.texts("askings", told.get("origin")),
        "choices": choices if isinstance(choices, dict) else {},
        "mailbox": one.text("askings", told.get("mailbox")),
        "mail_state": one.choice("askings", told.get("mail_state"), MailState),
        "attempts": one.count("askings", told.get("attempts", 0)),
        "reply": one.text("askings", told.get("reply")),
    }


def has_nul(found: object) -> bool:
    """Return whether a text anywhere in a JSON value has NUL, which PostgreSQL does not store."""
    waiting = [found]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and "\0" in one:
            return True
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
    return False


class _Cells:
    """A row's cells by name, read as what they have to be."""

    def __init__(self, cells: Mapping[str, str]) -> None:
        self._cells = cells

    def __getitem__(self, name: str) -> str:
        return self._cells.get(name, "")

    def wrong(self, name: str, wanted: str) -> InputError:
        return InputError(f'{name} "{printable(self[name])[:80]}" is invalid: write {wanted}')

    def time(self, name: str) -> datetime:
        return self.moment(name, self[name])

    def moment(self, name: str, value: object) -> datetime:
        try:
            at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        except ValueError:
            raise self.wrong(name, "a time such as 2026-11-23T07:00:00+00:00") from None
        if at.tzinfo is None:
            raise self.wrong(name, "a time with its offset, such as 2026-11-23T07:00:00+00:00")
        return at

    def number(self, name: str, least: int, most: int) -> int | None:
        text = self[name]
        if not text:
            return None
        if not (_NUMBER.fullmatch(text) and least <= int(text) <= most):
            raise self.wrong(name, f"a number from {least} to {most}, or nothing")
        return int(text)

    def count(self, name: str, value: object) -> int:
        if type(value) is not int or not 0 <= value <= _MOST_ATTEMPTS:
            raise self.wrong(name, "what the backup wrote")
        return value

    def choice(self, name: str, value: object, kind: Callable[[str], str]) -> str:
        try:
            return kind(str(value))
        except ValueError:
            raise self.wrong(name, "what the backup wrote") from None

    def text(self, name: str, value: object) -> str:
        if not isinstance(value, str) or "\0" in value:
            raise self.wrong(name, "what the backup wrote")
        return value

    def texts(self, name: str, value: object) -> dict[str, str]:
        if not isinstance(value, dict):
            raise self.wrong(name, "what the backup wrote")
        return {self.text(name, key): self.text(name, text) for key, text in value.items()}

    def table(self, name: str) -> dict[str, Any]:
        found = self._load(name, {})
        if not isinstance(found, dict):
            raise self.wrong(name, "what the backup wrote")
        return found

    def list(self, name: str) -> list[dict[str, Any]]:
        found = self._load(name, [])
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise self.wrong(name, "what the backup wrote")
        return found

    def _load(self, name: str, empty: object) -> object:
        text = self[name]
        try:
            found: object = json.loads(text) if text else empty
            if "\\ud" in text.lower():  # half of a pair is no text, and no database stores it
                json.dumps(found, ensure_ascii=False).encode()
            if has_nul(found):
                raise self.wrong(name, "what the backup wrote")
            return found
        except (ValueError, RecursionError):
            raise self.wrong(name, "what the backup wrote") from None
