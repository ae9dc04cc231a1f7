"""Sign-in and sign-out: sessions in the database, each with a cookie that expires when unused.

The cookie has the session's random token and the time of the last page, sealed. So showing a page extends the
session without writing to the database, which stores the token's hash only.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.errors import InputError
from digest.models import Editor, EditorSession
from digest.models.row import row_id
from digest.rules.readers.address import normalise
from digest.rules.tokens.sealed_values import seal, unseal
from digest.rules.tokens.tokens import hash_token
from digest.store import editors
from digest.tasks.desk.desk import Desk
from digest.tasks.desk.passwords import hash_password, is_outdated, is_right

IDLE = timedelta(hours=2)
LONGEST = timedelta(hours=14)

_COOKIE, _FORM = "desk session", "desk form"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The request of an editor who is signed in."""

    editor: Editor
    token: str
    others: int = 0

    @property
    def token_hash(self) -> str:
        """Return the hash under which a session is stored."""
        return hash_token(self.token)


def find_key(address: str) -> str:
    """Return the key that all spellings of an address share; "" if it is not an address."""
    try:
        return normalise(address).key
    except InputError:
        return ""


def sign_in(desk: Desk, address: str, password: str, now: datetime) -> str | None:
    """Return the token of a new session; None if the address or the password is wrong.

    An unknown address takes as long as a wrong password. Raise Busy if too many sign in at once.
    """
    key = find_key(address)
    with desk.database.read() as session:
        found = editors.find_editor(session, key)
    known = found.password_hash if found else None
    if not is_right(password, known) or found is None or known is None:
        return None
    token = desk.new_token()
    renewed = hash_password(password) if is_outdated(known) else known
    with desk.database.write() as session:
        editors.forget_expired(session, now)
        editor = editors.find_editor(session, key)
        if editor is None or editor.password_hash != known:
            return None
        editor.password_hash = renewed
        session.add(editor)
        session.add(
            EditorSession(
                token_hash=hash_token(token), editor_id=row_id(editor), began_at=now,
                expires_at=now + LONGEST,
            )
        )  # fmt: skip
    return token


def write_cookie(desk: Desk, token: str, now: datetime) -> str:
    """Return the cookie of a session as of now."""
    return seal(desk.keys, _COOKIE, token, now.isoformat())


def find_visit(desk: Desk, cookie: str, now: datetime) -> SignedIn | None:
    """Return the session of a cookie, unless it has ended, is too old, or was unused for too long."""
    values = unseal(desk.keys, _COOKIE, cookie)
    if values is None or now - datetime.fromisoformat(values[1]) >= IDLE:
        return None
    with desk.database.read() as session:
        found = editors.find_session(session, hash_token(values[0]), now)
        if found is None:
            return None
        others = editors.count_sessions(session, row_id(found[0]), now) - 1
    return SignedIn(found[0], values[0], others)


def sign_out(desk: Desk, visit: SignedIn) -> None:
    """End this session."""
    with desk.database.write() as session:
        editors.end_session(session, visit.token_hash)


def end_others(desk: Desk, visit: SignedIn) -> int:
    """End all other sessions of an editor; return how many."""
    with desk.database.write() as session:
        return editors.end_sessions(session, row_id(visit.editor), but=visit.token_hash)


def form_token(desk: Desk, token: str) -> str:
    """Return the anti-forgery token for the forms of a session or visitor."""
    return seal(desk.keys, _FORM, hash_token(token))


def is_own_form(desk: Desk, token: str, given: str) -> bool:
    """Return whether a form's token was made for this session or visitor."""
    return unseal(desk.keys, _FORM, given) == (hash_token(token),)


def was_own_form(desk: Desk, given: str) -> bool:
    """Return whether a form's token was made for any session or visitor, even one that has ended."""
    return unseal(desk.keys, _FORM, given) is not None
