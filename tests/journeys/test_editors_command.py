"""The commands that let editors in: passwords are asked, read or mailed, and never shown."""

import io
from pathlib import Path

import pytest

from tests.support.desks import PASSWORD
from tests.support.newsroom import Caught, Publication


def test_an_editor_is_added_listed_changed_and_removed(
    publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    said = publication.run("editors", "add", "Mara@Courier.example", "--role", "publisher")
    assert "publisher: added" in said
    (row,) = publication.facts("editors", "list")
    assert (row["address"], row["role"], row["has_password"]) == ("Mara@courier.example", "publisher", True)
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD))
    assert "changed; their sessions have ended" in publication.run("editors", "add", "mara@courier.example")
    assert publication.facts("editors", "list")[0]["role"] == "editor"

    assert publication.run("editors", "remove", "mara@courier.example") == "removed\n"

    assert publication.facts("editors", "list") == []
    assert "is not an editor" in publication.run("editors", "remove", "mara@courier.example", code=1)


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        ("", 2, "standard input has no password"),
        ("short", 1, "12 to 200 characters"),
        ("x" * 201, 1, "12 to 200"),
    ],
)
def test_a_password_that_cannot_be_used_is_refused_without_being_shown(
    publication: Publication, monkeypatch: pytest.MonkeyPatch, typed: str, code: int, said: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    out = publication.run("editors", "add", "mara@courier.example", code=code)
    assert said in out
    assert not typed or typed not in out
    assert publication.facts("editors", "list") == []


def test_an_invitation_mails_a_link_and_says_where_the_relay_does_not_take_it(tmp_path: Path) -> None:
    with Caught() as relay:
        publication = Publication(tmp_path, f"sqlite:///{tmp_path}/digest.db", port=relay.port)
        said = publication.run("editors", "add", "mara@courier.example", "--invite")
    assert "is on its way" in said
    (message,) = relay.parsed()
    assert "/desk/password/" in message.as_string()
    assert "/desk/password/" not in said
    failed = publication.run("editors", "add", "mara@courier.example", "--invite", code=1)
    assert "is an editor without a password" in failed
    assert "the relay did not accept the message" in failed
