"""What an SMTP outcome means for a delivery and its edition."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.models import DeliveryState, Outcome, Reply, Stage

FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=4)
PATIENCE = timedelta(days=3)

_SHORTEST_WAIT = timedelta(minutes=1)
_LONGEST = 300
_SPREAD = 0.2
_GREYLISTED = re.compile(r"gr[ae]y-?list", re.I)
_STATED = re.compile(r"\b(\d{1,5})\s*(s|sec|secs|seconds?|m|min|mins|minutes?)\b", re.I)
_OUR_FAULT_STAGES = (Stage.CONNECT, Stage.BANNER, Stage.EHLO, Stage.STARTTLS, Stage.AUTH, Stage.MAIL)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A delivery's next state; `due_at` is set if it is to be tried again, `pause` if the fault is ours."""

    state: DeliveryState
    reason: str
    due_at: datetime | None = None
    pause: str = ""
    relay_is_down: bool = False


ACCEPTED = Verdict(DeliveryState.ACCEPTED, "")


def judge(outcome: Outcome, *, attempts: int, now: datetime, spread: float = 0.5) -> Verdict:
    """Decide what follows from one attempt (RFC 5321 4.2.1, 4.5.4.1; RFC 3463 for the subject of a refusal).

    `attempts` counts this one; `spread`, from 0 to 1, places the next attempt within its span, so that
    deliveries deferred together do not return together. A permanent refusal before RCPT is our fault: the
    edition pauses, and no reader counts as bouncing.
    """
    if outcome.accepted:
        return ACCEPTED
    words = describe(outcome)
    if outcome.dot_left and outcome.reply is None:
        return Verdict(DeliveryState.UNCERTAIN, words)
    permanent = outcome.reply is not None and outcome.reply.code >= 500
    if permanent and outcome.stage in _OUR_FAULT_STAGES:
        return Verdict(DeliveryState.PLANNED, words, now, pause=words)
    if permanent:
        return Verdict(DeliveryState.FAILED, words)
    if _waited(attempts) > PATIENCE:
        return Verdict(DeliveryState.FAILED, f"given up after {PATIENCE.days} days: {words}")
    down = outcome.stage in _OUR_FAULT_STAGES or (outcome.reply is None) or outcome.reply.code == 421
    wait = (stated_wait(outcome.reply) or wait_after(attempts)) * (1 + _SPREAD * (spread - 0.5))
    return Verdict(DeliveryState.DEFERRED, words, now + wait, relay_is_down=down)


def stated_wait(reply: Reply | None) -> timedelta | None:
    """Return the wait that a greylisting server states (RFC 6647); None if it states none."""
    if reply is None or not _GREYLISTED.search(reply.text):
        return None
    stated = _STATED.search(reply.text)
    if stated is None:
        return FIRST_WAIT
    unit = "minutes" if stated[2].lower().startswith("m") else "seconds"
    return min(max(timedelta(**{unit: int(stated[1])}), _SHORTEST_WAIT), LONGEST_WAIT)


def _waited(attempts: int) -> timedelta:
    return sum((wait_after(number) for number in range(1, attempts)), timedelta())


def wait_after(attempts: int) -> timedelta:
    """Return the wait before the next attempt: doubling from 5 minutes to 4 hours (RFC 5321 4.5.4.1)."""
    doublings: int = min(attempts - 1, 10)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def describe(outcome: Outcome) -> str:
    """Describe in one line what the server answered and at which step; long replies are cut."""
    answer = str(outcome.reply) if outcome.reply else outcome.fault or "no reply"
    answer = " ".join(answer.split())
    shown = answer if len(answer) <= _LONGEST else f"{answer[:_LONGEST]}…"
    return f"{outcome.stage.value}: {shown}"


def without_address(text: str, address: str) -> str:
    """Return a server's text without the reader's address, which is stored in one place only."""
    return re.sub(re.escape(address), "the address", text, flags=re.IGNORECASE) if address else text
