"""Send the requests for confirmation that are due; nothing else is sent before they are answered."""

from datetime import datetime
from urllib.parse import quote

from digest.mail.headers import ReaderHeaders, message_id
from digest.mail.message import Message
from digest.mail.rendering.dates import format_moment
from digest.mail.rendering.drawing import Notice
from digest.mail.rendering.names import Names
from digest.mail.rendering.renderer import Renderer
from digest.models import Confirmation, DeliveryState, MailState, Subscriber, Subscription
from digest.models.row import row_id
from digest.net.smtp import Connection, Envelope
from digest.rules.delivery.reply_verdicts import Verdict, judge, without_address
from digest.rules.tokens import mail_tokens
from digest.store.readers import confirmations
from digest.store.readers.reader_mail import record_mail
from digest.tasks.composing.notices import compose_for_one
from digest.tasks.delivery.one_message import run_connection
from digest.tasks.delivery.run import Run
from digest.tasks.readers.readers import Readers

STATES = {
    DeliveryState.ACCEPTED: MailState.ACCEPTED,
    DeliveryState.FAILED: MailState.FAILED,
    DeliveryState.UNCERTAIN: MailState.UNCERTAIN,
}


def ask_due(run: Run, readers: Readers, renderer: Renderer) -> int:
    """Send every request that is due; return how many the relay accepted."""
    accepted = 0
    with run_connection(run) as relay:
        while not run.ended:
            with run.database.write() as session:
                row = confirmations.claim_confirmation(session, run.owner, run.clock())
                if row is None:
                    return accepted
                subscriber, subscription = confirmations.get_asked_reader(session, row)
            connection = relay.open()
            if connection is None:
                _record(run, row, MailState.PLANNED)
                return accepted
            verdict = _ask(run, readers, renderer, connection, row, subscriber, subscription)
            accepted += verdict.state is DeliveryState.ACCEPTED
    return accepted


def _ask(
    run: Run,
    readers: Readers,
    renderer: Renderer,
    connection: Connection,
    row: Confirmation,
    subscriber: Subscriber,
    subscription: Subscription,
) -> Verdict:
    """Mark, then submit, then record: the claim protocol of one message."""
    with run.database.write() as session:
        token = readers.give_token(session, row_id(row))
        record_mail(session, Confirmation, row_id(row), run.owner, MailState.IN_FLIGHT)
    at = run.clock()
    message = run.composer.sign(
        compose_asking(readers, renderer, row, subscriber, subscription, token, at), at
    )
    named = subscription.digest, "asking"
    sender = run.composer.return_paths.write(subscriber.public_id, named)
    outcome = connection.submit(Envelope(sender, subscriber.address), message)
    now = run.clock()
    verdict = judge(outcome, attempts=row.attempts + 1, now=now)
    if verdict.pause:
        run.give_up(f"the relay refuses us: {verdict.pause}; fix that, and the next run continues")
    state = STATES.get(verdict.state, MailState.PLANNED)
    if state is MailState.UNCERTAIN and run.resend and not row.attempts:
        state = MailState.PLANNED  # repeated once, like a delivery
    _record(
        run,
        row,
        state,
        reply=without_address(verdict.reason, subscriber.address)[:500],
        due_at=verdict.due_at,
    )
    return verdict


def compose_asking(
    readers: Readers,
    renderer: Renderer,
    row: Confirmation,
    subscriber: Subscriber,
    subscription: Subscription,
    token: str,
    now: datetime,
) -> Message:
    """Compose the request: who asked, when, the link, and no advertising."""
    site = readers.settings.site
    words = renderer.catalogues.choose([subscriber.language, site.language])
    language = words.language
    title = _name_digests(readers, row, subscription.digest, language, words.say("comma"))
    subject = words.say("ask_subject", title=title)
    zone = subscriber.timezone or site.timezone
    notice = renderer.render_notice(
        "confirm",
        language,
        {
            "publication": site.name,
            "title": title,
            "subject": subject,
            "address": subscriber.address,
            "confirm_url": f"{site.base_url}/confirm/{token}"
            if readers.settings.web.enabled
            else f"mailto:{quote(_reply_address(readers, row, subscriber), safe='+@')}",
            "expires": format_moment(row.expires_at, language, zone, words.say("comma")),
            "asked": format_moment(row.asked_at, language, zone, words.say("comma")),
            "ip": row.origin.get("ip", ""),
            "postal_address": site.postal_address,
        },
    )
    named = (subscription.digest, "asking", str(row.id))
    return compose_to_reader(
        readers,
        notice,
        subject,
        subscriber,
        subscriber.address,
        named,
        now,
        _reply_address(readers, row, subscriber),
    )


def _reply_address(readers: Readers, row: Confirmation, subscriber: Subscriber) -> str:
    """Return the address to which a reply confirms; "" if no mail is received."""
    inbound = readers.settings.inbound
    if not inbound.address:
        return ""
    names = (str(row_id(row)),)
    token = mail_tokens.sign_address(readers.signing_keys, mail_tokens.CONFIRM, subscriber.public_id, names)
    return f"{inbound.before}{token}@{inbound.domain}"


def _name_digests(readers: Readers, row: Confirmation, first: str, language: str, comma: str) -> str:
    """Return the titles of all digests that a confirmation is about."""
    also = row.choices.get("also")
    names = [first, *(also if isinstance(also, dict) else {})]
    titles = [found.title for name in names if (found := readers.find_digest(name)) is not None]
    called = Names(readers.settings.site.names)
    return comma.join(called.text(language, title) for title in titles)


def compose_to_reader(
    readers: Readers,
    notice: Notice,
    subject: str,
    subscriber: Subscriber,
    address: str,
    named: tuple[str, str, str],
    now: datetime,
    reply_to: str = "",
) -> Message:
    """Compose a message to one reader that is not a delivery; `named` distinguishes it from the reader's
    others."""
    site = readers.settings.site
    identity = message_id(readers.suppression_key, *named, subscriber.public_id, site.from_domain)
    own = ReaderHeaders(to_name=subscriber.name, to_address=address, date=now, message_id=identity)
    return compose_for_one(site, notice, subject, own, reply_to=reply_to)


def _record(
    run: Run, row: Confirmation, state: MailState, *, reply: str = "", due_at: datetime | None = None
) -> None:
    with run.database.write() as session:
        record_mail(session, Confirmation, row_id(row), run.owner, state, reply=reply, due_at=due_at)
