"""The desk's accounts: add, remove, invite by a link that sets the password."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from digest.errors import InputError
from digest.models import Editor, PasswordLink, Role
from digest.models.row import row_id
from digest.rules.readers.address import normalise
from digest.rules.tokens.tokens import hash_token
from digest.store import editors
from digest.tasks.desk.desk import Desk
from digest.tasks.desk.passwords import hash_password
from digest.tasks.desk.staff_mail import post_notice

LINK_LIVES = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Added:
    """The result of adding an editor: a new one, or a known one with another role or password."""

    editor: Editor
    is_new: bool


def add_editor(desk: Desk, address: str, role: Role, password: str | None, now: datetime) -> Added:
    """Add an editor, or change the role or password of a known one, which ends their sessions.

    Without a password they have to set one by a link (`invite`).
    """
    hashed = hash_password(password) if password is not None else None
    known = normalise(address)
    with desk.database.write() as session:
        found = editors.find_editor(session, known.key)
        editor = found or Editor(
            public_id=desk.new_id(), address=known.address, address_key=known.key, created_at=now
        )
        editor.role, editor.password_hash = role, hashed
        session.add(editor)
        session.flush()
        editors.drop_links(session, row_id(editor))
        editors.end_sessions(session, row_id(editor))
        return Added(editor, found is None)


def list_editors(session: Session) -> list[Editor]:
    """List everybody who may open the desk."""
    return list(editors.list_editors(session))


def remove_editor(desk: Desk, address: str) -> None:
    """Remove an editor; all their sessions end at once."""
    with desk.database.write() as session:
        editors.remove_editor(session, _get(session, address))


def invite(desk: Desk, editor: Editor, now: datetime) -> None:
    """Mail an editor a link that sets their password; raise Unreachable if the relay refuses the message."""
    token = desk.new_token()
    with desk.database.write() as session:
        editors.drop_links(session, row_id(editor))
        session.add(
            PasswordLink(token_hash=hash_token(token), editor_id=row_id(editor), expires_at=now + LINK_LIVES)
        )
    site = desk.settings.site
    subject = f"Set your password for the desk of {site.name}"
    values = {"url": f"{site.base_url}/desk/password/{token}"}
    post_notice(desk, "password", subject, values, editor.address, f"password {editor.public_id}", now)


def find_invited(desk: Desk, token: str, now: datetime) -> Editor | None:
    """Return the editor whose password a link sets."""
    with desk.database.read() as session:
        found = editors.find_link(session, hash_token(token), now)
        return found and found[0]


def set_password(desk: Desk, token: str, password: str, now: datetime) -> Editor | None:
    """Set a password by a link, once, and end the editor's sessions; None if the link is not valid.

    Hashing is slow, so it is done outside the transaction, which blocks all other writers, and only for a
    valid link, so that a stranger cannot use up the processor.
    """
    if find_invited(desk, token, now) is None:
        return None
    hashed = hash_password(password)
    with desk.database.write() as session:
        found = editors.find_link(session, hash_token(token), now)
        if found is None:
            return None
        editor, _ = found
        editor.password_hash = hashed
        session.add(editor)
        editors.drop_links(session, row_id(editor))
        editors.end_sessions(session, row_id(editor))
        return editor


def _get(session: Session, address: str) -> Editor:
    editor = editors.find_editor(session, normalise(address).key)
    if editor is None:
        raise InputError(f'"{address}" is not an editor; "digest editors list" shows them')
    return editor
