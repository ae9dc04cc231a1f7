"""A reader asks by mail for their digest now: it goes to them alone, once a day, and is in the ledger."""

import pytest

from digest.models import Answer
from tests.support.inbox import Inboxed
from tests.support.newsroom import Caught, Publication

R0, R1 = "r0@readers.example", "r1@readers.example"


@pytest.fixture
def inboxed(publication: Publication, caught: Caught) -> Inboxed:
    """A publication that has mailed one edition to two readers, and has a new article since."""
    publication.use_relay(caught.port)
    inboxed = Inboxed(publication)
    publication.begin(2)
    publication.run("send", "world", "--now")
    assert sorted(caught.recipients) == [R0, R1]
    write(publication, "Ferry sinks")
    return inboxed


def write(publication: Publication, title: str) -> None:
    """Write an article and take it in."""
    publication.write_article(title)
    publication.run("fetch", "newsroom")


def ask(inboxed: Inboxed, caught: Caught, words: str = "send now") -> None:
    """Let R0 reply to their first edition, and let a run act on it."""
    replied = next(one for one in caught.parsed() if one["To"] == R0)["Message-ID"]
    letter = inboxed.letter(R0, "Re: World Briefing", words, headers=[f"In-Reply-To: {replied}"])
    inboxed.spool.deliver([letter.encode()])
    inboxed.publication.run("send", "world")


def previewed(inboxed: Inboxed, address: str) -> list[int]:
    """Return the articles of a reader's next edition."""
    out = str(inboxed.publication.folder)
    return list(inboxed.publication.facts("preview", "world", "--as", address, "--out", out)["articles"])


def test_the_digest_goes_to_whoever_asks_and_is_not_in_their_next_edition(
    inboxed: Inboxed, caught: Caught
) -> None:
    ask(inboxed, caught, "jetzt senden")

    assert caught.recipients[2:] == [R0]
    message = caught.parsed()[-1]
    assert "Ferry sinks" in message.as_string()
    assert "Bridge reopens" not in message.as_string()
    assert "/archive/world/request" not in message.as_string()
    assert inboxed.publication.edition("request")["accepted"] == 1
    assert inboxed.rows(Answer) == []

    write(inboxed.publication, "Mayor resigns")
    assert len(previewed(inboxed, R0)) == 1
    assert len(previewed(inboxed, R1)) == 2
    inboxed.publication.run("audit")


def test_a_second_wish_of_the_day_is_answered_and_sends_nothing(inboxed: Inboxed, caught: Caught) -> None:
    ask(inboxed, caught)
    write(inboxed.publication, "Mayor resigns")
    ask(inboxed, caught)

    (answer,) = inboxed.rows(Answer)
    assert answer.values["phrases"] == [["mail_sent_today", {}]]
    assert inboxed.publication.edition("request")["total"] == 1


def test_a_second_wish_of_the_day_hears_of_the_first_even_where_nothing_is_new(
    inboxed: Inboxed, caught: Caught
) -> None:
    ask(inboxed, caught)
    ask(inboxed, caught)

    (answer,) = inboxed.rows(Answer)
    assert answer.values["phrases"] == [["mail_sent_today", {}]]


def test_nothing_new_and_nothing_approved_is_said_so(inboxed: Inboxed, caught: Caught) -> None:
    inboxed.publication.change_settings("max_articles = 5", 'max_articles = 5\napproval = "require-approval"')
    ask(inboxed, caught)

    (answer,) = inboxed.rows(Answer)
    assert answer.values["phrases"] == [["mail_nothing_new", {}]]
    assert "request" not in {row["cadence"] for row in inboxed.publication.facts("status")["editions"]}
    assert "Ferry sinks" not in caught.parsed()[-1].as_string()


def test_an_address_that_nothing_proves_gets_no_digest_by_asking(inboxed: Inboxed, caught: Caught) -> None:
    inboxed.spool.deliver([inboxed.letter(R0, "send now").encode()])
    inboxed.publication.run("send", "world")

    (asked,) = inboxed.rows(Answer)
    assert asked.kind == "ask"
    assert "Ferry sinks" not in caught.parsed()[-1].as_string()
