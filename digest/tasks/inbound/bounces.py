"""Act on bounces and complaints that are proved; score the refusals of finished editions."""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from digest.mail.reports.reasons import find_reason
from digest.mail.reports.report import Failure, FeedbackReport, Report
from digest.models import (
    Bounce,
    BounceWeight,
    Complaint,
    Delivery,
    Edition,
    EditionState,
    Memo,
    Subscriber,
    SuppressionReason,
)
from digest.models.programs.webhooks import WebhookEvent
from digest.models.row import row_id
from digest.rules.delivery.bounce_score import (
    WINDOW,
    AddressVerdict,
    Evidence,
    judge_address,
    must_pause,
    weigh,
)
from digest.rules.delivery.reply_verdicts import without_address
from digest.store.delivery import bounces
from digest.store.editions import editions
from digest.store.keys import keep_memo
from digest.tasks.inbound import answers
from digest.tasks.inbound.inbox import Inbox, ProvedReader
from digest.tasks.readers.privacy import suppress
from digest.tasks.webhooks.outbox import tell_of_reader

_SCORED = "bounces scored to"
_PAGE, _AT_ONCE = 500, 20
_ALL_OF_THAT_TIME = 2**31 - 1  # a memo of an earlier version has a time alone
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """One failure with its proof."""

    subscriber: Subscriber
    delivery_id: int | None
    edition_id: int | None
    message_id: int | None
    at: datetime


def act_on_bounce(
    session: Session, inbox: Inbox, report: Report, proof: ProvedReader, message: int, now: datetime
) -> str:
    """Store a proved bounce and do what its reader's score requires; return what was done.

    Only the failure of the reader whom the token names counts. A report that names somebody else, because the
    mail was forwarded, counts by its first failure.
    """
    own = [one for one in report.failures if one.address.lower() == proof.subscriber.address.lower()]
    failure = (own or list(report.failures))[0]
    refusal = _Refusal(
        proof.subscriber,
        proof.delivery.id if proof.delivery else None,
        proof.edition.id if proof.edition else None,
        message,
        now,
    )
    weight = weigh(failure.reason, permanent=failure.permanent, delayed=failure.delayed)
    _keep(session, refusal, failure, weight)
    return (
        _decide(session, inbox, proof.subscriber, proof.named[-1] == "probe", now)
        if weight in _COUNTED
        else weight
    )


_COUNTED = (BounceWeight.HARD, BounceWeight.SOFT)


def act_on_complaint(
    session: Session,
    inbox: Inbox,
    complaint: FeedbackReport,
    proof: ProvedReader,
    message: int,
    now: datetime,
) -> str:
    """Suppress the reader who complained, count the complaint, and pause an edition with too many."""
    row = Complaint(
        at=now,
        message_id=message,
        subscriber_id=row_id(proof.subscriber),
        edition_id=proof.edition.id if proof.edition else None,
        receiver=_domain(proof.subscriber.address) or complaint.reporter,
        feedback_type=complaint.feedback_type[:40],
    )
    new = bounces.add_complaint(session, row)
    suppress(session, inbox.readers, proof.subscriber, SuppressionReason.COMPLAINT, now)
    if new and proof.edition is not None:
        _pause_if_many(session, proof.edition)
    return "suppressed for a complaint"


def score_finished(inbox: Inbox, now: datetime) -> int:
    """Score the refusals during SMTP of editions that have finished since the last run; return how many."""
    scored = 0
    with inbox.database.read() as session:
        memo = session.get(Memo, _SCORED)
        at, _, number = memo.value.partition(" ") if memo else ("1970-01-01T00:00:00+00:00", "", "0")
        after = datetime.fromisoformat(at), int(number or _ALL_OF_THAT_TIME)
        finished = bounces.list_finished(session, *after, _AT_ONCE)
    for edition in finished:
        last = 0
        while True:
            with inbox.database.write() as session:
                page = bounces.list_refused(session, row_id(edition), last, _PAGE)
                for delivery, subscriber in page:
                    _score_refused(session, inbox, delivery, subscriber, now)
                if len(page) < _PAGE and edition.finished_at is not None:
                    scored_to = f"{edition.finished_at.isoformat()} {row_id(edition)}"
                    keep_memo(session, _SCORED, scored_to)
            scored += len(page)
            if len(page) < _PAGE:
                break
            last = row_id(page[-1][0])
    return scored


def _score_refused(
    session: Session, inbox: Inbox, delivery: Delivery, subscriber: Subscriber, now: datetime
) -> None:
    known = {one.delivery_id for one in bounces.list_evidence(session, row_id(subscriber), now - WINDOW)}
    if delivery.id in known:
        return  # a page that a crash left half scored
    words = delivery.reply_text
    status = next((word for word in words.split()[:6] if word[:2] in ("4.", "5.")), "")
    permanent = (delivery.reply_code or 0) >= 500
    reason = find_reason(words, status)
    failure = Failure(subscriber.address, permanent, reason, status, delivery.reply_code, words[:500])
    weight = weigh(reason, permanent=permanent, delayed=False)
    refusal = _Refusal(subscriber, delivery.id, delivery.edition_id, None, delivery.changed_at)
    _keep(session, refusal, failure, weight)
    if weight in _COUNTED:
        _decide(session, inbox, subscriber, False, now)


def _keep(session: Session, refusal: _Refusal, failure: Failure, weight: BounceWeight) -> None:
    row = Bounce(
        at=refusal.at,
        message_id=refusal.message_id,
        subscriber_id=row_id(refusal.subscriber),
        delivery_id=refusal.delivery_id,
        edition_id=refusal.edition_id,
        receiver=_domain(refusal.subscriber.address) or _domain(failure.address),
        reason=failure.reason,
        status=failure.status[:20],
        weight=weight,
        diagnostic=without_address(
            without_address(failure.diagnostic, failure.address),
            refusal.subscriber.address or failure.address,
        )[:500],
    )
    bounces.add_bounce(session, row)
    told = {"reason": str(failure.reason), "weight": str(weight)}
    tell_of_reader(session, WebhookEvent.BOUNCED, refusal.subscriber, refusal.at, **told)


def _decide(session: Session, inbox: Inbox, subscriber: Subscriber, is_probe: bool, now: datetime) -> str:
    rows = bounces.list_evidence(session, row_id(subscriber), now - WINDOW)
    evidence = [Evidence(row.at, BounceWeight(row.weight)) for row in rows]
    # A probe is planned with a bounce that counts still: without an earlier one there was none.
    probed_at = answers.probed_at(session, subscriber) if len(evidence) > 1 or is_probe else None
    verdict = judge_address(evidence, probed_at, now)
    if verdict is AddressVerdict.SUPPRESS or is_probe:
        suppress(session, inbox.readers, subscriber, SuppressionReason.BOUNCE, now)
        return "suppressed for bounces"
    if verdict is AddressVerdict.PROBE:
        answers.plan_probe(session, inbox, subscriber, now)
        return "a probe is planned"
    return "kept"


def _pause_if_many(session: Session, edition: Edition) -> None:
    complaints, accepted = bounces.count_complaints(session, row_id(edition))
    if must_pause(complaints, accepted) and edition.state == EditionState.FROZEN:
        share = 100 * complaints / max(accepted, 1)
        reason = (
            f"{complaints} readers marked it as spam ({share:.1f} % of {accepted});"
            " find the cause before you resume it"
        )
        editions.pause(session, row_id(edition), reason, retry_at=None)
        log.error("%s is paused: %s", edition.name, reason)


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()[:253]
