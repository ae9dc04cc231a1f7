"""A publisher sends breaking news from the desk, asked once more; the edition's history keeps it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import col, select, update

from digest.models import Delivery, DeskAct, Edition, EditionState, Subscription
from digest.settings import Settings
from tests.support.desks import BEN, Clock, Newsdesk


@pytest.fixture
def newsdesk(settings: Settings) -> Iterator[Newsdesk]:
    digests = tuple(one.model_copy(update={"breaking": True}) for one in settings.digests)
    newsdesk = Newsdesk(settings.model_copy(update={"digests": digests}), Clock())
    yield newsdesk
    newsdesk.close()


def test_a_publisher_sends_it_once_and_an_editor_is_told_who_may(newsdesk: Newsdesk) -> None:
    reader = newsdesk.subscribe("anna@readers.example")
    newsdesk.subscribe("paul@readers.example")
    with newsdesk.app.database.write() as session:
        session.exec(update(Subscription).where(col(Subscription.id) == reader).values(breaking=True))
    news = newsdesk.publish("Dam bursts")
    path, mara, ben = f"{Newsdesk.PATH}/breaking/{news}", newsdesk.sign_in(), newsdesk.sign_in(BEN)
    before = newsdesk.snapshot()

    assert f'href="{path}"' in ben.get(f"{Newsdesk.PATH}/edit/{news}").text
    assert "Only a publisher can send breaking news" in ben.get(path).text
    page = " ".join(mara.get(path).text.split())
    assert "1 reader who chose breaking news gets it at once" in page
    assert "Send to 1 reader now" in page
    assert newsdesk.snapshot() == before
    assert ben.do(f"breaking/{news}").status_code == 403

    assert mara.do(f"breaking/{news}").headers["location"] == f"{Newsdesk.PATH}?said=broken"
    assert mara.do(f"breaking/{news}").headers["location"] == f"{Newsdesk.PATH}?said=broken-before"
    assert "it was sent as breaking news before" in mara.get(path).text
    with newsdesk.app.database.read() as session:
        rows = session.exec(
            select(Delivery, Edition).join(Edition).where(Edition.cadence == "breaking")
        ).all()
        acts = [(one.cadence, one.act) for one in session.exec(select(DeskAct))]
    assert [delivery.subscription_id for delivery, _ in rows] == [reader]
    said = "sent “Dam bursts” as breaking news to 1 reader"
    assert acts == [("daily", said), ("breaking", said)]
    assert said in mara.get().text
    assert mara.get(f"{Newsdesk.PATH}/breaking/999").status_code == 404


def test_what_was_made_of_one_article_or_for_one_reader_has_a_page_and_can_be_resumed(
    newsdesk: Newsdesk,
) -> None:
    reader = newsdesk.subscribe("anna@readers.example")
    with newsdesk.app.database.write() as session:
        session.exec(update(Subscription).where(col(Subscription.id) == reader).values(breaking=True))
    news, mara = newsdesk.publish("Dam bursts"), newsdesk.sign_in()
    mara.do(f"breaking/{news}")
    with newsdesk.app.database.write() as session:
        session.exec(update(Edition).values(state=EditionState.PAUSED, reason="the relay refuses it"))
        session.add(Edition(digest="world", cadence="request", period="2026-11-22-1", deadline_at=newsdesk.clock(),
                            freeze_at=newsdesk.clock(), frozen_at=newsdesk.clock(), state="finished"))  # fmt: skip

    path = f"/desk/world/breaking/{news}"
    assert f'href="{path}"' in mara.get("/desk").text
    assert "the relay refuses it" in mara.get(path).text
    assert mara.get("/desk/world/request/2026-11-22-1").status_code == 200
    assert mara.do("resume", path=path).headers["location"] == f"{path}?said=resumed"
    assert mara.get("/desk/world/breaking/999").status_code == 404
    assert mara.get("/desk/world/request/2026-11-25").status_code == 404


def test_the_line_up_says_which_readers_wait_for_more_articles(newsdesk: Newsdesk) -> None:
    mara = newsdesk.sign_in()
    assert "wait until there are enough" not in mara.get().text

    digests = newsdesk.settings.digests
    newsdesk.settings.__dict__["digests"] = tuple(
        one.model_copy(update={"min_articles": 3, "max_wait": timedelta(hours=36)}) for one in digests
    )
    said = "Readers with fewer than 3 new articles wait until there are enough, or until the oldest has waited 36 hours."
    assert said in mara.get().text
