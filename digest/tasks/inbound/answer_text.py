"""The text of a reply in its reader's language: stored as plain values, worded when it is sent.

`list_commands` returns the words that a reader may write. Each is a phrase of the catalogues, and a test
parses each of them as the command that it stands for.
"""

from collections.abc import Mapping
from datetime import datetime

from digest.mail.rendering.catalogues import Translator
from digest.mail.rendering.dates import format_day
from digest.mail.rendering.names import Names
from digest.rules.readers.consent import EVERY_TOPIC
from digest.rules.readers.mail_commands import MailVerb

VERBS = {
    MailVerb.SUBSCRIBE: "command_subscribe",
    MailVerb.LEAVE: "command_unsubscribe",
    MailVerb.TOPICS: "command_topics",
    MailVerb.PAUSE: "command_pause",
    MailVerb.RESUME: "command_resume",
    MailVerb.HOUR: "command_hour",
    MailVerb.SEND: "command_send",
    MailVerb.RECORD: "command_record",
    MailVerb.HELP: "command_help",
}
"""The phrase that names each command; a cadence is asked for by its own name."""


def tell_values(words: Translator, names: Names, timezone: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return stored values as a reader reads them: names, dates and commands in their language."""
    told = dict(values)
    if "cadence" in values:
        told["cadence"] = names.cadence(words, values["cadence"])
    if "topics" in values:
        told["topics"] = _topics(words, names, values["topics"])
    if "until" in values:
        told["time"] = format_day(datetime.fromisoformat(values["until"]), words.language, timezone)
    if "verb" in values:
        told["command"] = _command(words, names, values["verb"], values.get("argument", ""))
    if "cadences" in values:
        told["commands"] = list_commands(words, names, values["cadences"].split(", "), told["topics"])
    return told


def list_commands(words: Translator, names: Names, cadences: list[str], topics: str) -> str:
    """Return the commands with examples of arguments, separated as the language does it."""
    say, comma = words.say, words.say("comma")
    topic = f"{say('command_topics')} ({topics})" if topics else ""
    listed = [
        say("command_subscribe"),
        say("command_unsubscribe"),
        *(names.cadence(words, cadence) for cadence in cadences),
        topic,
        f"{say('command_pause')} {say('two_weeks')}",
        say("command_resume"),
        f"{say('command_hour')} 8",
        say("command_send"),
        say("command_record"),
        say("command_help"),
    ]
    return comma.join(one for one in listed if one)


def _topics(words: Translator, names: Names, stored: str) -> str:
    if stored == EVERY_TOPIC:
        return words.say("every_topic")
    return words.say("comma").join(names.topic(words.language, one) for one in stored.split(", ") if one)


def _command(words: Translator, names: Names, verb: str, argument: str) -> str:
    if verb == MailVerb.CADENCE:
        return names.cadence(words, argument)
    key = VERBS.get(MailVerb(verb))
    return f"{words.say(key) if key else verb} {argument}".strip()
