"""Fetch mail from the configured IMAP folder, and remember how far it was read."""

import logging
import threading
from collections.abc import Callable

from digest.errors import DigestError
from digest.mail.reports.dsn import find_addresses
from digest.mail.reports.parts import read_fields
from digest.models import Memo
from digest.net.inbound.imap import FolderPosition, ImapAccount, ImapFolder, open_folder
from digest.settings import Settings
from digest.settings.inbound import ImapSettings
from digest.store.keys import keep_memo
from digest.tasks.inbound.inbox import DELIVERED, Inbox

_PAUSES = (5.0, 15.0, 60.0, 300.0)
log = logging.getLogger(__name__)


def fetch_mail(inbox: Inbox) -> int:
    """Move new messages in the folder into the spool; return how many were ours.

    Do nothing if the settings name no folder. Raise Unreachable if the mailbox cannot be read.
    """
    imap = inbox.settings.inbound.imap
    if imap is None:
        return 0
    with open_folder(account_of(inbox.settings, imap)) as folder:
        return _collect(inbox, folder, imap)


def watch_mail(
    inbox: Inbox,
    stopping: threading.Event,
    came: Callable[[], None] = lambda: None,
    note: Callable[[str], None] = lambda _trouble: None,
) -> None:
    """Keep the folder open and take mail as it comes, until stopping; after a failure try again, later.

    `note` is called with what is wrong each time that the folder cannot be read, and with "" once it can.
    """
    imap = inbox.settings.inbound.imap
    failures = 0
    while imap is not None and not stopping.is_set():
        try:
            with open_folder(account_of(inbox.settings, imap)) as folder:
                failures = 0
                note("")
                while not stopping.is_set():
                    if _collect(inbox, folder, imap):
                        came()
                    folder.wait(stopping)
        except (DigestError, OSError) as error:
            log.error("%s", error)
            note(str(error))
            stopping.wait(_PAUSES[min(failures, len(_PAUSES) - 1)])
            failures += 1


def _collect(inbox: Inbox, folder: ImapFolder, imap: ImapSettings) -> int:
    named = f"imap {imap.username}@{imap.host} {imap.folder}"
    with inbox.database.read() as session:
        known = session.get(Memo, named)
        place = FolderPosition(*map(int, known.value.split())) if known else FolderPosition()
    reached, taken = folder.collect(inbox.spool, lambda head: is_ours(inbox, head), place)
    if reached != place:
        with inbox.database.write() as session:
            keep_memo(session, named, f"{reached.validity} {reached.uid}")
    return taken


def is_ours(inbox: Inbox, head: bytes) -> bool:
    """Return whether a message was sent, by its header, to an address of ours."""
    fields, inbound = read_fields(head), inbox.settings.inbound
    return any(
        inbound.is_ours(address)
        for name in DELIVERED
        for value in fields.all(name)[:20]
        for address in find_addresses(value[:4_000])[:50]
    )


def account_of(settings: Settings, imap: ImapSettings) -> ImapAccount:
    """Return the account of the settings; paths are relative to them."""
    return ImapAccount(
        host=imap.host,
        port=imap.port,
        security=imap.security,
        username=imap.username,
        password=imap.password.get_secret_value(),
        token_file=settings.path(str(imap.token_file)) if imap.token_file else None,
        ca_file=settings.path(str(imap.ca_file)) if imap.ca_file else None,
        folder=imap.folder,
        move_to=imap.move_to,
    )
