"""Failed deliveries are tried again at the operator's word, and nobody gets an article twice by it."""

import pytest
from sqlmodel import col, select, update

from digest.errors import InputError
from digest.models import DeliveryState, Edition, EditionState, MailForm, Subscription, SubscriptionState
from digest.tasks.articles.withdrawing import withdraw
from digest.tasks.editions.retries import retry_failed
from tests.support.compilation import DAY, NOW, Newsroom


def retry(newsroom: Newsroom) -> list[tuple[int, int]]:
    with newsroom.database.write() as session:
        chosen = session.exec(select(Edition).order_by(col(Edition.id))).all()
        return [(planned, passed) for _, planned, passed in retry_failed(session, chosen, NOW)]


def finish(newsroom: Newsroom, failed: list[int], accepted: list[int]) -> None:
    newsroom.set_states(DeliveryState.ACCEPTED, accepted)
    newsroom.set_states(DeliveryState.FAILED, failed)
    with newsroom.database.write() as session:
        session.exec(update(Edition).values(state=EditionState.FINISHED, finished_at=NOW))


def states(newsroom: Newsroom) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for row in newsroom.deliveries():
        found.setdefault(row.subscription_id, []).append(row.state)
    return found


def test_failed_deliveries_of_a_finished_edition_are_planned_again(newsroom: Newsroom) -> None:
    newsroom.publish()
    failed, other, gone = (newsroom.subscribe() for _ in range(3))
    newsroom.compile()
    finish(newsroom, [failed, gone], [other])
    with newsroom.database.write() as session:
        left = update(Subscription).where(col(Subscription.id) == gone)
        session.exec(left.values(state=SubscriptionState.ENDED))

    assert retry(newsroom) == [(1, 1)]
    assert states(newsroom) == {failed: ["planned"], other: ["accepted"], gone: ["failed"]}
    with newsroom.database.read() as session:
        edition = session.exec(select(Edition).where(Edition.cadence == "daily")).one()
    assert (edition.state, edition.finished_at) == (EditionState.FROZEN, None)

    newsroom.publish()
    newsroom.compile(NOW + DAY)
    assert [len(articles) for articles in newsroom.lists()[failed]] == [1, 1]


def test_who_got_the_articles_with_a_later_edition_is_not_retried(newsroom: Newsroom) -> None:
    newsroom.publish()
    failed = newsroom.subscribe()
    newsroom.compile()
    newsroom.set_states(DeliveryState.FAILED, [failed])
    newsroom.compile(NOW + DAY)

    assert retry(newsroom) == [(0, 1)]
    assert states(newsroom) == {failed: ["failed", "planned"]}


def test_who_has_the_articles_in_their_feed_is_not_mailed_by_a_retry(newsroom: Newsroom) -> None:
    newsroom.publish()
    failed = newsroom.subscribe()
    newsroom.compile()
    newsroom.set_states(DeliveryState.FAILED, [failed])
    with newsroom.database.write() as session:
        own = update(Subscription).where(col(Subscription.id) == failed)
        session.exec(own.values(mail_form=MailForm.FEED, cohort_id=None))
    newsroom.compile(NOW + DAY)
    assert states(newsroom) == {failed: ["failed", "withheld"]}

    assert retry(newsroom) == [(0, 1)]
    assert states(newsroom) == {failed: ["failed", "withheld"]}


def test_what_was_withdrawn_meanwhile_does_not_go_with_a_retry(newsroom: Newsroom) -> None:
    kept, taken = newsroom.publish(), newsroom.publish()
    failed = newsroom.subscribe()
    newsroom.compile()
    finish(newsroom, [failed], [])
    withdraw(newsroom.database, str(taken), "wrong", lambda: NOW)

    assert retry(newsroom) == [(1, 0)]
    assert newsroom.lists()[failed] == [[kept]]


def test_nothing_is_retried_while_an_edition_is_compiled(newsroom: Newsroom) -> None:
    newsroom.publish()
    failed = newsroom.subscribe()
    newsroom.compile()
    finish(newsroom, [failed], [])
    with newsroom.database.write() as session:
        session.add(Edition(
            digest="world", cadence="weekly", period="2020-W01", state=EditionState.COMPILING,
            deadline_at=NOW, freeze_at=NOW,
        ))  # fmt: skip

    with pytest.raises(InputError, match="an edition of world is being compiled"):
        retry(newsroom)
    assert states(newsroom) == {failed: ["failed"]}
