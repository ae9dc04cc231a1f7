"""A publication without a web server: a reader's whole life by mail."""

import re
from email.message import EmailMessage

import pytest

from digest.models import Bounce
from tests.support.inbox import Inboxed
from tests.support.newsroom import Caught, Publication

ANNA = "anna@readers.example"


@pytest.fixture
def inboxed(publication: Publication, caught: Caught) -> Inboxed:
    """A publication that has no pages, and one reader."""
    publication.use_relay(caught.port)
    publication.change_settings("[web]", "[web]\nenabled = false")
    inboxed = Inboxed(publication)
    publication.begin(1)
    return inboxed


def to_anna(caught: Caught) -> EmailMessage:
    """Return the last message that she got."""
    return [one for one in caught.parsed() if one["To"] == ANNA][-1]


def text_of(message: EmailMessage) -> str:
    """Return a message's text part."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_a_reader_subscribes_confirms_changes_and_leaves_by_mail(inboxed: Inboxed, caught: Caught) -> None:
    publication = inboxed.publication
    inboxed.take(inboxed.letter(ANNA, "subscribe"))
    publication.run("send", "world")
    asking = to_anna(caught)
    (link,) = set(re.findall(r"mailto:(\S+@courier\.example)", text_of(asking)))
    assert link == asking["Reply-To"]
    assert "https://courier.example" not in asking.as_string()

    inboxed.take(inboxed.letter(ANNA, to=link))
    assert inboxed.state(ANNA) == "confirmed"

    publication.run("send", "world", "--now")
    digest = next(one for one in caught.parsed() if one["To"] == ANNA and one["List-Id"])
    leave = inboxed.leave_address(ANNA)
    assert digest["List-Unsubscribe"] == f"<mailto:{leave}>"
    assert digest["List-Unsubscribe-Post"] is None
    assert digest["List-Help"] == "<mailto:news+help@courier.example>"
    assert f"mailto:{leave}" in text_of(digest)
    own = [
        url for url in re.findall(r"https://courier\.example/\S*", text_of(digest)) if "reopens" not in url
    ]
    assert [url for url in own if re.search("unsubscribe|preferences|archive", url)] == []

    replied = [f"In-Reply-To: {digest['Message-ID']}"]
    inboxed.take(inboxed.letter(ANNA, "Re: World", "weekly", headers=replied))
    assert publication.facts("subscribers", "show", ANNA)["subscriptions"][0]["cadence"] == "weekly"

    inboxed.take(inboxed.letter(ANNA, to=leave))
    assert inboxed.state(ANNA) == "ended"


def test_pages_are_not_served_where_there_are_none(inboxed: Inboxed) -> None:
    assert "there are no pages to serve" in inboxed.publication.run("web", code=2)


def test_soft_bounces_are_counted_and_a_hard_one_suppresses(inboxed: Inboxed) -> None:
    reader = "r0@readers.example"
    inboxed.publication.run("send", "world", "--now")
    soft = inboxed.bounce(reader, status="4.2.2", words="452 4.2.2 mailbox full")
    inboxed.take(soft, soft)
    assert inboxed.suppressed(reader) is None

    inboxed.take(inboxed.bounce(reader))

    assert inboxed.suppressed(reader) == "bounce"
    assert sorted(one.weight for one in inboxed.rows(Bounce)) == ["hard", "soft"]
