"""A reader's first minute: asked, confirmed, and greeted by one mail, before any edition."""

import re

from digest.bootstrap import Application
from digest.settings import load_settings
from tests.support.newsroom import Caught, Publication
from tests.support.readers import hidden_fields
from tests.support.wire import serving


def join(publication: Publication, relay: Caught, address: str) -> None:
    """Sign a reader up and confirm, as they would."""
    publication.run("subscribers", "add", address, "--language", "sv")
    publication.run("send")
    asked = relay.parsed()[-1].get_body(("plain",))
    assert asked is not None
    path = re.search(r"https://courier\.example(/confirm/\S+)", asked.get_content())
    assert path is not None
    app = Application(load_settings(publication.config))
    with serving(app.readers) as wire:
        for _ in range(2):
            wire.post(path[1], hidden_fields(wire.get(path[1]).text))
    app.database.close()


def test_a_new_reader_is_asked_then_greeted_once_in_their_language(publication: Publication) -> None:
    greeting = 'welcome = "mail"\nwelcome_text = "Good to have you."\n[digests.cadences]'
    publication.change_settings("[digests.cadences]", greeting)
    publication.change_settings("[web]", '[site.names.sv]\n"Good to have you." = "Kul att du är med."\n[web]')
    with Caught() as relay:
        publication.use_relay(relay.port)
        join(publication, relay, "anna@readers.example")
        publication.run("send")
        publication.run("send")

        assert relay.recipients == ["anna@readers.example"] * 2
        welcome = relay.parsed()[1]
    body = welcome.get_body(("plain",))
    assert body is not None
    assert welcome["Subject"] == "Välkommen till World Briefing"
    assert welcome["Auto-Submitted"] == "auto-generated"
    assert "Kul att du är med." in body.get_content()
    assert "https://courier.example/preferences/" in body.get_content()


def test_a_new_reader_gets_their_own_first_edition_at_once_and_nothing_of_it_again(
    publication: Publication,
) -> None:
    greeting = 'welcome = "edition"\nwelcome_text = "Good to have you."\n[digests.cadences]'
    publication.change_settings("[digests.cadences]", greeting)
    publication.write_article("The bridge reopens")
    with Caught() as relay:
        publication.use_relay(relay.port)
        join(publication, relay, "anna@readers.example")
        publication.run("send")
        publication.run("send", "--now")
        publication.run("send")

        assert relay.recipients == ["anna@readers.example"] * 2
        first = relay.parsed()[1]
    body, page = first.get_body(("plain",)), first.get_body(("html",))
    assert body is not None
    assert page is not None
    assert "Good to have you." in page.get_content()
    assert "World Briefing (första utgåvan)" in body.get_content()
    assert "/archive/" not in page.get_content()
    audited = publication.facts("audit")
    welcome = next(one for one in audited["editions"] if one["cadence"] == "welcome")
    assert (audited["ok"], welcome["accepted"], welcome["open"]) == (True, 1, 0)
