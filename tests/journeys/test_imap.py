"""Mail comes in through an IMAP folder of a real server: what is ours is taken once, nothing else is touched."""

import threading
from collections.abc import Iterator

import pytest

from digest.bootstrap import Application
from digest.models import Answer, Bounce, InboundMessage
from digest.net.inbound.imap import TAKEN, FolderPosition, ImapFolder, open_folder
from digest.net.inbound.spool import Spool
from digest.settings import load_settings
from digest.tasks.inbound.intake import take_in
from digest.tasks.inbound.mailbox import account_of, fetch_mail, watch_mail
from tests.conftest import skip_unless_ci
from tests.support.dovecot import DOVECOT, PASSWORD, USER, Dovecot
from tests.support.inbox import Inboxed
from tests.support.newsroom import Caught, Publication

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
R0, R1 = "r0@readers.example", "r1@readers.example"
PRIVATE = (
    "From: a@else.example\nTo: someone@else.example\nSubject: unsubscribe\nMessage-ID: <p@x>\n\nPrivate.\n"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    if not DOVECOT.exists():
        skip_unless_ci("no Dovecot here: install Debian's dovecot-imapd")
    with Dovecot() as dovecot:
        dovecot.create("Taken")
        yield dovecot


@pytest.fixture
def caught() -> Iterator[Caught]:
    with Caught() as relay:
        yield relay


@pytest.fixture
def inboxed(publication: Publication, caught: Caught, server: Dovecot) -> Inboxed:
    """A publication that has mailed an edition to two readers, with an empty folder to read from."""
    publication.use_relay(caught.port)
    inboxed = Inboxed(publication)
    publication.begin(2)
    publication.run("send", "world", "--now")
    server.clear()
    write_settings(inboxed, server)
    return inboxed


def write_settings(inboxed: Inboxed, server: Dovecot, more: str = "") -> None:
    """Let the settings name the folder."""
    table = (
        f'[inbound.imap]\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\n'
        f'username = "{USER}"\npassword = "{PASSWORD}"\n{more}\n[web]'
    )
    inboxed.publication.change_settings("[web]", table)
    inboxed.settings = load_settings(inboxed.publication.config)


@pytest.fixture
def app(inboxed: Inboxed) -> Iterator[Application]:
    app = Application(inboxed.settings)
    yield app
    app.close()


def test_what_is_ours_is_taken_and_marked_and_nothing_else_is_touched(
    inboxed: Inboxed, server: Dovecot
) -> None:
    server.append(PRIVATE)
    server.append(inboxed.bounce(R0))

    inboxed.publication.run("receive", "--now")

    assert inboxed.suppressed(R0) == "bounce"
    private, bounce = server.flags()
    assert private.replace("\\Recent", "").strip() == ""
    assert TAKEN in bounce
    assert len(inboxed.rows(InboundMessage)) == 1

    server.append(inboxed.letter(R1, "help"))
    inboxed.publication.run("send", "world")
    assert len(inboxed.rows(InboundMessage)) == 2
    assert [one.address for one in inboxed.rows(Answer)] == [R1]


def test_what_is_taken_is_moved_where_the_settings_say_so(
    publication: Publication, inboxed: Inboxed, server: Dovecot
) -> None:
    publication.change_settings(f'password = "{PASSWORD}"', f'password = "{PASSWORD}"\nmove_to = "Taken"')
    server.append(PRIVATE)
    server.append(inboxed.bounce(R0))

    inboxed.publication.run("receive", "--now")

    assert (len(server.flags()), len(server.flags("Taken"))) == (1, 1)
    assert inboxed.suppressed(R0) == "bounce"


@pytest.mark.parametrize("step", ["deliver", "_put_away", "collect"])
def test_a_crash_at_any_step_takes_a_message_once(
    inboxed: Inboxed, server: Dovecot, app: Application, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    class Killed(BaseException):
        """Stands for the end of the process."""

    real = ImapFolder.collect

    def die(*_: object, **__: object) -> None:
        raise Killed

    def die_after(folder: ImapFolder, *given: object) -> None:
        real(folder, *given)  # type: ignore[arg-type]
        raise Killed

    server.append(inboxed.bounce(R0))
    places = {"deliver": (Spool, die), "_put_away": (ImapFolder, die), "collect": (ImapFolder, die_after)}
    with monkeypatch.context() as patched:
        patched.setattr(places[step][0], step, places[step][1])
        with pytest.raises(Killed):
            fetch_mail(app.inbox)
    for _ in range(2):
        fetch_mail(app.inbox)
        take_in(app.inbox, app.clock())

    assert len(inboxed.rows(Bounce)) == 1
    assert inboxed.suppressed(R0) == "bounce"
    assert TAKEN in server.flags()[0]


def test_a_folder_that_is_made_anew_is_read_from_its_beginning(
    inboxed: Inboxed, server: Dovecot, app: Application
) -> None:
    for number in range(3):
        server.append(PRIVATE.replace("<p@x>", f"<p{number}@x>"))
    fetch_mail(app.inbox)
    server.remake()
    server.append(inboxed.bounce(R0))

    assert fetch_mail(app.inbox) == 1


def test_mail_is_taken_as_it_comes(inboxed: Inboxed, server: Dovecot, app: Application) -> None:
    stopping, came = threading.Event(), threading.Event()
    watch = threading.Thread(target=watch_mail, args=(app.inbox, stopping, came.set))
    watch.start()
    try:
        server.append(inboxed.bounce(R0))
        assert came.wait(60)
    finally:
        stopping.set()
        watch.join(60)
    assert len(app.inbox.spool.names(9)) == 1


def test_mail_that_was_announced_before_the_wait_began_is_not_waited_for(
    inboxed: Inboxed, server: Dovecot, app: Application
) -> None:
    imap = app.settings.inbound.imap
    assert imap is not None
    with open_folder(account_of(app.settings, imap)) as folder:
        folder.collect(app.inbox.spool, lambda _head: True, FolderPosition())
        server.append(inboxed.bounce(R0))
        folder._mailbox.client.noop()  # the server announces it here, and will not do so again

        waiting = threading.Thread(target=folder.wait, args=(threading.Event(),), daemon=True)
        waiting.start()
        waiting.join(30)
        assert not waiting.is_alive()


def test_a_login_that_fails_is_told_without_its_password(
    publication: Publication, inboxed: Inboxed, server: Dovecot
) -> None:
    publication.change_settings(PASSWORD, "not the password")

    told = publication.run("receive", "--now", code=1)

    assert f"the mailbox at 127.0.0.1:{server.port} cannot be read" in told
    assert "not the password" not in told
