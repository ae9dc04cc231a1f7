"""A reader's whole life by mail, with real servers: Postfix to LMTP, Dovecot's IMAP, a mail server's pipe."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage

import pytest

from digest.bootstrap import Application
from digest.net.inbound.lmtp import LmtpServer
from tests.conftest import skip_unless_ci
from tests.support.dovecot import DOVECOT, PASSWORD, USER, Dovecot
from tests.support.inbox import Inboxed
from tests.support.newsroom import Caught, Publication
from tests.support.postfix import MASTER, Postfix, free_port

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ANNA, GONE = "anna@readers.example", "per@gone.example"
Submit = Callable[[str, str, str], None]
"""Hands a message over: its sender, its recipient, its text."""


@pytest.fixture
def inboxed(publication: Publication, caught: Caught) -> Inboxed:
    """A publication without pages, and a reader of it."""
    publication.use_relay(caught.port)
    publication.change_settings("[web]", "[web]\nenabled = false")
    inboxed = Inboxed(publication)
    publication.begin(1)
    return inboxed


def last_to(caught: Caught, address: str) -> EmailMessage:
    """Return the last message that somebody got."""
    return [one for one in caught.parsed() if one["To"] == address][-1]


def is_digest(message: EmailMessage) -> bool:
    """Whether a message is an edition."""
    return "Precedence" in message


def live(inboxed: Inboxed, caught: Caught, submit: Submit) -> None:
    """Subscribe, confirm by a reply, change, ask for data, and leave; each by one message."""
    publication = inboxed.publication

    def write(subject: str, text: str = "", *, to: str = "news@courier.example", reply_to: str = "") -> None:
        headers = [f"In-Reply-To: {reply_to}"] if reply_to else []
        submit(ANNA, to, inboxed.letter(ANNA, subject, text, to=to, headers=headers).partition("\n")[2])

    def send(*more: str, count: int) -> EmailMessage:
        publication.run("send", "world", *more)
        caught.wait_for(count)
        return last_to(caught, ANNA)

    write("", to="news+subscribe@courier.example")
    asking = send(count=1)
    assert inboxed.state(ANNA) == "pending"

    write(f"Re: {asking['Subject']}", "ok", to=asking["Reply-To"])
    send("--now", count=4)  # two readers' digests, and the answer to the reply
    assert inboxed.state(ANNA) == "confirmed"
    answer, digest = sorted((one for one in caught.parsed()[1:] if one["To"] == ANNA), key=is_digest)
    assert (answer["Auto-Submitted"], answer["In-Reply-To"]) == ("auto-replied", "<l2@readers.example>")
    assert "Bridge reopens" in digest.as_string()

    write("Re: World Briefing", "weekly", reply_to=digest["Message-ID"])
    publication.run("receive", "--now")
    assert publication.facts("subscribers", "show", ANNA)["subscriptions"][0]["cadence"] == "weekly"

    write("", to=inboxed.leave_address(ANNA))
    publication.run("receive", "--now")
    assert inboxed.state(ANNA) == "ended"


def wait_until_stored(inboxed: Inboxed, server: Postfix) -> None:
    """Wait until Postfix has delivered what it took."""
    end = time.monotonic() + 60
    while not inboxed.spool.names(1):
        assert time.monotonic() < end, server.log()
        time.sleep(0.02)


@pytest.fixture
def postfix(inboxed: Inboxed, caught: Caught) -> Iterator[Postfix]:
    """Postfix between the publication, its readers' mailboxes and its LMTP server."""
    if not MASTER.exists():
        skip_unless_ci("no Postfix here: install Debian's postfix")
    if os.geteuid() != 0:
        skip_unless_ci("Postfix's master runs as root only")
    app = Application(inboxed.settings)
    port = free_port()
    lmtp = LmtpServer(app.inbox.spool, inboxed.settings.inbound.is_ours, "127.0.0.1", port)
    lmtp.start()
    try:
        with Postfix(lmtp=port, mailbox=caught.port) as server:
            inboxed.publication.change_settings(f"port = {caught.port}", f"port = {server.port}")
            yield server
    finally:
        lmtp.stop()
        app.close()


def test_a_life_by_mail_through_postfix_and_lmtp(inboxed: Inboxed, caught: Caught, postfix: Postfix) -> None:
    def submit(sender: str, recipient: str, message: str) -> None:
        postfix.submit(sender, recipient, message)
        wait_until_stored(inboxed, postfix)

    live(inboxed, caught, submit)


def test_what_postfix_cannot_deliver_comes_back_and_suppresses_its_reader(
    inboxed: Inboxed, postfix: Postfix
) -> None:
    publication = inboxed.publication
    (publication.folder / "gone.csv").write_text(f"email\n{GONE}\n")
    publication.run("subscribers", "import", str(publication.folder / "gone.csv"), "--confirmed", "on paper")
    publication.run("send", "world", "--now")
    wait_until_stored(inboxed, postfix)
    publication.run("receive", "--now")

    assert inboxed.suppressed(GONE) == "bounce"
    assert inboxed.suppressed("r0@readers.example") is None
    (row,) = publication.facts("bounces")["by_reason"]
    assert row["hard"] == 1


def test_a_life_by_mail_through_an_imap_folder(inboxed: Inboxed, caught: Caught) -> None:
    if not DOVECOT.exists():
        skip_unless_ci("no Dovecot here: install Debian's dovecot-imapd")
    with Dovecot() as server:
        inboxed.publication.change_settings(
            "[web]",
            f'[inbound.imap]\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\n'
            f'username = "{USER}"\npassword = "{PASSWORD}"\n\n[web]',
        )
        live(inboxed, caught, lambda _sender, _recipient, message: server.append(message))


def test_a_life_by_mail_through_a_mail_servers_pipe(inboxed: Inboxed, caught: Caught) -> None:
    def submit(sender: str, recipient: str, message: str) -> None:
        config = str(inboxed.publication.config)
        piped = ["--config", config, "--return-path", sender, "--recipient", recipient]
        command = [sys.executable, "-m", "digest", "receive", *piped]
        assert subprocess.run(command, input=message.encode(), check=False).returncode == 0

    live(inboxed, caught, submit)
