"""Sums of bounces and complaints, for the command line and the desk."""

from collections import Counter
from datetime import datetime
from typing import Any

from digest.models import BounceWeight
from digest.rules.delivery.bounce_score import must_warn
from digest.store.database import Database
from digest.store.delivery import bounces

_MOST = 50


def sum_up(database: Database, since: datetime) -> dict[str, list[dict[str, Any]]]:
    """Sum bounces by receiver, reason and edition, and complaints by edition and receiver.

    `held_against_us` are refusals that say nothing about the reader: policy, reputation, content.
    """
    with database.read() as session:
        rows = bounces.sum_bounces(session, since)
        complaints = bounces.sum_complaints(session, since)
        ids = sorted({edition for edition, _, _ in complaints if edition is not None})
        counts = {one: bounces.count_complaints(session, one) for one in ids}
        names = {one: str(edition.name) for one, edition in bounces.get_editions(session, ids).items()}
    return {
        "by_receiver": _sum(rows, "receiver", 1),
        "by_reason": _sum(rows, "reason", 2),
        "by_edition": _sum(rows, "edition", 0),
        "held_against_us": [
            {"receiver": receiver, "reason": reason, "bounces": number}
            for _, receiver, reason, weight, number in rows
            if weight == BounceWeight.OURS
        ][:_MOST],
        "complaints_by_edition": [_rate(names.get(one, "-"), *counts[one]) for one in ids],
        "complaints_by_receiver": [
            {"receiver": receiver, "complaints": number}
            for receiver, number in _total(
                ((receiver, number) for _, receiver, number in complaints)
            ).most_common(_MOST)
        ],
    }


def list_warnings(database: Database, since: datetime) -> list[dict[str, Any]]:
    """List the editions with so many complaints that an editor should look (from 0.1 % on)."""
    return [one for one in sum_up(database, since)["complaints_by_edition"] if one["level"]]


def _sum(rows: list[tuple[str, str, str, str, int]], name: str, place: int) -> list[dict[str, Any]]:
    sums: dict[str, Counter[str]] = {}
    for row in rows:
        sums.setdefault(str(row[place]), Counter())[row[3]] += row[4]
    ordered = sorted(sums.items(), key=lambda item: -item[1].total())[:_MOST]
    return [{name: key, **{str(one): count[one] for one in BounceWeight}} for key, count in ordered]


def _rate(edition: str, complaints: int, accepted: int) -> dict[str, Any]:
    share = 100 * complaints / max(accepted, 1)
    warned = "warning" if must_warn(complaints, accepted) else ""
    return {
        "edition": edition,
        "complaints": complaints,
        "accepted": accepted,
        "percent": round(share, 2),
        "level": warned,
    }


def _total(pairs: Any) -> Counter[str]:
    total: Counter[str] = Counter()
    for key, number in pairs:
        total[key] += number
    return total
