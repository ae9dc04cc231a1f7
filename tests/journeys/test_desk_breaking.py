"""A publisher sends breaking news from the desk, asked once more; the edition's history keeps it."""

from collections.abc import Iterator

import pytest
from sqlmodel import col, select, update

from digest.models import Delivery, DeskAct, Edition, Subscription
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
