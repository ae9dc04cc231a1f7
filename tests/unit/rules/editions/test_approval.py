"""What is said of an edition names the moment at which it came to be so."""

from datetime import UTC, datetime

from digest.models import Approval, Draft, Edition, EditionState
from digest.rules.editions.approval import status_sentence

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
