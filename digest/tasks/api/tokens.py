"""Tokens of the API: made once and shown once, counted at each request, revoked."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.errors import DigestError, InputError
from digest.models import ApiScope, ApiToken, Editor, Role
from digest.models.row import row_id
from digest.rules.api.access import admit, role_for, scopes_within
from digest.rules.tokens.tokens import hash_token
from digest.store.api import tokens
from digest.store.database import Database

PREFIX = "digest_"
"""What every token begins with, so that people and scanners of published code recognise one."""

_LONGEST_NAME = 80
_HINT = 4


class TokenUnknown(DigestError):  # noqa: N818 - named for what it is
    """Refuse the request: no token of ours, or one that is revoked."""


class TooManyRequests(DigestError):  # noqa: N818 - named for what happened
    """Refuse the request until `wait` is over."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("this token has used up its requests; wait, then try again")
        self.wait = wait


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A new token: the row that is kept, and the token itself, which is not."""

    row: ApiToken
    token: str


@dataclass(frozen=True, slots=True)
class ListedToken:
    """A token as the desk shows it: with its maker's address, and what it may do by their role now."""

    row: ApiToken
    maker: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever makes a request: the token's id and name, and what it may do."""

    token_id: int
    name: str
    scopes: frozenset[ApiScope]


def make_token(
    database: Database,
    new_token: Callable[[], str],
    name: str,
    scopes: Iterable[str],
    now: datetime,
    editor: Editor | None = None,
) -> MadeToken:
    """Make a token with some scopes; raise InputError for a name or scope that cannot be.

    An editor hands on what their own role allows; without one the command line does, which may all.
    """
    cleaned, wanted = " ".join(name.split()), list(dict.fromkeys(scopes))
    if not cleaned or len(cleaned) > _LONGEST_NAME or not cleaned.isprintable():
        raise InputError(f"a token needs a name of up to {_LONGEST_NAME} characters: say what uses it")
    if not wanted:
        raise InputError(f"a token needs a scope: pick from {', '.join(ApiScope)}")
    for scope in wanted:
        if scope not in list(ApiScope):
            raise InputError(f'"{scope}" is not a scope: pick from {", ".join(ApiScope)}')
        if editor is not None and not Role(editor.role).includes(role_for(ApiScope(scope))):
            raise InputError(
                f'"{scope}" is for a token that a person with the role {role_for(ApiScope(scope))} makes'
            )
    token = PREFIX + new_token()
    row = ApiToken(
        name=cleaned, token_hash=hash_token(token), hint=token[-_HINT:], scopes=wanted, made_at=now,
        editor_id=editor.id if editor else None,
    )  # fmt: skip
    with database.write() as session:
        session.add(row)
        session.flush()
    return MadeToken(row, token)


def list_tokens(database: Database, editor: Editor | None = None) -> list[ListedToken]:
    """List the tokens that there are and were; for an editor who is no operator, their own."""
    own = None if editor is None or Role(editor.role) is Role.OPERATOR else row_id(editor)
    with database.read() as session:
        found = tokens.list_tokens(session, own)
    return [
        ListedToken(row, maker.address if maker else "", tuple(sorted(_scopes(row, maker))))
        for row, maker in found
    ]


def revoke_token(database: Database, token_id: int, now: datetime, editor: Editor | None = None) -> ApiToken:
    """Revoke a token at once; raise InputError if there is none, or if it is not the editor's to revoke."""
    with database.write() as session:
        row = tokens.get_token(session, token_id)
        if row is None or not _may_revoke(row, editor):
            raise InputError(f'there is no token {token_id}; "digest tokens list" shows those that exist')
        row.revoked_at = row.revoked_at or now
        session.add(row)
        return row


def admit_caller(database: Database, token: str, now: datetime, per_minute: int) -> Caller:
    """Return who makes a request, and count it.

    Raise TokenUnknown or TooManyRequests. A token that is none of ours is not looked for with a lock.
    """
    if not token.startswith(PREFIX) or not token.isascii() or len(token) > 200:
        raise TokenUnknown("this is not a token of this publication: make one at the desk")
    with database.write() as session:
        found = tokens.find_token(session, hash_token(token))
        if found is None:
            raise TokenUnknown("this token is unknown or revoked: make another at the desk")
        row, maker = found
        admitted = admit(row.full_at, now, per_minute)
        row.full_at = admitted.full_at
        row.last_used_at = now
        session.add(row)
    if not admitted.allowed:
        raise TooManyRequests(admitted.wait)
    return Caller(row_id(row), row.name, _scopes(row, maker))


def _scopes(row: ApiToken, maker: Editor | None) -> frozenset[ApiScope]:
    """Return what a token may do: its maker's role counts as it is now."""
    return scopes_within(row.scopes, Role(maker.role) if maker else Role.OPERATOR)


def _may_revoke(row: ApiToken, editor: Editor | None) -> bool:
    return editor is None or Role(editor.role) is Role.OPERATOR or row.editor_id == editor.id
