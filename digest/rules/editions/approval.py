"""Whether an edition is held at its deadline, by the digest's policy and the editors' acts."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from digest.models import Approval, Draft, Edition, EditionState


def why_held(policy: str, draft: Draft | None) -> str:
    """Return why an edition is held at its deadline; "" if it is to be compiled."""
    if policy == Approval.SEND:
        return ""
    if draft is not None and draft.held_by:
        return f"held by {draft.held_by}"
    if policy == Approval.REQUIRE and not (draft is not None and draft.is_approved):
        changed = draft is not None and draft.approved_version is not None
        return "it was changed after its approval" if changed else "nobody has approved it"
    return ""


def status_sentence(
    policy: str,
    draft: Draft | None,
    edition: Edition | None,
    deadline_at: datetime,
    name_moment: Callable[[datetime], str],
    now: datetime,
) -> str:
    """Return the status of an edition in one sentence, for the desk and for the command line.

    `name_moment` writes a time. Without an `edition` it is unmade: `"Sends Mon 23 Nov, 07:00 unless held."`,
    or late, where nothing has run at its deadline.
    """
    if edition is None:
        return _unmade(policy, draft, name_moment(deadline_at), is_late=deadline_at <= now)
    if edition.state == EditionState.HELD:
        why = why_held(policy, draft)
        if why:
            return f"Held since {name_moment(edition.freeze_at)}: {why}."
        approved = draft is not None and draft.is_approved
        by = f"Approved by {draft.approved_by}" if draft is not None and approved else "Released"
        return f"{by}; the next run sends it."
    if edition.state == EditionState.PAUSED:
        again = f"; tried again {name_moment(edition.retry_at)}" if edition.retry_at else ""
        return f"Paused: {edition.reason or 'by an operator'}{again}."
    return _made(edition, name_moment)


def name_moment(at: datetime, zone: ZoneInfo) -> str:
    """Return a moment as pages and commands say it to editors: `"Mon 23 Nov, 07:00"`."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b}, {local:%H:%M}"


def status_label(policy: str, draft: Draft | None, edition: Edition | None) -> str:
    """Return the status of an edition in a word or two, as a badge shows it."""
    if edition is not None and edition.state != EditionState.HELD:
        return {EditionState.FROZEN: "sending", EditionState.COMPILING: "in preparation"}.get(
            EditionState(edition.state), edition.state
        )
    if edition is None and draft is not None and draft.is_due_now:
        return "publishing"
    why, approved = why_held(policy, draft), draft is not None and draft.is_approved
    if edition is not None:
        return "held" if why else "approved" if approved else "released"
    if draft is not None and draft.held_by and policy != Approval.SEND:
        return "on hold"
    if approved:
        return "approved"
    return "not approved" if policy == Approval.REQUIRE else "draft"


def _unmade(policy: str, draft: Draft | None, deadline: str, *, is_late: bool) -> str:
    if draft is not None and draft.is_due_now:
        return f"{draft.approved_by} published it; the next run sends it."
    if is_late:
        why = why_held(policy, draft)
        return f"Late, due {deadline}; the next run {f'holds it: {why}' if why else 'sends it'}."
    if policy == Approval.SEND:
        return f"Sends {deadline}."
    if draft is not None and draft.held_by:
        return f"On hold by {draft.held_by}; it is not sent until somebody releases it."
    if draft is not None and draft.is_approved:
        return f"Approved by {draft.approved_by}; sends {deadline}."
    if policy == Approval.HOLD:
        return f"Sends {deadline} unless held."
    if draft is not None and draft.approved_by:
        return f"Changed after {draft.approved_by} approved it; held at {deadline} unless approved again."
    return f"Held at {deadline} unless a publisher approves it."


def _made(edition: Edition, name_moment: Callable[[datetime], str]) -> str:
    if edition.state == EditionState.FINISHED:
        return f"Finished {name_moment(edition.finished_at)}." if edition.finished_at else "Finished."
    if edition.state == EditionState.SKIPPED:
        return f"Skipped: {edition.reason}." if edition.reason else "Skipped."
    if edition.state == EditionState.FROZEN:
        return f"Sending since {name_moment(edition.frozen_at or edition.freeze_at)}."
    return f"Being prepared since {name_moment(edition.freeze_at)}."
