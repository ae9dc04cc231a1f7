"""Commands by mail are found in subject, first line or address, in each language; letters are none."""

from datetime import UTC, datetime, timedelta

import pytest

from digest.rules.readers.mail_commands import (
    CADENCES,
    WORDS,
    MailCommand,
    MailVerb,
    find_command,
    read_command,
    read_pause,
    read_topics,
)

NOW = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)
OFFERED = ("daily", "weekly", "monthly")


@pytest.mark.parametrize(("verb", "word"), [(verb, word) for verb, words in WORDS.items() for word in words])
def test_every_word_of_every_language_is_its_command(verb: MailVerb, word: str) -> None:
    for text in (word, word.upper(), f"Re: {word}", f"  {word}.  "):
        assert read_command(text, OFFERED) == MailCommand(verb)


@pytest.mark.parametrize(
    ("name", "word"), [(name, word) for name, words in CADENCES.items() for word in words]
)
def test_a_cadence_is_named_in_every_language_where_it_is_offered(name: str, word: str) -> None:
    assert read_command(word, OFFERED) == MailCommand(MailVerb.CADENCE, name)
    assert read_command(word, ()) is None


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("topics world, culture", MailCommand(MailVerb.TOPICS, "world, culture")),
        ("Themen: welt", MailCommand(MailVerb.TOPICS, "welt")),
        ("pause 2 weeks", MailCommand(MailVerb.PAUSE, "2 weeks")),
        ("hour 8", MailCommand(MailVerb.HOUR, "8")),
        ("subscribe world", MailCommand(MailVerb.SUBSCRIBE, "world")),
    ],
)
def test_a_command_has_its_argument(text: str, command: MailCommand) -> None:
    assert read_command(text, OFFERED) == command


@pytest.mark.parametrize(
    "text",
    [
        "Stop the presses: the bridge is open!",
        "Please leave the bridge as it is, it was fine.",
        "Help for the harbour is needed",
        "pause for a moment and think",
        "hour by hour it rained",
        "",
        "x" * 500,
    ],
)
def test_a_sentence_is_no_command(text: str) -> None:
    assert read_command(text, OFFERED) is None


def test_the_subject_of_a_reply_is_the_digests_own_and_no_command() -> None:
    assert find_command("Re: daily", "A letter about the bridge.", "", OFFERED) is None
    assert find_command("Re: World", "weekly", "", OFFERED) == MailCommand(MailVerb.CADENCE, "weekly")
    assert find_command("", "", "subscribe-world", OFFERED) == MailCommand(MailVerb.SUBSCRIBE, "world")


@pytest.mark.parametrize(
    ("text", "days"),
    [("2 weeks", 14), ("3 Tage", 3), ("1 mois", 30), ("2 semanas", 14), ("2 tygodnie", 14), ("9 månader", 270),
     ("999 months", 365), ("2 settimane", 14), ("5 dagen", 5)],
)  # fmt: skip
def test_a_pause_is_read_in_the_readers_words(text: str, days: int) -> None:
    assert read_pause(text, NOW) == NOW + timedelta(days=days)


def test_topics_are_read_as_a_list() -> None:
    assert read_topics("World, culture; science world") == ("world", "culture", "science")
