"""`digest why`: each reason for which a reader has an article, or has it not, on both databases."""

from datetime import timedelta
from typing import Any

import pytest

from digest.errors import InputError
from digest.models import (
    Article,
    Delivery,
    DeliveryState,
    Edition,
    EditionState,
    Subscription,
    SubscriptionState,
)
from digest.tasks.ledger.explain import why
from tests.support.compilation import DAY, NOW, Newsroom

SOON = NOW + timedelta(minutes=5)


def explain(newsroom: Newsroom, article: int | str, reader: int = 1) -> dict[str, Any]:
    """Explain an article to the reader of a subscription."""
    with newsroom.database.read() as session:
        address = f"r{reader}@x.example"
        return why(session, newsroom.settings, address, str(article), SOON)


def change(
    newsroom: Newsroom, table: type[Article | Delivery | Edition | Subscription], **values: Any
) -> None:
    """Set values in the first row of a table."""
    with newsroom.database.write() as session:
        row = session.get_one(table, 1)
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)


@pytest.fixture
def newsroom(newsroom: Newsroom) -> Newsroom:
    """Return a newsroom with one reader, whose address is r1@x.example, and without an edition."""
    newsroom.subscribe()
    return newsroom


def test_who_and_what_is_unknown_is_named_with_the_command_that_lists_them(newsroom: Newsroom) -> None:
    article = newsroom.publish()

    with pytest.raises(InputError, match=r'no subscriber "r9@x\.example"; "digest subscribers list"'):
        explain(newsroom, article, reader=9)
    with pytest.raises(InputError, match=r'no article "https://x\.example/9"; "digest articles list"'):
        explain(newsroom, "https://x.example/9")


def test_an_article_of_an_edition_is_told_with_its_place_and_the_state_of_its_delivery(
    newsroom: Newsroom,
) -> None:
    newsroom.publish("science")
    second = newsroom.publish("science", at=NOW - timedelta(hours=6))
    newsroom.compile()

    found = explain(newsroom, second)

    assert (found["included"], found["edition"], found["state"]) == (
        True,
        "world daily 2026-11-23",
        "planned",
    )
    assert found["reason"] == "it is number 2 of the reader's variant, under science"
    assert found["next_try_at"] is not None


@pytest.mark.parametrize(
    ("state", "reason", "included", "told"),
    [
        (DeliveryState.ACCEPTED, "", True, "it is number 1 of the reader's variant"),
        (DeliveryState.UNCERTAIN, "lost", True, "it is number 1 of the reader's variant"),
        (DeliveryState.FAILED, "550 no such user", False, "is failed (550 no such user): it comes again"),
        (DeliveryState.WITHHELD, "left", False, "is withheld (left): it comes again"),
    ],
)
def test_a_delivery_that_ended_says_whether_the_reader_counts_as_having_it(
    newsroom: Newsroom, state: DeliveryState, reason: str, included: bool, told: str
) -> None:
    article = newsroom.publish()
    newsroom.compile()
    change(newsroom, Delivery, state=state, reason=reason)

    found = explain(newsroom, article)

    assert (found["included"], found["next_try_at"]) == (included, None)
    assert told in found["reason"]


@pytest.mark.parametrize("state", [DeliveryState.PLANNED, DeliveryState.DEFERRED])
@pytest.mark.parametrize(
    ("table", "values", "told"),
    [
        (Edition, {"state": EditionState.PAUSED}, "the edition is paused until `digest resume`"),
        (Subscription, {"state": SubscriptionState.ENDED}, "the reader has left: it is not sent"),
        (Subscription, {"state": SubscriptionState.PAUSED}, "the reader has paused: it is not sent"),
    ],
)
def test_a_message_that_waits_in_vain_has_no_next_try(
    newsroom: Newsroom, state: str, table: type[Edition | Subscription], values: dict[str, Any], told: str
) -> None:
    article = newsroom.publish()
    newsroom.compile()
    change(newsroom, Delivery, state=state, reason="451 4.7.1 greylisted")
    change(newsroom, table, **values)

    found = explain(newsroom, article)

    assert (found["reply"], found["next_try_at"]) == ("451 4.7.1 greylisted", None)
    assert found["reason"].endswith(f"; {told}")


def test_a_message_of_an_edition_that_a_fault_paused_is_tried_again(newsroom: Newsroom) -> None:
    article = newsroom.publish()
    newsroom.compile()
    change(newsroom, Edition, state=EditionState.PAUSED, retry_at=NOW + timedelta(minutes=5))

    assert explain(newsroom, article)["next_try_at"] is not None


def test_an_article_that_was_withdrawn_after_it_failed_does_not_come_again(newsroom: Newsroom) -> None:
    article = newsroom.publish()
    newsroom.compile()
    change(newsroom, Delivery, state=DeliveryState.FAILED, reason="550 no such user")
    change(newsroom, Article, withdrawn_at=NOW)

    assert explain(newsroom, article)["reason"].endswith("is failed (550 no such user): it was withdrawn")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, "it is in the reader's next edition of world, which is not made yet"),
        ({"hidden_at": NOW}, "an editor has hidden it"),
        ({"withdrawn_at": NOW}, "an editor has withdrawn it"),
        ({"held_back": "without a date"}, "it is held back: without a date"),
        ({"topics": ["gardening"]}, "none of its topics is one of the digest's"),
        ({"published_at": NOW - 40 * DAY}, "it is older than 31 days"),
        ({"first_seen_at": NOW - 20 * DAY}, "it was there before the reader chose its topic"),
    ],
)
def test_what_keeps_an_article_out_of_the_next_edition_is_told(
    newsroom: Newsroom, values: dict[str, Any], reason: str
) -> None:
    article = newsroom.publish()
    change(newsroom, Article, **values)

    found = explain(newsroom, article)

    assert (found["included"], found["edition"], found["reason"]) == (False, None, reason)


@pytest.mark.parametrize("state", [s for s in SubscriptionState if s is not SubscriptionState.CONFIRMED])
def test_whoever_gets_nothing_is_told_the_state_of_the_subscription(
    newsroom: Newsroom, state: SubscriptionState
) -> None:
    article = newsroom.publish()
    change(newsroom, Subscription, state=state)

    assert explain(newsroom, article)["reason"] == f"the subscription to world is {state}"


def test_an_article_behind_more_than_fit_rolls_over(newsroom: Newsroom) -> None:
    oldest = newsroom.publish(at=NOW - DAY)
    for _ in range(5):
        newsroom.publish()

    assert explain(newsroom, oldest)["reason"] == (
        "5 newer or pinned articles come first; it rolls over until it is too old"
    )
