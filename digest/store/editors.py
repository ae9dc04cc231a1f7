"""Editors, their sessions, and the links that set their passwords."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, delete, select

from digest.models import CalendarLink, Editor, EditorSession, PasswordLink
from digest.models.row import row_id


def find_editor(session: Session, address_key: str) -> Editor | None:
    """Find the editor of an address."""
    return session.exec(select(Editor).where(Editor.address_key == address_key)).first()


def find_known(session: Session, public_id: str) -> Editor | None:
    """Find an editor by the id that links contain."""
    return session.exec(select(Editor).where(Editor.public_id == public_id)).first()


def list_editors(session: Session) -> Sequence[Editor]:
    """List all editors by address."""
    return session.exec(select(Editor).order_by(col(Editor.address_key))).all()


def find_session(session: Session, token_hash: str, now: datetime) -> tuple[Editor, EditorSession] | None:
    """Find a session that has not expired, with its editor."""
    query = (
        select(Editor, EditorSession)
        .join(EditorSession, col(EditorSession.editor_id) == col(Editor.id))
        .where(EditorSession.token_hash == token_hash, col(EditorSession.expires_at) > now)
    )
    return session.exec(query).first()


def count_sessions(session: Session, editor_id: int, now: datetime) -> int:
    """Count an editor's sessions that have not expired."""
    query = select(EditorSession.token_hash).where(
        EditorSession.editor_id == editor_id, col(EditorSession.expires_at) > now
    )
    return len(session.exec(query).all())


def end_session(session: Session, token_hash: str) -> None:
    """End one session."""
    session.exec(delete(EditorSession).where(col(EditorSession.token_hash) == token_hash))


def end_sessions(session: Session, editor_id: int, *, but: str = "") -> int:
    """End an editor's sessions except one; return how many."""
    ended = delete(EditorSession).where(
        col(EditorSession.editor_id) == editor_id, col(EditorSession.token_hash) != but
    )
    return session.exec(ended).rowcount


def forget_expired(session: Session, now: datetime) -> None:
    """Delete the sessions and links that have expired."""
    session.exec(delete(EditorSession).where(col(EditorSession.expires_at) <= now))
    session.exec(delete(PasswordLink).where(col(PasswordLink.expires_at) <= now))


def find_link(session: Session, token_hash: str, now: datetime) -> tuple[Editor, PasswordLink] | None:
    """Find a link that sets a password and has not expired, with its editor."""
    query = (
        select(Editor, PasswordLink)
        .join(PasswordLink, col(PasswordLink.editor_id) == col(Editor.id))
        .where(PasswordLink.token_hash == token_hash, col(PasswordLink.expires_at) > now)
    )
    return session.exec(query).first()


def find_calendar_of(session: Session, editor_id: int) -> CalendarLink | None:
    """Find an editor's calendar feed."""
    return session.get(CalendarLink, editor_id)


def has_calendar(session: Session, token_hash: str) -> bool:
    """Return whether a token opens a calendar feed."""
    return session.exec(select(CalendarLink).where(CalendarLink.token_hash == token_hash)).first() is not None


def drop_calendar(session: Session, editor_id: int) -> None:
    """Revoke an editor's calendar feed."""
    session.exec(delete(CalendarLink).where(col(CalendarLink.editor_id) == editor_id))


def drop_links(session: Session, editor_id: int) -> None:
    """Invalidate an editor's links that set a password."""
    session.exec(delete(PasswordLink).where(col(PasswordLink.editor_id) == editor_id))


def remove_editor(session: Session, editor: Editor) -> None:
    """Delete an editor with their sessions and links; their acts stay."""
    end_sessions(session, row_id(editor))
    drop_links(session, row_id(editor))
    drop_calendar(session, row_id(editor))
    session.delete(editor)
