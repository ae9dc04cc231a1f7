"""What an answer by mail tells is in the reader's language, and each word that it offers is understood."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest.mail.rendering.catalogues import Catalogues
from digest.mail.rendering.names import Names
from digest.rules.readers.mail_commands import MailCommand, MailVerb, read_command, read_pause
from digest.tasks.inbound.answer_text import VERBS, list_commands, tell_values

CATALOGUES = Catalogues(Path(__file__).parents[4] / "templates/languages")
NAMES = Names({})
CADENCES = ("daily", "weekly", "monthly")
NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)


@pytest.mark.parametrize("language", CATALOGUES.languages)
def test_every_command_that_is_offered_is_read_back(language: str) -> None:
    words = CATALOGUES.translator(language)

    for verb, key in VERBS.items():
        found = read_command(words.say(key), CADENCES)
        assert found == MailCommand(verb), (verb, words.say(key))
    for cadence in CADENCES:
        found = read_command(NAMES.cadence(words, cadence), CADENCES)
        assert found == MailCommand(MailVerb.CADENCE, cadence)


@pytest.mark.parametrize("language", CATALOGUES.languages)
def test_the_examples_of_a_pause_and_an_hour_are_read_back(language: str) -> None:
    words = CATALOGUES.translator(language)
    listed = list_commands(words, NAMES, ["daily"], "world").split(words.say("comma"))
    commands = [found for text in listed if (found := read_command(text, CADENCES))]

    pause = next(found for found in commands if found.verb is MailVerb.PAUSE)
    assert read_pause(pause.argument, NOW) == NOW + timedelta(weeks=2)
    assert MailCommand(MailVerb.HOUR, "8") in commands


@pytest.mark.parametrize("language", sorted(set(CATALOGUES.languages) - {"en"}))
def test_what_is_told_has_no_english_word_and_no_bare_date(language: str) -> None:
    words = CATALOGUES.translator(language)
    told = tell_values(
        words,
        NAMES,
        "Europe/Paris",
        {"cadence": "daily", "topics": "*", "until": "2026-12-07T07:00:00+00:00", "verb": "leave"},
    )

    assert not {"daily", "leave", "*"} & {told["cadence"], told["topics"], told["command"]}
    assert not re.search(r"\d{4}-\d\d|December", told["time"])


def test_names_of_topics_are_those_of_the_settings() -> None:
    names = Names({"ar": {"world": "العالم"}})
    told = tell_values(CATALOGUES.translator("ar"), names, "UTC", {"topics": "world, sport"})
    assert told == {"topics": "العالم، Sport"}
