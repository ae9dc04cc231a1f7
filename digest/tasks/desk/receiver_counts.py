"""Deliveries of an edition by receiver: whoever runs the mailboxes, by the domain of the address."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from sqlmodel import Session

from digest.models import OPEN, DeliveryState, Edition
from digest.models.row import row_id
from digest.rules.delivery.rate_limits import domain_of
from digest.store.delivery import deliveries

_MOST_READ = 20_000
_MOST_SHOWN = 12
_FEWEST_READERS = 5
"""Domains with fewer readers are counted together: a domain of one's own names its reader."""


@dataclass(frozen=True, slots=True)
class ReceiverSum:
    """An edition's deliveries to one domain; "" stands for all smaller ones."""

    domain: str
    accepted: int
    failed: int
    skipped: int
    uncertain: int
    remaining: int


@dataclass(frozen=True, slots=True)
class Receivers:
    """The largest domains first; `is_part` if the edition has more readers than were `read`."""

    rows: tuple[ReceiverSum, ...]
    read: int
    is_part: bool


def count_receivers(session: Session, edition: Edition) -> Receivers:
    """Count an edition's deliveries by receiver and outcome, for its first 20,000 readers."""
    found, is_part = deliveries.count_outcomes(session, row_id(edition), _MOST_READ)
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for state, rest, number in found:
        counts[domain_of(f"@{rest}") if rest else ""][state] += number
    return Receivers(_sum_up(counts), sum(number for _, _, number in found), is_part)


def _sum_up(counts: dict[str, Counter[str]]) -> tuple[ReceiverSum, ...]:
    """Return a sum for each of the largest domains, and one for all others last."""
    named = [domain for domain, count in counts.items() if domain and count.total() >= _FEWEST_READERS]
    named = sorted(named, key=lambda domain: (-counts[domain].total(), domain))[:_MOST_SHOWN]
    others: Counter[str] = Counter()
    for domain, count in counts.items():
        if domain not in named:
            others.update(count)
    rows = [_sum_of(domain, counts[domain]) for domain in named]
    return (*rows, _sum_of("", others)) if others else tuple(rows)


def _sum_of(domain: str, count: Counter[str]) -> ReceiverSum:
    return ReceiverSum(
        domain,
        accepted=count[DeliveryState.ACCEPTED],
        failed=count[DeliveryState.FAILED],
        skipped=count[DeliveryState.WITHHELD],
        uncertain=count[DeliveryState.UNCERTAIN],
        remaining=sum(count[state] for state in OPEN),
    )
