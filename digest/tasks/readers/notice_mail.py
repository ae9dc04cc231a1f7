"""Send the notices to readers that are due: a one-hour link, a change of address, a welcome."""

from dataclasses import dataclass
from datetime import datetime

from digest.mail.message import Message
from digest.mail.rendering.catalogues import Catalogues, Translator
from digest.mail.rendering.names import Names
from digest.mail.rendering.renderer import Renderer
from digest.models import DeliveryState, MailState, NoticeKind, ReaderNotice, Subscriber
from digest.models.row import row_id
from digest.net.smtp import Connection, Envelope
from digest.rules.delivery.reply_verdicts import judge, without_address
from digest.rules.tokens import tokens
from digest.store.readers import notices, subscribers
from digest.store.readers.reader_mail import record_mail
from digest.tasks.delivery.one_message import run_connection
from digest.tasks.delivery.run import Run
from digest.tasks.readers.confirmation_mail import STATES, compose_to_reader
from digest.tasks.readers.reader_page import LINK_LIFE, MOVE_LIFE
from digest.tasks.readers.readers import Readers

_LIVES = {NoticeKind.LINK: LINK_LIFE, NoticeKind.MOVE: MOVE_LIFE}
_PATHS = {NoticeKind.LINK: "me", NoticeKind.MOVE: "address"}


@dataclass(frozen=True, slots=True)
class NoticeMail:
    """What composing a notice needs."""

    readers: Readers
    renderer: Renderer
    catalogues: Catalogues


def send_notices(run: Run, mail: NoticeMail) -> int:
    """Send every notice that is due; return how many the relay accepted."""
    accepted = 0
    with run_connection(run) as relay:
        while not run.ended:
            with run.database.write() as session:
                row = notices.claim_notice(session, run.owner, run.clock())
                if row is None:
                    return accepted
                subscriber = subscribers.get_subscriber(session, row.subscriber_id)
            connection = relay.open()
            if connection is None:
                with run.database.write() as session:
                    record_mail(session, ReaderNotice, row_id(row), run.owner, MailState.PLANNED)
                return accepted
            accepted += _send(run, mail, connection, row, subscriber)
    return accepted


def _send(
    run: Run, mail: NoticeMail, connection: Connection, row: ReaderNotice, subscriber: Subscriber
) -> bool:
    """Mark, then submit, then record: the claim protocol of one message."""
    at, token = run.clock(), ""
    with run.database.write() as session:
        if row.kind in _LIVES:
            token = mail.readers.new_token()
            expires_at = at + _LIVES[NoticeKind(row.kind)]
            notices.set_token(session, row_id(row), tokens.hash_token(token), expires_at)
        record_mail(session, ReaderNotice, row_id(row), run.owner, MailState.IN_FLIGHT)
    message = run.composer.sign(compose_notice_of(mail, row, subscriber, token, at), at)
    sender = run.composer.return_paths.write(subscriber.public_id, ("notice", str(row.id)))
    verdict = judge(
        connection.submit(Envelope(sender, row.address), message), attempts=row.attempts + 1, now=run.clock()
    )
    if verdict.pause:
        run.give_up(f"the relay refuses us: {verdict.pause}; fix that, and the next run continues")
    state = STATES.get(verdict.state, MailState.PLANNED)
    reply = without_address(verdict.reason, row.address)[:500]
    with run.database.write() as session:
        record_mail(session, ReaderNotice, row_id(row), run.owner, state, reply=reply, due_at=verdict.due_at)
    return verdict.state is DeliveryState.ACCEPTED


def compose_notice_of(
    mail: NoticeMail, row: ReaderNotice, subscriber: Subscriber, token: str, now: datetime
) -> Message:
    """Compose a notice in the reader's language, with its link and the origin of the request."""
    site = mail.readers.settings.site
    words = mail.catalogues.choose([subscriber.language, site.language])
    if row.kind == NoticeKind.WELCOME:
        return _compose_welcome(mail, row, subscriber, words, now)
    subject, text, button = _say(words, NoticeKind(row.kind), site.name)
    ip, ignore = row.origin.get("ip", ""), ""
    if token:
        ignore = words("If you did not ask for this, ignore this email: nothing changes.")
    url = f"{site.base_url}/{_PATHS[NoticeKind(row.kind)]}/{token}" if token else f"{site.base_url}/link"
    notice = mail.renderer.render_notice(
        "notice",
        words.language,
        {
            "publication": site.name,
            "subject": subject,
            "text": text,
            "url": url,
            "button": button,
            "ignore": ignore,
            "origin": words("Asked from the address {ip}.", ip=ip) if ip else "",
            "postal_address": site.postal_address,
        },
    )
    return compose_to_reader(
        mail.readers, notice, subject, subscriber, row.address, ("", "notice", str(row.id)), now
    )


def _compose_welcome(
    mail: NoticeMail, row: ReaderNotice, subscriber: Subscriber, words: Translator, now: datetime
) -> Message:
    """Compose a welcome: the publication's words, and the link to manage preferences."""
    readers, site = mail.readers, mail.readers.settings.site
    names, digest = Names(site.names), readers.settings.digest(row.origin["digest"])
    subject = words("Welcome to {title}", title=names.text(words.language, digest.title))
    usual = words("You are subscribed. The next edition comes to this address.")
    own = digest.welcome_text and names.text(words.language, digest.welcome_text)
    token = tokens.sign(readers.signing_keys, tokens.PREFERENCES, subscriber.public_id, digest.name)
    notice = mail.renderer.render_notice(
        "notice",
        words.language,
        {
            "publication": site.name,
            "subject": subject,
            "text": own or usual,
            "url": f"{site.base_url}/preferences/{token}"
            if readers.settings.web.enabled
            else readers.settings.inbound.mailto("help"),
            "button": words.say("preferences"),
            "ignore": "",
            "origin": "",
            "postal_address": site.postal_address,
        },
    )
    named = ("", "notice", str(row.id))
    return compose_to_reader(readers, notice, subject, subscriber, row.address, named, now)


def _say(words: Translator, kind: NoticeKind, publication: str) -> tuple[str, str, str]:
    """Return a notice's subject, its sentence, and the label of its button."""
    if kind is NoticeKind.LINK:
        return (
            words("Your link to {publication}", publication=publication),
            words("Here is the link to your newsletters, details and data. It works for one hour."),
            words("Manage your subscription"),
        )
    if kind is NoticeKind.MOVE:
        return (
            words("Confirm your new address"),
            words("{publication} will come to this address once you confirm it.", publication=publication),
            words("Use this address"),
        )
    return (
        words("Your address was changed"),
        words(
            "{publication} now comes to another address. If that was not you, reply to this email.",
            publication=publication,
        ),
        words("Manage your subscription"),
    )
