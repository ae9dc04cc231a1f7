"""The audit: the sums of every edition."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from digest.errors import UsageError
from digest.models import (
    OPEN,
    DeliveryState,
    Edition,
    EditionState,
)
from digest.models.row import row_id
from digest.rules.delivery.rate_limits import LEARNED_FOR, allowance_of
from digest.rules.editions.approval import name_moment, status_sentence
from digest.settings import Settings
from digest.store.delivery import claims, deliveries, learned_limits
from digest.store.editions import drafts, edition_sums, editions

_CLOSED = (EditionState.FINISHED, EditionState.SKIPPED)
SHOWN = 20
"""How many editions that are over `status` tells of: each takes a look at all its deliveries."""


@dataclass(frozen=True, slots=True)
class Account:
    """An edition's sum: total = accepted + failed + withheld + uncertain + open."""

    digest: str
    cadence: str
    period: str
    state: str
    total: int
    accepted: int
    failed: int
    withheld: int
    uncertain: int
    open: int

    @property
    def ok(self) -> bool:
        """Return whether the sum is complete: a finished edition has nothing open, any other may be under
        way."""
        closed = self.accepted + self.failed + self.withheld + self.uncertain
        whole = self.total == closed + self.open
        return whole and (self.state != EditionState.FINISHED or self.open == 0)


def audit(session: Session, edition: str | None = None) -> dict[str, Any]:
    """Return {ok, editions}; `ok` only if every edition is finished or skipped and its sum is complete."""
    accounts = [account(session, row) for row in find_named(session, edition)]
    ok = all(item.ok and item.state in _CLOSED for item in accounts)
    return {"ok": ok, "editions": [asdict(item) for item in accounts]}


def account(session: Session, edition: Edition) -> Account:
    """Count an edition's deliveries, each once by its state."""
    return account_of(edition, deliveries.count_states(session, row_id(edition)))


def sum_up(session: Session, edition: Edition) -> Account:
    """Return an edition's sum for those who look at it: that of a finished one has been counted."""
    return account_of(edition, edition_sums.count_states(session, edition))


def account_of(edition: Edition, counts: Mapping[str, int]) -> Account:
    """Return an edition's sum from its deliveries by state."""
    return Account(
        edition.digest,
        edition.cadence,
        edition.period,
        edition.state,
        total=sum(counts.values()),
        accepted=counts.get(DeliveryState.ACCEPTED, 0),
        failed=counts.get(DeliveryState.FAILED, 0),
        withheld=counts.get(DeliveryState.WITHHELD, 0),
        uncertain=counts.get(DeliveryState.UNCERTAIN, 0),
        open=sum(counts.get(state, 0) for state in OPEN),
    )


def status(session: Session, settings: Settings, edition: str | None = None) -> list[dict[str, Any]]:
    """Return each edition's sum with its times, and the reasons why deliveries failed, were withheld or wait.

    These are the editions that are not over, and the last `SHOWN` that are; `count_earlier` counts the rest.
    The reason of one that is held or paused is the sentence that the desk shows. `deferred` counts those of
    `open` that a server deferred; `next_due_at` is when the next one is tried, None until somebody
    resumes an edition that was paused by hand.
    """
    report = []
    for row in find_named(session, edition, latest=SHOWN):
        found = edition_sums.count_reasons(session, row)
        reasons = [{"state": state, "reason": reason, "count": count} for state, reason, count in found]
        is_stopped = row.state == EditionState.PAUSED and row.retry_at is None
        is_tried = row.state not in _CLOSED and not is_stopped
        next_due = deliveries.next_due_at(session, row_id(row)) if is_tried else None
        report.append(
            asdict(sum_up(session, row))
            | {
                "deadline_at": row.deadline_at.isoformat(),
                "frozen_at": row.frozen_at.isoformat() if row.frozen_at else None,
                "finished_at": row.finished_at.isoformat() if row.finished_at else None,
                "deferred": sum(count for state, _, count in found if state == DeliveryState.DEFERRED),
                "next_due_at": next_due.isoformat() if next_due else None,
                "reason": _reason_of(session, settings, row),
                "reasons": reasons,
            }
        )
    return report


def count_earlier(session: Session, rows: Sequence[dict[str, Any]], edition: str | None = None) -> int:
    """Count the editions of this name that `status` left out."""
    return editions.count_named(session, _words_of(edition)) - len(rows)


def _reason_of(session: Session, settings: Settings, row: Edition) -> str:
    digest = next((one for one in settings.digests if one.name == row.digest), None)
    if row.state not in (EditionState.HELD, EditionState.PAUSED) or digest is None:
        return row.reason
    draft = drafts.find_draft(session, *row.name)
    return status_sentence(
        digest.approval, draft, row, row.deadline_at, lambda at: name_moment(at, settings.zone), row.freeze_at
    )


def slowed_by(session: Session, settings: Settings, now: datetime) -> list[str]:
    """Return what keeps delivery from going faster: stated or learned limits, and a warm-up."""
    told = []
    plan = settings.smtp.warm_up
    today = plan and allowance_of(plan.messages, plan.begins_on, now, settings.zone)
    if today:
        begun = claims.count_begun(session.connection(), today.day_began_at)
        if begun >= today.messages:
            told.append(f"warm-up: {begun} of the {today.messages} messages that today allows have gone")
    for row in learned_limits.list_slowed(session, now - LEARNED_FOR):
        at = row.slowed_at.astimezone(settings.zone)
        told.append(f"{row.name}: asked to slow down at {at:%H:%M}; {row.rate:.2g} messages a second")
    for name, limit in settings.smtp.domains.items():
        stated = [_per_second(limit.rate)] if limit.rate else []
        stated += (
            [f"{limit.connections} {'connection' if limit.connections == 1 else 'connections'}"]
            if limit.connections
            else []
        )
        told.append(f"{name}: limited to {' and '.join(stated)}" if stated else f"{name}: not limited")
    if settings.smtp.rate:
        told.append(f"all relays: limited to {_per_second(settings.smtp.rate)}")
    return told


def _per_second(rate: float) -> str:
    return f"{rate:g} {'message' if rate == 1 else 'messages'} per second"


def find_named(
    session: Session, name: str | None, *, states: Sequence[str] = (), latest: int | None = None
) -> list[Edition]:
    """Find editions by "DIGEST", "DIGEST CADENCE" or "DIGEST CADENCE PERIOD" (also joined by "/").

    `states` leaves out those in any other state. With `latest`, only so many of those that are over are
    found, and none of those for single readers. Raise UsageError where none has this name, and for a name
    without a letter: a script whose variable is empty does not mean all editions.
    """
    wanted = _words_of(name)
    if name is not None and not wanted:
        raise UsageError(
            f'"{name}" names no edition: write "DIGEST", "DIGEST/CADENCE" or "DIGEST/CADENCE/PERIOD"'
        )
    found = editions.list_named(session, wanted, states=states, latest=latest)
    if not found and wanted and not editions.list_named(session, wanted, latest=1):
        known = "; ".join(str(one.name) for one in editions.list_named(session, [], latest=3)) or "none yet"
        raise UsageError(f'there is no edition "{name}"; the latest are: {known}')
    return found


def _words_of(name: str | None) -> list[str]:
    return (name or "").replace("/", " ").split()
