"""Carry out readers' commands by mail, with the use cases of the pages."""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from digest.errors import InputError
from digest.mail.rendering.names import Names
from digest.models import SUBSCRIBED, Answer, Confirmation, Subscriber, Subscription, SubscriptionState
from digest.models.row import row_id
from digest.rules.readers import consent
from digest.rules.readers.mail_commands import MailCommand, MailVerb, read_pause, read_topics
from digest.rules.tokens import mail_tokens, tokens
from digest.settings import DigestSettings
from digest.store.readers import subscribers
from digest.tasks.editions.reader_edition import Requested
from digest.tasks.inbound.answers import plan_answer
from digest.tasks.inbound.inbox import Inbox
from digest.tasks.inbound.message_writer import Addressed, Writer
from digest.tasks.readers import confirmation, preferences, privacy, sign_up
from digest.tasks.readers.confirmation import ConfirmationResult
from digest.tasks.readers.readers import end
from digest.tasks.readers.sign_up import Choices

ORIGIN = {"mail": "command"}
_ASK_LIFE = timedelta(days=7)
Phrases = list[tuple[str, dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Request:
    """A message with a command, and what replying to it needs."""

    session: Session
    inbox: Inbox
    writer: Writer
    mail_id: str
    answerable: bool
    now: datetime

    @property
    def language(self) -> str:
        """Return the language of the reply."""
        subscriber = self.writer.subscriber
        return (subscriber.language if subscriber else None) or self.inbox.settings.site.language

    def answer(self, digest: str, phrases: Phrases, text: str = "") -> Answer | None:
        """Plan a reply, if one is allowed."""
        if not self.answerable or not self.writer.address:
            return None
        return plan_answer(
            self.session, self.writer.address, self.writer.subscriber, digest, phrases, self.mail_id,
            self.language, self.now, text=text,
        )  # fmt: skip


def carry_out(request: Request, command: MailCommand) -> str:
    """Carry out a command if its writer is proved, else ask for confirmation; return what was done."""
    if command.verb is MailVerb.HELP:
        request.answer(_digest(request, None).name, [("mail_help", _help_values(request))])
        return "help"
    if command.verb is MailVerb.SUBSCRIBE:
        return _subscribe(request, command)
    subscriber = request.writer.subscriber
    if subscriber is None:
        return "no reader of ours"
    row = _subscription(request, subscriber)
    if row is None:
        return "no subscription"
    if not request.writer.trusted:
        return _ask_first(request, command, row)
    return _apply(request, command, subscriber, row)


def act_on_address(request: Request, addressed: Addressed) -> str | None:
    """Do what the token in the address is for; return None if it has lost its effect.

    An empty message is enough: the token is both the command and its proof (RFC 2369 3.2).
    """
    session = request.session
    if addressed.purpose == mail_tokens.LEAVE:
        row = subscribers.find_subscription(session, row_id(addressed.subscriber), addressed.names[0])
        if row is not None and end(session, row, request.now, {"mail": "unsubscribe"}):
            request.answer(row.digest, [("mail_left", {})])
        return "left"
    if addressed.purpose == mail_tokens.CONFIRM:
        return _confirm(request, int(addressed.names[0]))
    answer = session.get(Answer, int(addressed.names[0]))
    if answer is None or answer.kind != "ask" or request.now - answer.created_at > _ASK_LIFE:
        return None
    answer.kind = "asked"  # a token carries its command out once
    session.add(answer)
    stored = answer.values.get("command")
    row = subscribers.find_subscription(session, row_id(addressed.subscriber), answer.digest)
    if row is None or not isinstance(stored, list):
        return None
    command = MailCommand(MailVerb(stored[0]), str(stored[1]))
    return _apply(request, command, addressed.subscriber, row)


def _subscribe(request: Request, command: MailCommand) -> str:
    """Begin a confirmed opt-in for the writer, known or not: the reply is the same for all."""
    digest = _digest(request, command.argument)
    readers, origin = request.inbox.joined(request.session), {"mail": "subscribe"}
    wording = sign_up.word_consent(request.inbox.settings, digest)
    try:
        sign_up.ask(
            readers, request.writer.address, digest.name, Choices(), origin, request.now, wording=wording
        )
    except InputError as error:
        return str(error)
    return "asked to confirm"


def _confirm(request: Request, asking_id: int) -> str | None:
    """Confirm a request whose message was replied to, with a token that is used at once."""
    readers = request.inbox.joined(request.session)
    asking = request.session.get(Confirmation, asking_id)
    if asking is None or asking.used_at is not None:
        return "confirmed before"
    confirmed = confirmation.confirm(
        readers, readers.give_token(request.session, asking_id), request.now, {"mail": "reply"}
    )
    if confirmed.answer is not ConfirmationResult.CONFIRMED:
        return confirmed.answer
    request.answer(confirmed.digest, [("mail_confirmed", {})])
    return "confirmed"


def _apply(request: Request, command: MailCommand, subscriber: Subscriber, row: Subscription) -> str:
    """Carry out a command that is proved to be the reader's."""
    digest = request.inbox.readers.find_digest(row.digest)
    if digest is None:
        return "no such digest"
    if command.verb is MailVerb.LEAVE:
        if end(request.session, row, request.now, ORIGIN):
            request.answer(row.digest, [("mail_left", {})])
        return "left"
    if command.verb is MailVerb.RECORD:
        facts = privacy.show(request.inbox.joined(request.session), subscriber.address)
        request.answer(
            row.digest, [("mail_record", {})], json.dumps(facts, ensure_ascii=False, indent=1, default=str)
        )
        return "told their data"
    if row.state not in SUBSCRIBED:
        return f"the subscription is {row.state}"
    if command.verb is MailVerb.SEND:
        return _send(request, subscriber, row, digest)
    try:
        phrases = _change(request, command, subscriber, row, digest)
    except InputError as error:
        request.answer(row.digest, [("mail_help", _help_values(request))])
        return str(error)
    request.answer(row.digest, phrases)
    return f"changed: {command.verb}"


def _send(request: Request, subscriber: Subscriber, row: Subscription, digest: DigestSettings) -> str:
    """Plan the reader's own digest, to be sent by this run; if there is none, the reply says why."""
    if row.state == SubscriptionState.PAUSED:
        request.answer(row.digest, [_paused(row.paused_until)])
        return "the subscription is paused"
    entered = request.inbox.reader_editions().enter(request.session, digest, subscriber, row, request.now)
    if entered in _NOT_SENT:
        request.answer(row.digest, [(_NOT_SENT[entered], {})])
    return f"send now: {entered}"


_NOT_SENT = {Requested.NOTHING: "mail_nothing_new", Requested.BEFORE: "mail_sent_today"}


def _paused(until: datetime | None) -> tuple[str, dict[str, str]]:
    return ("mail_paused", {"until": until.isoformat()}) if until else ("mail_paused_open", {})


def _change(
    request: Request, command: MailCommand, subscriber: Subscriber, row: Subscription, digest: DigestSettings
) -> Phrases:
    readers = request.inbox.joined(request.session)
    token = tokens.sign(readers.signing_keys, tokens.PREFERENCES, subscriber.public_id, row.digest)
    if command.verb is MailVerb.PAUSE:
        until = read_pause(command.argument, request.now)
        preferences.set_pause(readers, token, until, request.now, ORIGIN)
        return [_paused(until)]
    if command.verb is MailVerb.RESUME:
        preferences.resume(readers, token, request.now, ORIGIN)
        return [("mail_resumed", {})]
    cadence = command.argument if command.verb is MailVerb.CADENCE else row.cadence
    is_about_topics = command.verb is MailVerb.TOPICS
    topics = _named(request, digest, command.argument) if is_about_topics else consent.list_topics(row.topics)
    hour = int(command.argument.removesuffix(":00").rstrip("h ")) if command.verb is MailVerb.HOUR else None
    preferences.set_preferences(readers, token, Choices(cadence, topics), request.now, ORIGIN, hour=hour)
    return [("mail_changed", {"cadence": cadence, "topics": ", ".join(topics) or consent.EVERY_TOPIC})]


def _named(request: Request, digest: DigestSettings, argument: str) -> tuple[str, ...]:
    """Return the topics in an argument, by their keys or by their names in the reader's language."""
    names = Names(request.inbox.settings.site.names)
    called = {names.topic(request.language, topic).casefold(): topic for topic in digest.topics}
    parts = [part.strip() for part in re.split(r"[,;،]", argument.casefold())]
    if all(part in called for part in parts):
        return tuple(dict.fromkeys(called[part] for part in parts))
    named = read_topics(argument)
    return () if named in (("all",), ("*",)) else named


def _ask_first(request: Request, command: MailCommand, row: Subscription) -> str:
    """Ask the address's holder to confirm: replying to the message carries the command out."""
    subscriber = request.writer.subscriber
    asked = request.answer(row.digest, [("mail_ask", {"verb": command.verb, "argument": command.argument})])
    if asked is None or subscriber is None:
        return "not proved; no answer"
    inbound, keys = request.inbox.settings.inbound, request.inbox.readers.signing_keys
    token = mail_tokens.sign_address(keys, mail_tokens.COMMAND, subscriber.public_id, (str(asked.id),))
    asked.kind, asked.reply_to = "ask", f"{inbound.before}{token}@{inbound.domain}"
    asked.values = {**asked.values, "command": [command.verb, command.argument]}
    request.session.add(asked)
    request.session.flush()
    return "not proved; asked first"


def _subscription(request: Request, subscriber: Subscriber) -> Subscription | None:
    """Choose the subscription that a command is about: the answered edition's, else the active one."""
    rows = subscribers.list_subscriptions(request.session, row_id(subscriber))
    if request.writer.edition is not None:
        return next((row for row in rows if row.digest == request.writer.edition.digest), None)
    active = [row for row in rows if row.state in SUBSCRIBED]
    return next(iter(active or rows), None)


def _digest(request: Request, named: str | None) -> DigestSettings:
    known = request.inbox.readers.find_digest((named or "").strip())
    if known is None and request.writer.edition is not None:
        known = request.inbox.readers.find_digest(request.writer.edition.digest)
    return known or request.inbox.settings.digests[0]


def _help_values(request: Request) -> dict[str, str]:
    digest = _digest(request, None)
    return {
        "address": request.inbox.settings.inbound.address,
        "cadences": ", ".join(digest.cadences),
        "topics": ", ".join(digest.topics),
    }
