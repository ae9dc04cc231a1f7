"""What an operator does for a reader who calls, by commands; each act stands in the reader's record."""

import re
from typing import Any

import pytest

from tests.support.newsroom import Caught, Publication

ANNA = "anna@readers.example"


@pytest.fixture
def publication(publication: Publication) -> Publication:
    publication.run("subscribers", "add", ANNA, "--name", "Anna Ek", "--confirmed", "by phone")
    publication.run("subscribers", "add", "bo_b@readers.example", "--name", "Bo", "--confirmed", "by phone")
    return publication


def shown(publication: Publication, address: str = ANNA) -> Any:
    return publication.facts("subscribers", "show", address)


def last_event(publication: Publication, address: str = ANNA) -> Any:
    return shown(publication, address)["consent"][-1]


def test_every_choice_is_set_and_kept_with_who_asked(publication: Publication) -> None:
    said = publication.run(
        "subscribers", "set", ANNA, "--cadence", "weekly", "--topics", "culture", "--hour", "9",
        "--name", "Anna Ek-Lund", "--language", "sv", "--timezone", "Europe/Stockholm", "--asked-by", "phone",
    )  # fmt: skip
    assert said.startswith("changed")
    facts = shown(publication)
    (row,) = facts["subscriptions"]
    assert (row["cadence"], row["topics"], row["hour"]) == ("weekly", ["culture"], 9)
    assert (facts["name"], facts["language"], facts["timezone"]) == ("Anna Ek-Lund", "sv", "Europe/Stockholm")
    assert last_event(publication)["origin"] == {
        "command": "subscribers set", "asked_by": "phone", "cadence": "weekly", "topics": "culture", "hour": "9",
    }  # fmt: skip
    again = publication.run("subscribers", "set", ANNA, "--cadence", "weekly", "--topics", "culture")
    assert again.strip() == "unchanged"
    publication.run("subscribers", "set", ANNA, "--topics", "science, culture", "--topics", "world")
    assert shown(publication)["subscriptions"][0]["topics"] == ["culture", "science", "world"]
    publication.run("subscribers", "set", ANNA, "--topics", "all", "--hour", "usual")
    (row,) = shown(publication)["subscriptions"]
    assert (row["topics"], row["hour"]) == (["*"], None)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([ANNA], 2, "nothing to set"),
        ([ANNA, "--cadence", "hourly"], 1, '"hourly" is not a cadence of world: pick daily, weekly'),
        ([ANNA, "--topics", "sports"], 1, '"sports" is not a topic'),
        ([ANNA, "--hour", "25"], 1, '"25" is not an hour'),
        ([ANNA, "--hour", "noon"], 2, '--hour "noon" is not an hour'),
        ([ANNA, "--pause", "tomorrow"], 2, '--pause "tomorrow" is not a date'),
        ([ANNA, "--pause", "2020-01-01"], 2, "has passed already"),
        ([ANNA, "--language", "tlh"], 1, '"tlh" is not a language of this installation: pick ar, de'),
        ([ANNA, "--timezone", "Mars/Olympus"], 1, '"Mars/Olympus" is not a time zone'),
        (["nobody@readers.example", "--cadence", "weekly"], 1, "is not a subscriber"),
    ],
)
def test_what_cannot_be_set_is_named_and_changes_nothing(
    publication: Publication, arguments: list[str], code: int, says: str
) -> None:
    before = shown(publication)
    assert says in publication.run("subscribers", "set", *arguments, code=code)
    assert shown(publication) == before


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (("--language", "tlh"), '"tlh" is not a language of this installation: pick ar, de'),
        (("--timezone", "Mars/Olympus"), '"Mars/Olympus" is not a time zone'),
        (("--confirmed", " "), "the wording is empty"),
    ],
)
def test_who_is_added_with_what_there_is_not_is_not_added(
    publication: Publication, option: tuple[str, str], says: str
) -> None:
    assert says in publication.run("subscribers", "add", "new@readers.example", *option, code=1)
    assert "not a subscriber" in publication.run("subscribers", "show", "new@readers.example", code=1)


def test_a_list_with_an_empty_wording_confirms_nobody(publication: Publication) -> None:
    (publication.folder / "list.csv").write_text("email\nnew@readers.example\n")
    path = str(publication.folder / "list.csv")
    assert "the wording is empty" in publication.run("subscribers", "import", path, "--confirmed", "", code=1)
    assert "not a subscriber" in publication.run("subscribers", "show", "new@readers.example", code=1)


def test_who_has_gone_is_told_since_when_and_what_brings_them_back(publication: Publication) -> None:
    publication.run("subscribers", "leave", ANNA)
    left = "unsubscribed here on 20.*; only a confirmed sign-up by the reader ends that"
    assert re.search(left, publication.run("subscribers", "set", ANNA, "--cadence", "weekly", code=1))
    assert re.search(f"nothing is paused: {left}", publication.run("subscribers", "resume", ANNA))
    assert re.search(f"{ANNA} gets no edition: {left}", publication.run("schedule", "--as", ANNA))
    publication.run("subscribers", "suppress", ANNA)
    banned = "suppressed by the operator .*`digest subscribers unsuppress` does"
    assert re.search(banned, publication.run("subscribers", "set", ANNA, "--cadence", "weekly", code=1))
    assert re.search(banned, publication.run("subscribers", "resume", ANNA))


@pytest.mark.parametrize(
    "command",
    [
        ("subscribers", "set", ANNA, "--cadence", "weekly"),
        ("subscribers", "show", ANNA),
        ("subscribers", "link", ANNA),
        ("subscribers", "leave", ANNA),
        ("subscribers", "resume", ANNA),
        ("subscribers", "move", ANNA, "anna@new.example"),
        ("subscribers", "erase", ANNA),
        ("schedule", "--as", ANNA),
        ("why", ANNA, "1"),
        ("preview", "world", "--as", ANNA),
        ("preflight", "world", "--as", ANNA, "--offline"),
    ],
    ids=" ".join,
)
def test_whoever_was_erased_is_told_from_a_stranger_by_every_command(
    publication: Publication, command: tuple[str, ...]
) -> None:
    """Nothing but a keyed hash is kept, which says when, and what would bring them back."""
    publication.run("subscribers", "erase", ANNA)
    said = publication.run(*command, code=1)
    erased = r"is not a subscriber: erased on request \(20.*\); a confirmed sign-up by the reader ends that"
    assert re.search(f'"{ANNA}" {erased}', said)
    stranger = [ANNA.replace("anna", "nobody") if one == ANNA else one for one in command]
    assert "is not a subscriber: `digest subscribers list` shows all" in publication.run(*stranger, code=1)


def test_a_pause_ends_on_its_day_or_by_resume(publication: Publication) -> None:
    publication.run("subscribers", "set", ANNA, "--pause", "2099-12-24")
    (row,) = shown(publication)["subscriptions"]
    assert (row["state"], row["paused_until"]) == ("paused", "2099-12-23T23:00:00+00:00")
    publication.run("subscribers", "set", ANNA, "--pause", "open")
    assert shown(publication)["subscriptions"][0]["paused_until"] is None
    assert publication.run("subscribers", "resume", ANNA).strip() == "resumed world"
    assert shown(publication)["subscriptions"][0]["state"] == "confirmed"
    assert "nothing is paused" in publication.run("subscribers", "resume", ANNA)


def test_a_reader_moves_with_their_record_and_the_old_address_is_told(publication: Publication) -> None:
    with Caught() as relay:
        publication.use_relay(relay.port)
        publication.run("subscribers", "move", ANNA, "anna@new.example", "--asked-by", "by phone, ticket 71")
        publication.run("send")
    assert relay.recipients == [ANNA]
    facts = shown(publication, "anna@new.example")
    assert [event["act"] for event in facts["consent"]] == ["confirmed", "changed"]
    assert last_event(publication, "anna@new.example")["origin"]["asked_by"] == "by phone, ticket 71"
    assert "is not a subscriber" in publication.run("subscribers", "show", ANNA, code=1)


def test_a_move_to_another_readers_address_or_a_banned_one_is_refused(publication: Publication) -> None:
    publication.run("subscribers", "suppress", "banned@readers.example")
    for new in ("bo_b@readers.example", "banned@readers.example", ANNA):
        assert f'"{new}" is' in publication.run("subscribers", "move", ANNA, new, code=1)
    assert shown(publication)["address"] == ANNA


def test_leaving_ends_one_or_all_and_says_when_there_is_nothing_to_end(publication: Publication) -> None:
    assert (
        publication.run("subscribers", "leave", ANNA, "--digest", "world").strip()
        == "unsubscribed from world"
    )
    assert shown(publication)["subscriptions"][0]["state"] == "ended"
    assert last_event(publication)["act"] == "left"
    assert publication.run("subscribers", "leave", ANNA).strip() == "nothing to end"
    for command in ("leave", "resume"):
        said = publication.run("subscribers", command, ANNA, "--digest", "wrold", code=1)
        assert 'there is no digest "wrold"; there is world' in said
    assert "only a confirmed sign-up" in publication.run("subscribers", "set", ANNA, "--hour", "8", code=1)


def test_a_ban_ends_all_and_is_lifted_with_who_asked(publication: Publication) -> None:
    assert "ended world" in publication.run(
        "subscribers", "suppress", ANNA, "--asked-by", "the reader, by phone"
    )
    assert shown(publication)["suppressed"] == "operator"
    publication.run("subscribers", "unsuppress", ANNA, code=2)
    publication.run("subscribers", "unsuppress", ANNA, "--asked-by", " ", code=2)
    said = publication.run("subscribers", "unsuppress", ANNA, "--asked-by", "the reader, ticket 72")
    assert "it was: operator" in said
    facts = shown(publication)
    assert facts["suppressed"] is None
    assert facts["subscriptions"][0]["state"] == "ended"
    assert last_event(publication)["origin"] == {
        "command": "subscribers unsuppress", "asked_by": "the reader, ticket 72", "unsuppressed": "operator",
    }  # fmt: skip
    assert "is not suppressed" in publication.run(
        "subscribers", "unsuppress", ANNA, "--asked-by", "x", code=1
    )


def test_an_address_that_nobody_has_is_suppressed_before_it_can_be_imported(publication: Publication) -> None:
    publication.run("subscribers", "suppress", "carl@readers.example")
    said = publication.run("subscribers", "add", "carl@readers.example", "--confirmed", "by phone", code=1)
    assert "not added: suppressed by the operator" in said


def test_a_link_is_mailed_three_times_a_day_and_to_confirmed_readers_alone(publication: Publication) -> None:
    publication.run("subscribers", "add", "new@readers.example")
    assert "never confirmed" in publication.run("subscribers", "link", "new@readers.example", code=1)
    for _ in range(3):
        publication.run("subscribers", "link", ANNA)
    assert "was mailed 3 links within a day" in publication.run("subscribers", "link", ANNA, code=1)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("EK", [ANNA]),
        ("bo_", ["bo_b@readers.example"]),
        ("_", ["bo_b@readers.example"]),
        ("%", []),
        ("readers.example", [ANNA, "bo_b@readers.example"]),
    ],
)
def test_readers_are_found_by_a_part_of_address_or_name(
    publication: Publication, text: str, found: list[str]
) -> None:
    rows = publication.facts("subscribers", "list", "--search", text)
    assert [row["address"] for row in rows] == found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_adding_who_left_or_is_banned_says_since_when_by_what_and_what_would_let_them_back(
    publication: Publication,
) -> None:
    publication.run("subscribers", "leave", ANNA)
    publication.run("subscribers", "suppress", "bo_b@readers.example")
    publication.run("subscribers", "add", "cy@readers.example", "--confirmed", "by phone")
    publication.run("subscribers", "erase", "cy@readers.example")
    publication.run("subscribers", "add", "di@readers.example", "--confirmed", "by phone")

    for address, why in (
        (ANNA, r"unsubscribed here on \d{4}-\d\d-\d\d; only a confirmed sign-up by the reader ends that"),
        ("bo_b@readers.example", r"suppressed by the operator \(\d{4}.*`digest subscribers unsuppress` does"),
        ("cy@readers.example", r"erased on request \(\d{4}-\d\d-\d\d\); a confirmed sign-up"),
    ):
        said = publication.run("subscribers", "add", address, "--confirmed", "by phone", code=1)
        assert re.search(f"{re.escape(address)}: not added: {why}", said)
    publication.run("subscribers", "add", "ed@readers.example", "--topics", "science,culture")
    assert shown(publication, "ed@readers.example")["subscriptions"][0]["topics"] == ["culture", "science"]
    said = publication.run("subscribers", "add", "di@readers.example", "--cadence", "weekly", code=1)
    assert "not changed: has other choices here, which are kept; `digest subscribers set di@" in said
    assert "nothing to change" in publication.run("subscribers", "add", "di@readers.example")
