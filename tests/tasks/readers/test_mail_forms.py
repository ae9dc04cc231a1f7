"""The form in which a reader wants a digest: with pictures or without, plain text alone, or the feed alone."""

from datetime import datetime

import pytest
from sqlmodel import Session, col, select

from digest.mail.rendering.renderer import Renderer
from digest.models import (
    Article,
    Delivery,
    DeliveryState,
    MailForm,
    Subscriber,
    Subscription,
    Variant,
    Withheld,
)
from digest.resources import bundled
from digest.store.delivery.deliveries import finish_editions, make_job
from digest.tasks.composing.composer import Composer
from digest.tasks.editions.correcting import correct
from digest.tasks.ledger.audit import audit
from tests.support.compilation import DAY, NOW, Newsroom
from tests.support.newsroom import parse

PICTURE = "https://newsroom.example/bridge.jpg"


def join(newsroom: Newsroom, form: MailForm) -> int:
    """Enter a reader who wants this form."""
    number = newsroom.subscribe()
    with newsroom.database.write() as session:
        row = session.get_one(Subscription, number)
        row.mail_form = form
        session.add(row)
    return number


@pytest.fixture
def edition(newsroom: Newsroom) -> dict[MailForm, int]:
    """Compile an edition with a picture for two readers of each form; return the first of each."""
    number = newsroom.publish()
    with newsroom.database.write() as session:
        article = session.get_one(Article, number)
        article.url, article.image_url = "https://newsroom.example/1", PICTURE
        session.add(article)
    readers = {form: join(newsroom, form) for form in (*MailForm, *MailForm)}
    newsroom.compile()
    return readers


def messages(newsroom: Newsroom, session: Session) -> dict[int, bytes]:
    """Compose what is planned, by subscription."""
    composer = Composer(
        newsroom.database, newsroom.settings, Renderer(bundled("templates") / "email"), b"k" * 32
    )
    found = {}
    query = (
        select(Delivery, Subscriber)
        .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
        .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
        .where(Delivery.state == DeliveryState.PLANNED)
    )
    for delivery, subscriber in session.exec(query):
        job = make_job(delivery, subscriber, "world")._replace(public_id="a" * 26)
        found[delivery.subscription_id] = composer.compose(job, datetime.now(NOW.tzinfo)).content
    return found


def test_a_form_is_shared_by_all_who_want_it_and_each_message_has_its_form(
    newsroom: Newsroom, edition: dict[MailForm, int]
) -> None:
    with newsroom.database.read() as session:
        made = messages(newsroom, session)
        forms = sorted(session.exec(select(Variant.mail_form)))
    assert forms == sorted(MailForm)

    pictures, none, text = (
        parse(made[edition[form]]) for form in (MailForm.PICTURES, MailForm.NO_PICTURES, MailForm.TEXT)
    )
    shown, plain = pictures.get_body(("html",)), none.get_body(("html",))
    assert shown is not None
    assert plain is not None
    assert PICTURE in shown.get_content()
    assert "<img" not in plain.get_content()
    assert text.get_content_type() == "text/plain"
    assert "Story 1" in text.get_content()
    assert text["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert made[edition[MailForm.TEXT]].endswith(b"\r\n")


def test_who_reads_the_feed_alone_gets_no_mail_has_the_articles_and_the_audit_knows(
    newsroom: Newsroom, edition: dict[MailForm, int]
) -> None:
    reader = edition[MailForm.FEED]
    mine = [row for row in newsroom.deliveries() if row.subscription_id == reader]
    assert [(row.state, row.reason) for row in mine] == [(DeliveryState.WITHHELD, Withheld.FEED)]

    later = newsroom.publish(at=NOW)
    newsroom.compile(NOW + DAY)
    assert newsroom.lists()[reader] == [[1], [later]]
    newsroom.set_states(DeliveryState.ACCEPTED, [n for form, n in edition.items() if form != MailForm.FEED])
    with newsroom.database.write() as session:
        finish_editions(session, NOW + DAY)
        assert audit(session)["editions"][0]["withheld"] == 2


def test_a_change_of_form_repeats_nothing(newsroom: Newsroom, edition: dict[MailForm, int]) -> None:
    reader = edition[MailForm.FEED]
    with newsroom.database.write() as session:
        row = session.get_one(Subscription, reader)
        row.mail_form, row.cohort_id = MailForm.TEXT, None
        session.add(row)
    later = newsroom.publish(at=NOW)
    newsroom.compile(NOW + DAY)
    assert newsroom.lists()[reader] == [[1], [later]]


def test_a_correction_comes_in_the_readers_form_too(newsroom: Newsroom, edition: dict[MailForm, int]) -> None:
    newsroom.set_states(DeliveryState.ACCEPTED, [n for form, n in edition.items() if form != MailForm.FEED])
    told = correct(
        newsroom.database, newsroom.settings, "1", "The bridge is old.", NOW, speaks=lambda language: False
    )
    with newsroom.database.read() as session:
        made = messages(newsroom, session)
    assert (told.told, told.withheld) == (6, 2)
    assert parse(made[edition[MailForm.TEXT]]).get_content_type() == "text/plain"
    assert parse(made[edition[MailForm.PICTURES]]).get_content_type() == "multipart/alternative"
    assert edition[MailForm.FEED] not in made
