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


POLITE = {
    MailVerb.LEAVE: [
        "Please unsubscribe me, thank you.", "UNSUBSCRIBE", '"unsubscribe"', "Bitte melden Sie mich ab.", "Bitte abmelden!",
        "Hiermit kündige ich den Newsletter.", "Merci de me désabonner.", "Désinscrivez-moi svp", "Por favor, denme de baja",
        "Vorrei cancellarmi, grazie", "Graag afmelden", "Uitschrijven a.u.b.", "Proszę mnie wypisać", "Por favor cancelar",
        "Snälla avregistrera mig", "Пожалуйста, отпишите меня", "إلغاء الاشتراك من فضلك", "Remove me from the list",
        "Take me off this list please", "unsubscribe from this newsletter", "I would like to unsubscribe",
    ],
    MailVerb.SUBSCRIBE: ["Subscribe please", "Bitte anmelden", "Please subscribe me"],
    MailVerb.CADENCE: ["weekly please", "Bitte wöchentlich", "hebdomadaire, merci"],
    MailVerb.PAUSE: ["please pause 2 weeks", "Bitte 2 Wochen pausieren", "Pause 2 Wochen bitte", "pause de 2 semaines"],
    MailVerb.HOUR: ["hour 8 please", "Uhrzeit 8 Uhr", "heure 8h svp"],
    MailVerb.SEND: ["Send now, please"],
    MailVerb.RECORD: ["Please send me my data"],
}  # fmt: skip


@pytest.mark.parametrize(("verb", "text"), [(verb, text) for verb, texts in POLITE.items() for text in texts])
def test_a_command_may_be_asked_for_politely(verb: MailVerb, text: str) -> None:
    found = read_command(text, OFFERED, {"world"})
    assert found is not None
    assert found.verb is verb


@pytest.mark.parametrize(
    "text",
    [
        "I will never unsubscribe from this lovely paper.", "Please do not unsubscribe me!", "Bitte nicht abmelden",
        "Stop the trawlers", "Leave the pier as it is", "Can you remove the second paragraph?", "Join the dockers",
        "How do I unsubscribe a friend?", "Thank you, please remove the ad on page 4", "ok thanks", "Yes please",
        "Help the harbour porpoise, please.", "The council should cancel the fee", "Cancel the fee",
    ],
)  # fmt: skip
def test_a_letter_with_such_words_is_no_command(text: str) -> None:
    assert read_command(text, OFFERED, {"world"}) is None


@pytest.mark.parametrize(
    "text",
    [
        "Hello,\n\nplease unsubscribe me.\n\nAnna",
        "Sehr geehrte Damen und Herren,\nbitte abmelden\nAnna Lind",
        "Hello, please unsubscribe me",
    ],
)
def test_a_greeting_may_stand_above_a_command(text: str) -> None:
    assert find_command("", text, "", OFFERED, {"world"}) == MailCommand(MailVerb.LEAVE)
    assert find_command("", "Hello,\n\nyour bridge is open.\n\nunsubscribe", "", OFFERED, {"world"}) is None


def test_a_word_behind_leave_is_one_of_the_digests() -> None:
    assert read_command("stop the trawlers", OFFERED, {"world"}) is None
    assert read_command("Stop world", OFFERED, {"world"}) == MailCommand(MailVerb.LEAVE, "world")
