"""What is said of an edition names the moment at which it came to be so."""

from datetime import UTC, datetime, timedelta

import pytest

from digest.models import Approval, Draft, Edition, EditionState
from digest.rules.editions.approval import status_label, status_sentence, why_held

DEADLINE = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def test_an_edition_is_held_since_it_was_made_not_since_a_deadline_at_which_nothing_ran() -> None:
    made = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    edition = Edition(
        digest="world", cadence="daily", period="2026-11-23", state=EditionState.HELD,
        deadline_at=DEADLINE, freeze_at=made,
    )  # fmt: skip
    draft = Draft(digest="world", cadence="daily", period="2026-11-23", held_by="Mara")

    said = status_sentence(Approval.HOLD, draft, edition, DEADLINE, lambda at: f"{at:%H:%M}", made)

    assert said == "Held since 09:30: held by Mara."


def test_an_edition_whose_deadline_has_passed_is_late_and_says_what_the_next_run_does() -> None:
    draft = Draft(digest="world", cadence="daily", period="2026-11-23")
    later = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

    def said(policy: str, now: datetime) -> str:
        return status_sentence(policy, draft, None, DEADLINE, lambda at: f"{at:%H:%M}", now)

    assert (
        said(Approval.SEND, later) == said(Approval.HOLD, later) == "Late, due 06:00; the next run sends it."
    )
    assert said(Approval.REQUIRE, later) == "Late, due 06:00; the next run holds it: nobody has approved it."
    assert said(Approval.SEND, datetime(2026, 11, 23, 5, 59, tzinfo=UTC)) == "Sends 06:00."


def draft(*, held: bool = False, approved: int | None = None, at_once: bool = False) -> Draft:
    """Return a draft at version 3."""
    return Draft(
        digest="world", cadence="daily", period="2026-11-23", version=3, at_once=at_once,
        held_by="Mara" if held else None,
        approved_version=approved, approved_by=None if approved is None else "Ben",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "of", "why"),
    [
        (Approval.SEND, None, ""),
        (Approval.SEND, draft(held=True), ""),
        (Approval.HOLD, None, ""),
        (Approval.HOLD, draft(), ""),
        (Approval.HOLD, draft(held=True), "held by Mara"),
        (Approval.HOLD, draft(held=True, approved=3), "held by Mara"),
        (Approval.REQUIRE, None, "nobody has approved it"),
        (Approval.REQUIRE, draft(), "nobody has approved it"),
        (Approval.REQUIRE, draft(approved=2), "it was changed after its approval"),
        (Approval.REQUIRE, draft(approved=3), ""),
        (Approval.REQUIRE, draft(held=True, approved=3), "held by Mara"),
    ],
)
def test_an_edition_is_held_by_a_hold_or_for_want_of_an_approval(
    policy: Approval, of: Draft | None, why: str
) -> None:
    assert why_held(policy, of) == why


@pytest.mark.parametrize(
    ("policy", "of", "said", "label"),
    [
        (Approval.SEND, None, "Sends 06:00.", "draft"),
        (Approval.HOLD, None, "Sends 06:00 unless held.", "draft"),
        (
            Approval.HOLD, draft(held=True),
            "On hold by Mara; it is not sent until somebody releases it.", "on hold",
        ),
        (Approval.REQUIRE, None, "Held at 06:00 unless a publisher approves it.", "not approved"),
        (
            Approval.REQUIRE, draft(approved=2),
            "Changed after Ben approved it; held at 06:00 unless approved again.", "not approved",
        ),
        (Approval.REQUIRE, draft(approved=3), "Approved by Ben; sends 06:00.", "approved"),
        (
            Approval.HOLD, draft(approved=3, at_once=True),
            "Ben published it; the next run sends it.", "publishing",
        ),
        (
            Approval.HOLD, draft(held=True, approved=3, at_once=True),
            "On hold by Mara; it is not sent until somebody releases it.", "on hold",
        ),
    ],
)  # fmt: skip
def test_what_is_said_before_the_deadline_is_what_happens_at_it(
    policy: Approval, of: Draft | None, said: str, label: str
) -> None:
    before = DEADLINE - timedelta(hours=1)

    assert status_sentence(policy, of, None, DEADLINE, lambda at: f"{at:%H:%M}", before) == said
    assert status_label(policy, of, None) == label
    if "sends" in said.lower():
        assert not why_held(policy, of)


@pytest.mark.parametrize(
    ("state", "of", "said", "label"),
    [
        (EditionState.HELD, draft(held=True), "Held since 06:00: held by Mara.", "held"),
        (EditionState.HELD, draft(approved=3), "Approved by Ben; the next run sends it.", "approved"),
        (EditionState.COMPILING, None, "Being prepared since 06:00.", "in preparation"),
        (EditionState.FROZEN, None, "Sending since 06:00.", "sending"),
        (EditionState.PAUSED, None, "Paused: by an operator.", "paused"),
        (EditionState.SKIPPED, None, "Skipped.", "skipped"),
        (EditionState.FINISHED, None, "Finished.", "finished"),
    ],
)
def test_a_made_edition_says_its_state(state: EditionState, of: Draft | None, said: str, label: str) -> None:
    edition = Edition(
        digest="world", cadence="daily", period="2026-11-23", state=state,
        deadline_at=DEADLINE, freeze_at=DEADLINE,
    )  # fmt: skip

    assert (
        status_sentence(Approval.REQUIRE, of, edition, DEADLINE, lambda at: f"{at:%H:%M}", DEADLINE) == said
    )
    assert status_label(Approval.REQUIRE, of, edition) == label
