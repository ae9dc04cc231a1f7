"""Who is taken out of a cohort, and how readers are put into theirs."""

from sqlmodel import select

from digest.models import Cohort, Subscription
from digest.store.editions import placements
from tests.support.compilation import NOW, Newsroom


def placed(newsroom: Newsroom) -> dict[int, int | None]:
    with newsroom.database.read() as session:
        return {row.id or 0: row.cohort_id for row in session.exec(select(Subscription))}


def test_groups_large_and_small_are_placed(newsroom: Newsroom) -> None:
    readers = [newsroom.subscribe() for _ in range(6)]
    with newsroom.database.write() as session:
        rows = [
            Cohort(key=key, digest="world", cadence="daily", language="en", history_from=NOW)
            for key in ("large", "small")
        ]
        session.add_all(rows)
        session.flush()
        large, small = (row.id or 0 for row in rows)
        placements.place(session, [(large, readers[2:]), (small, readers[:2])])

    assert placed(newsroom) == {reader: small if reader in readers[:2] else large for reader in readers}


def test_a_digest_that_skips_another_asks_the_ledger_for_those_alone_who_have_both(
    newsroom: Newsroom,
) -> None:
    one, both = newsroom.subscribe(), newsroom.subscribe()
    newsroom.publish()
    newsroom.compile()
    before = placed(newsroom)
    with newsroom.database.write() as session:
        row = session.get_one(Subscription, both)
        session.add(Subscription(
            subscriber_id=row.subscriber_id, digest="other", cadence="daily", created_at=NOW, state="ended",
        ))  # fmt: skip
        session.flush()
        assert not placements.unplace_who_read(session, "world", "daily", ["other"])

    after = placed(newsroom)
    assert before[one] is not None
    assert (after[one], after[both]) == (before[one], None)
