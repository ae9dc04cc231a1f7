"""People who left, bounced or complained in another tool: suppressed here, so that no later list revives
them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from digest.models import Suppression, SuppressionReason
from digest.rules.readers import consent
from digest.rules.readers.address import Address
from digest.rules.readers.row_states import ListState
from digest.store.readers import batches, subscribers
from digest.tasks.readers.enrolment import Enrolled, Enrolment
from digest.tasks.readers.readers import Origin, Readers, end

DEPARTED = "departed"

REASONS = {
    ListState.LEFT: SuppressionReason.LEFT,
    ListState.BOUNCED: SuppressionReason.BOUNCE,
    ListState.COMPLAINED: SuppressionReason.COMPLAINT,
}


@dataclass(frozen=True, slots=True)
class Departure:
    """A person whom a list says not to write to; `at` is when they left, if it is known."""

    address: Address
    reason: SuppressionReason
    at: datetime | None = None

    def came_back(self, confirmed: datetime) -> bool:
        """Return whether somebody who left has confirmed here since."""
        return self.reason == SuppressionReason.LEFT and self.at is not None and confirmed > self.at


def suppress_departed(
    session: Session, readers: Readers, departed: Sequence[Departure], origin: Origin, now: datetime
) -> list[Enrolment | None]:
    """Suppress a batch of people and end their subscriptions; None for each newly suppressed one.

    Whoever confirmed here after leaving elsewhere stays: their own act is the later one.
    """
    hashes = [readers.hash_address(one.address.key) for one in departed]
    known = batches.find_suppressions(session, hashes)
    people = batches.find_subscribers(session, [one.address.key for one in departed])
    confirmed = subscribers.find_own_confirmations(session, [row.id for row in people.values()])
    results: list[Enrolment | None] = []
    new = []
    for one, hashed in zip(departed, hashes, strict=True):
        person = people.get(one.address.key)
        since = confirmed.get(person.id) if person else None
        if hashed in known:
            banned = known[hashed]
            why = consent.explain_suppression(banned.reason, banned.created_at)
            results.append(Enrolment(Enrolled.SUPPRESSED, why))
            continue
        if since is not None and one.came_back(since):
            results.append(
                Enrolment(Enrolled.KEPT, f"left there, and confirmed here later ({since:%Y-%m-%d})")
            )
            continue
        results.append(None)
        new.append({"address_hash": hashed, "reason": one.reason, "created_at": now})
        for row in subscribers.list_subscriptions(session, person.id) if person else ():
            end(session, row, now, {**origin, "suppressed": one.reason})
    subscribers.insert_new(session, Suppression, new)
    return results
