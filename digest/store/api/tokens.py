"""Tokens of the API, and the answers kept for repeated requests."""

from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, select

from digest.models import ApiToken, Editor, KeptAnswer


def find_token(session: Session, token_hash: str) -> tuple[ApiToken, Editor | None] | None:
    """Find a token that is not revoked with the editor who made it, locked until the commit."""
    query = (
        select(ApiToken, Editor)
        .join(Editor, col(Editor.id) == col(ApiToken.editor_id), isouter=True)
        .where(ApiToken.token_hash == token_hash, col(ApiToken.revoked_at).is_(None))
        .with_for_update(of=ApiToken)
    )
    return session.exec(query).first()


def list_tokens(session: Session, editor_id: int | None = None) -> list[tuple[ApiToken, Editor | None]]:
    """List the tokens, or those of one editor, the latest first; revoked ones last."""
    query = select(ApiToken, Editor).join(Editor, col(Editor.id) == col(ApiToken.editor_id), isouter=True)
    if editor_id is not None:
        query = query.where(ApiToken.editor_id == editor_id)
    ordered = query.order_by(col(ApiToken.revoked_at).is_not(None), col(ApiToken.id).desc())
    return list(session.exec(ordered).all())


def get_token(session: Session, token_id: int) -> ApiToken | None:
    """Return a token by its id."""
    return session.get(ApiToken, token_id)


def find_answer(session: Session, token_id: int, key: str) -> KeptAnswer | None:
    """Find the answer kept under a key, locked until the commit."""
    wanted = (KeptAnswer.token_id == token_id, KeptAnswer.key == key)
    return session.exec(select(KeptAnswer).where(*wanted).with_for_update()).first()


def enter_answer(session: Session, row: KeptAnswer) -> bool:
    """Enter a key; return False if it is known, whoever entered it."""
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        return False
    return True


def drop_answer(session: Session, token_id: int, key: str) -> None:
    """Forget a key."""
    session.exec(delete(KeptAnswer).where(col(KeptAnswer.token_id) == token_id, col(KeptAnswer.key) == key))


def forget_answers(session: Session, before: datetime) -> None:
    """Forget the answers to requests from before a time."""
    session.exec(delete(KeptAnswer).where(col(KeptAnswer.begun_at) < before))
