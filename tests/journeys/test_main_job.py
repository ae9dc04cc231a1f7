"""The operator's path, by the commands: from a folder and a CSV to mailboxes, once and accounted for."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from digest.cli.editions.send import describe_editions
from digest.models import EditionState
from digest.sending import Sent
from digest.tasks.editions.compiling import Compiled
from tests.support.newsroom import Caught, Publication, parse
from tests.support.websites import Website, page


def test_an_edition_reaches_each_reader_once_and_again_is_nothing_to_do(
    tmp_path: Path, database_url: str
) -> None:
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        publication.begin(readers=3)

        publication.run("send", "world", "--now")
        again = publication.run("send", "world", "--now")

        assert "was already sent" in again
        assert sorted(relay.recipients) == [f"r{n}@readers.example" for n in range(3)]
        assert publication.facts("audit")["ok"] is True


def test_an_edition_without_readers_is_not_said_to_be_sent_when_it_is_asked_for_again(
    tmp_path: Path, database_url: str
) -> None:
    publication = Publication(tmp_path, database_url)
    publication.begin(readers=0)

    first, again = (publication.run("send", "world", "--now") for _ in range(2))

    said = "has no readers yet; whoever joins it today gets theirs at once"
    assert (first.count(said), again.count(said)) == (2, 2)
    assert "already sent" not in again


@pytest.mark.parametrize(
    ("planned", "nothing_new", "said"),
    [
        (3, 1, "was already sent"),
        (0, 4, "was made before, and had nothing new for its readers"),
        (0, 0, "has no readers yet; whoever joins it today gets theirs at once"),
    ],
)
def test_a_finished_edition_says_whether_anybody_got_it(planned: int, nothing_new: int, said: str) -> None:
    item = Compiled("world", "daily", "2026-03-02", made=False, stands=EditionState.FINISHED)
    lines = describe_editions(Sent(compiled=[replace(item, planned=planned, nothing_new=nothing_new)]))
    assert lines == [f"world daily 2026-03-02: {said}"]


def test_an_edition_that_waits_for_its_relay_is_neither_sent_nor_interrupted(
    tmp_path: Path, database_url: str
) -> None:
    publication = Publication(tmp_path, database_url)
    publication.begin(readers=3)

    first = publication.run("send", "world", "--now", code=1)
    again = publication.run("send", "world", "--now", code=1)

    assert "compiled for 3 readers, nothing new for 0" in first
    assert "the next run continues" in first
    assert "is already made, and not finished: its messages are sent as they come due" in again
    assert "interrupted" not in first + again


@pytest.mark.parametrize(
    ("stands", "reason", "said"),
    [
        (EditionState.FINISHED, "", "was already sent"),
        (
            EditionState.COMPILING,
            "",
            "is already made, and not finished: its messages are sent as they come due",
        ),
        (EditionState.PAUSED, "the relay refused 20 in a row", "is paused: the relay refused 20 in a row"),
        (
            EditionState.SKIPPED,
            "later than max_lateness allows",
            "is skipped: later than max_lateness allows",
        ),
    ],
)
def test_an_edition_that_is_not_made_again_says_how_it_stands(
    stands: EditionState, reason: str, said: str
) -> None:
    item = Compiled("world", "daily", "2026-03-02", made=False, skipped=("2026-03-01", "2026-03-02"))
    lines = describe_editions(Sent(compiled=[replace(item, stands=stands, reason=reason, planned=1)]))
    assert lines == [f"world daily 2026-03-02: {said}", "world daily 2026-03-01: skipped, nothing ran then"]


def test_eight_processes_at_once_send_one_message_a_reader(tmp_path: Path, database_url: str) -> None:
    with Caught() as relay, Website(feed=page(b'<rss version="2.0"><channel/></rss>')) as site:
        publication = Publication(tmp_path, database_url, port=relay.port, connections=2)
        source = f'[[sources]]\nname = "wire"\nurl = "{site.url}/feed"\nallow_private = true\n\n[[digests]]'
        publication.change_settings("[[digests]]", source)
        publication.begin(readers=60)

        running = [publication.start("send", "world", "--now") for _ in range(8)]
        ends = [(process.wait(180), process.communicate()) for process in running]

        assert [code for code, _ in ends] == [0] * 8, "\n".join(err for _, (_, err) in ends)[-3000:]
        assert Counter(Counter(relay.recipients).values()) == {1: 60}
        assert len(site.requests) == 1, "they take turns to fetch"
        assert publication.facts("audit")["ok"] is True


def test_a_run_that_overlaps_with_another_sees_it_and_sends_nothing_twice(
    tmp_path: Path, database_url: str
) -> None:
    with Caught(delay=0.4) as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        publication.begin(readers=8)
        first = publication.start("send", "world", "--now")
        relay.wait_for(1)
        second = publication.facts("send", "world", "--now")

        _, complaints = first.communicate(timeout=120)
        assert (first.returncode, second["others"]) == (0, 1), complaints[-2000:]
        assert [one["made"] for one in second["compiled"] if one["cadence"] == "daily"] == [False]
        assert Counter(relay.recipients) == {f"r{n}@readers.example": 1 for n in range(8)}
        assert publication.facts("audit")["ok"] is True


def test_why_tells_what_a_reader_has_and_what_not(tmp_path: Path, database_url: str) -> None:
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        publication.begin(readers=1)
        publication.run(
            "subscribers", "add", "s@readers.example", "--topics", "science", "--confirmed", "by phone"
        )
        publication.run("send", "--now")
        bridge = next(a for a in publication.facts("articles", "list") if a["title"] == "Bridge reopens")

        has = publication.facts("why", "r0@readers.example", str(bridge["id"]))
        # The source gives all its articles the topic world, so science alone leaves the bridge out.
        has_not = publication.facts("why", "s@readers.example", bridge["url"])

        assert {"address", "article", "included", "reason", "edition", "state"} <= set(has)
        assert (has["included"], has["state"]) == (True, "accepted")
        assert (has_not["included"], has_not["edition"]) == (False, None)
        assert "one of the reader's" in has_not["reason"]


def test_preview_shows_the_bytes_that_are_delivered_and_changes_nothing(
    tmp_path: Path, database_url: str
) -> None:
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        publication.begin(readers=1)
        publication.run("fetch")
        before = publication.facts("status")

        shown = publication.facts(
            "preview", "world", "--as", "r0@readers.example", "--out", str(tmp_path / "look")
        )
        assert publication.facts("status") == before
        publication.run("send", "--now")

    eml = next(Path(name) for name in shown["files"] if name.endswith(".eml")).read_bytes()
    assert without_date(eml) == without_date(relay.messages[0][1])
    assert parse(eml)["Message-ID"] == relay.parsed()[0]["Message-ID"]


def test_a_relay_that_cannot_be_reached_loses_nothing_and_the_next_run_sends(
    tmp_path: Path, database_url: str
) -> None:
    relay = Caught()
    publication = Publication(tmp_path, database_url, port=relay.port)
    publication.begin(readers=2)

    said = publication.run("send", "--now", code=1)
    assert f"127.0.0.1:{relay.port} cannot be reached" in said
    assert publication.facts("audit", code=1)["ok"] is False
    assert publication.edition()["open"] == 2

    with relay:
        publication.run("send")
        assert len(relay.recipients) == 2
    assert publication.facts("audit")["ok"] is True


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_reader_for_whom_nothing_is_new_is_withheld_not_mailed(tmp_path: Path, database_url: str) -> None:
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        publication.begin(readers=1)
        publication.run(
            "subscribers", "add", "b@readers.example", "--topics", "business", "--confirmed", "by phone"
        )

        publication.run("send", "--now")

        assert relay.recipients == ["r0@readers.example"]
        assert publication.edition()["reasons"] == [
            {"state": "withheld", "reason": "nothing new", "count": 1}
        ]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_confirmed_each_address_is_asked_first_and_gets_nothing_else(
    tmp_path: Path, database_url: str
) -> None:
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        publication.write_article("Bridge reopens")
        publication.run("subscribers", "import", str(publication.write_readers(2)))

        publication.run("send", "--now")
        publication.run("send", "--now")

        assert sorted(relay.recipients) == ["r0@readers.example", "r1@readers.example"]
        for message in relay.parsed():
            assert message["Subject"] == "Confirm your subscription to World Briefing"
            assert message["Auto-Submitted"] == "auto-generated"
            text = message.get_body(("plain",))
            assert text is not None
            assert "https://courier.example/confirm/" in text.get_content()


def without_date(message: bytes) -> list[bytes]:
    """Return a message's lines without its Date."""
    return [line for line in message.split(b"\r\n") if not line.startswith(b"Date:")]
