"""Take messages from a folder of an IMAP mailbox (RFC 9051), and wait for new ones (IDLE).

Of a message that is not ours only the header is read, and nothing changes. One of ours is durable in the
spool before it is moved or marked here; after a crash in between it is in both, and its key identifies it as
one.
"""

import contextlib
import imaplib
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError

from digest.errors import Unreachable
from digest.net.inbound.spool import MOST_READ, Spool
from digest.net.smtp.logins import Login, redactor
from digest.safe_text import printable

TAKEN = "$DigestTaken"
"""The keyword on a message of ours that was taken and is not moved elsewhere (RFC 9051 2.3.2)."""

_TIMEOUT = 60.0
_IDLES = (1, *([30] * 10))
"""Seconds of one IDLE after another, before the folder is read in any case."""
_WITHOUT_IDLE = 30.0
_MOST_HEADER = 65_536


@dataclass(frozen=True, slots=True)
class ImapAccount:
    """A mailbox, its login, and the folder that is read.

    With `token_file` the login is XOAUTH2; the file is read at each login, because its token expires soon.
    """

    host: str
    port: int
    security: str
    username: str
    password: str = field(repr=False)
    token_file: Path | None
    ca_file: Path | None
    folder: str
    move_to: str


@dataclass(frozen=True, slots=True)
class FolderPosition:
    """How far a folder was read: UIDs rise as long as UIDVALIDITY stays the same (RFC 9051 2.3.1.1)."""

    validity: int = 0
    uid: int = 0


class ImapFolder:
    """An open folder; see `open_folder`."""

    def __init__(self, mailbox: BaseMailBox, account: ImapAccount) -> None:
        self._mailbox, self._account = mailbox, account

    def collect(
        self, spool: Spool, is_ours: Callable[[bytes], bool], place: FolderPosition
    ) -> tuple[FolderPosition, int]:
        """Move new messages after a place into the spool; return the new place, and how many were ours.

        `is_ours` decides by a message's header. Raise Unreachable if the server fails, OSError if the spool
        does; messages taken until then have been moved or marked.
        """
        with _told(self._account):
            self._was_announced()
            validity = self._mailbox.folder.status(self._account.folder, ["UIDVALIDITY"])["UIDVALIDITY"]
            last = place.uid if place.validity == validity else 0
            uids = [uid for uid in self._list(f"UID {last + 1}:*") if uid > last]
            marked = set(self._list(f"UID {last + 1}:* KEYWORD {TAKEN}")) if uids else set()
        taken = 0
        for uid in uids:
            if uid not in marked and is_ours(self._read(uid, "BODY.PEEK[HEADER]", _MOST_HEADER)):
                content = self._read(uid, "BODY.PEEK[]", MOST_READ)
                if content:
                    spool.deliver([content])
                    self._put_away(uid)
                    taken += 1
            last = uid
        return FolderPosition(validity, last), taken

    def wait(self, stopping: Event) -> None:
        """Wait until there may be new mail, or until stopping: by IDLE where the server has it (RFC 2177).

        A server announces a message once. What it announced while messages were collected, or before IDLE
        began, is therefore new mail too, and is not waited for.
        """
        if "IDLE" not in self._mailbox.client.capabilities:
            stopping.wait(_WITHOUT_IDLE)
            return
        with _told(self._account):
            for seconds in _IDLES:
                if self._idle(seconds, stopping):
                    return

    def _idle(self, seconds: int, stopping: Event) -> bool:
        """Wait in one IDLE; return whether to wait no longer.

        What a server announces together with its "+ idling" lies in imaplib's buffer, where `poll` does not
        see it: it is read with the answer that ends the IDLE.
        """
        with self._mailbox.idle as idle:
            if self._was_announced():
                return True
            for _ in range(seconds):
                if stopping.is_set() or idle.poll(timeout=1.0):
                    return True
        return self._was_announced()

    def _was_announced(self) -> bool:
        """Return whether the server has announced messages (EXISTS, RFC 9051 7.4.1) since the last call."""
        _, counts = self._mailbox.client.response("EXISTS")
        return counts != [None]

    def _list(self, criteria: str) -> list[int]:
        _, found = self._mailbox.client.uid("SEARCH", criteria)
        return sorted(int(uid) for uid in (found[0] or b"").split())

    def _read(self, uid: int, what: str, most: int) -> bytes:
        """Read a piece of a message, of limited length; empty if it has been deleted meanwhile."""
        with _told(self._account):
            _, answers = self._mailbox.client.uid("FETCH", str(uid), f"({what}<0.{most}>)")
        return next((answer[1] for answer in answers if isinstance(answer, tuple)), b"")

    def _put_away(self, uid: int) -> None:
        """Move a message that was taken, or mark it.

        Without MOVE (RFC 6851) it is only marked: EXPUNGE would also remove what others have deleted.
        """
        with _told(self._account):
            if self._account.move_to and "MOVE" in self._mailbox.client.capabilities:
                self._mailbox.move(str(uid), self._account.move_to)
                return
            self._mailbox.flag(str(uid), ("\\Seen", TAKEN), True)


@contextmanager
def open_folder(account: ImapAccount) -> Iterator[ImapFolder]:
    """Log in and open the folder; raise Unreachable, with the server's words, if that fails."""
    with _told(account):
        mailbox = _connect(account)
    try:
        with _told(account):
            _log_in(mailbox, account)
        yield ImapFolder(mailbox, account)
    finally:
        with contextlib.suppress(imaplib.IMAP4.error, ImapToolsError, OSError):
            mailbox.client.logout()
        with contextlib.suppress(OSError):
            mailbox.client.shutdown()


def _log_in(mailbox: BaseMailBox, account: ImapAccount) -> None:
    """Log in, and ask for the capabilities again: there may be more than before (RFC 9051 6.1.1)."""
    if account.token_file is None:
        mailbox.login(account.username, account.password, account.folder)
    else:
        _log_in_by_token(mailbox, account.username, _read_token(account.token_file))
        mailbox.folder.set(account.folder)
    _, known = mailbox.client.capability()
    mailbox.client.capabilities = tuple((known[-1] or b"").decode("ascii", "replace").upper().split())


def _read_token(file: Path) -> str:
    """Read an access token; raise OSError if the file holds none, without its content."""
    content = file.read_bytes().strip()
    if not re.fullmatch(rb"[!-~]+", content):  # RFC 6750 2.1
        raise OSError(f"{file} holds no token: one line of ASCII without blanks is expected")
    return content.decode("ascii")


def _log_in_by_token(mailbox: BaseMailBox, username: str, token: str) -> None:
    """Log in by XOAUTH2; raise IMAP4.error with the status that the server gives for a refused token.

    A server explains a refusal in a challenge, and says NO once that was answered with an empty line.
    """
    told: list[bytes] = []

    def answer(challenge: bytes) -> bytes:
        told.append(challenge)
        return f"user={username}\1auth=Bearer {token}\1\1".encode() if len(told) == 1 else b""

    try:
        mailbox.client.authenticate("XOAUTH2", answer)
    except imaplib.IMAP4.error as error:
        status = re.search(rb'"status"\s*:\s*"(\w{1,20})"', told[1]) if len(told) > 1 else None
        why = f"the token is refused, status {status[1].decode()}" if status else str(error)
        raise imaplib.IMAP4.error(_redacted(why, Login(username, token=token))) from None


def _connect(account: ImapAccount) -> BaseMailBox:
    if account.security == "none":
        return MailBoxUnencrypted(account.host, account.port, timeout=_TIMEOUT)
    trusted = ssl.create_default_context(cafile=str(account.ca_file) if account.ca_file else None)
    if account.security == "starttls":
        return MailBoxStartTls(account.host, account.port, timeout=_TIMEOUT, ssl_context=trusted)
    return MailBox(account.host, account.port, timeout=_TIMEOUT, ssl_context=trusted)


@contextmanager
def _told(account: ImapAccount) -> Iterator[None]:
    """Describe a failure with the mailbox's name, without the password that a server may repeat."""
    try:
        yield
    except (imaplib.IMAP4.error, ImapToolsError, OSError) as error:
        # Cut to length last: of a password that the cut parts the beginning would stay.
        words = _redacted(printable(str(error)), Login(account.username, account.password))[:300]
        raise Unreachable(f"the mailbox at {account.host}:{account.port} cannot be read: {words}") from None


def _redacted(text: str, login: Login) -> str:
    redact = redactor(login)
    return redact(text) if redact else text
