"""An edition over a server with one of the faults, and what must be true of it afterwards."""

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from unittest import mock

import time_machine

from digest.net.smtp import Relay, Timeouts
from tests.faults.cases import SCALE, Case
from tests.faults.killing import Edition
from tests.support.newsroom import parse, run_command
from tests.support.recording import Transaction

BEGUN_AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
BEFORE = BEGUN_AT - timedelta(hours=1)
_LATER = (6, 12, 30, 60, 120, 240, 480)


@dataclass
class Suffered:
    """What a fault came to: what is wrong, if anything, and how often a message came twice."""

    trouble: list[str]
    repeats: int = 0
    said: str = ""


def suffer(case: Case, edition: Edition, scale: float = SCALE) -> Suffered:
    """Let an edition meet a fault, come to its end, and be judged."""
    edition.recording.extensions = case.extensions
    edition.recording.fault = case.fault()
    said = []
    with (
        _environment(edition.environment),
        _patience(scale),
        time_machine.travel(BEGUN_AT, tick=True) as clock,
    ):
        with _environment(case.settings):
            said.append(_run(edition, "send", "world", "--now"))
        for minutes in _LATER:
            if not _status(edition)["open"]:
                break
            clock.shift(timedelta(minutes=minutes))
            said.append(_run(edition, "resume"))
            said.append(_run(edition, "send", "world"))
        said.append(_run(edition, "status"))
        status, audit = _status(edition), _facts(edition, "audit")
    found = _judge(case, edition, status, audit, "\n".join(said))
    edition.is_well = not found.trouble
    return found


def _judge(
    case: Case, edition: Edition, status: dict[str, Any], audit: dict[str, Any], said: str
) -> Suffered:
    got: dict[str, list[Transaction]] = defaultdict(list)
    for transaction in edition.recording.transactions:
        got[transaction.rcpt_to].append(transaction)
    repeats = len(edition.recording.transactions) - len(got)
    wrong = {
        f"{len(got)} readers got it": len(got) != case.readers - case.refuses,
        f"{repeats} repeats": repeats > case.repeats,
        "repeats differ": any(_differs(one, all_[0]) for all_ in got.values() for one in all_[1:]),
        f"the ledger says {status}": (
            status["accepted"],
            status["failed"],
            status["uncertain"],
            status["open"],
        )
        != (case.readers - case.refuses, case.refuses, 0, 0),
        "the audit does not hold": not audit["ok"],
        "a traceback": "Traceback" in said,
        "controls in what is said": not all(sign.isprintable() or sign in "\n\t" for sign in said),
        "an address in what is said": "@readers.example" in said,
        "a secret in what is said": "hush" in said,
        "a line without end in what is said": any(len(line) > 2_000 for line in said.splitlines()),
    }
    return Suffered([what for what, is_wrong in wrong.items() if is_wrong], repeats, said)


def _differs(one: Transaction, other: Transaction) -> bool:
    same_id = parse(one.content)["Message-ID"] == parse(other.content)["Message-ID"]
    return not same_id or one.content != other.content or one.mail_from != other.mail_from


def _run(edition: Edition, *arguments: str) -> str:
    out, err = run_command(*arguments, "--config", str(edition.folder / "config.toml"), code=None)
    return out + err


def _facts(edition: Edition, *arguments: str) -> Any:
    return json.loads(_run(edition, *arguments, "--json"))


def _status(edition: Edition) -> dict[str, Any]:
    rows = [row for row in _facts(edition, "status")["editions"] if row["cadence"] == "daily"]
    return {key: rows[0][key] for key in ("state", "accepted", "failed", "uncertain", "open")}


@contextmanager
def _environment(changed: dict[str, str]) -> Iterator[None]:
    with mock.patch.dict(os.environ, changed):
        yield


@contextmanager
def _patience(scale: float) -> Iterator[None]:
    """Wait for a part of the times that the standard asks for."""
    whole = Timeouts()
    names = ("connect", "banner", "command", "data", "block", "dot")
    timeouts = Timeouts(**{name: getattr(whole, name) * scale for name in names})
    with mock.patch("digest.net.smtp.Relay", partial(Relay, timeouts=timeouts)):
        yield
