"""Explain why a database cannot be used, in one line with its name and the remedy.

Drivers' messages are long, and SQLAlchemy adds the statement. No password is repeated: it occurs in the URL
and in no driver's message.
"""

from sqlalchemy import URL

_AUTH, _PERMISSION, _READ_ONLY, _NO_DATABASE, _NOT_SUPPORTED = "28", "42501", "25006", "3D000", "0A000"
"""SQLSTATE classes and codes (PostgreSQL documentation, appendix A)."""

_MOVED = "moved: "
"""The error with which a SQLite database refuses changes after it was moved (store.table_copy)."""

_SQLITE = (
    ("locked", "is locked by another program: end it, or wait until it has finished"),
    ("not a database", "is not an SQLite database: correct [database] url, or move the file away"),
    ("malformed", "is damaged: restore a backup, or recover it with `sqlite3 FILE .recover`"),
    ("unable to open", "cannot be opened: create its folder and let this account write there, or correct"
                       " [database] url"),
    ("readonly", "cannot be written: let this account write to the file and its folder"),
    ("read-only", "cannot be written: let this account write to the file and its folder"),
    ("is full", "has no space left: free some on its disk"),
    ("disk", "is on a disk that reports errors: check the disk, then restore a backup if need be"),
)  # fmt: skip


def explain(url: URL, error: BaseException | None) -> str | None:
    """Return what is wrong and its remedy; None if one of our statements is at fault."""
    return _of_sqlite(url, error) if url.get_backend_name() == "sqlite" else _of_postgresql(url, error)


def _of_sqlite(url: URL, error: BaseException | None) -> str | None:
    if str(error).startswith(_MOVED):
        return f"the database {url.database} was {error}; write that address into [database] url"
    if type(error).__name__ not in ("OperationalError", "DatabaseError"):
        return None
    remedy = next((remedy for word, remedy in _SQLITE if word in str(error)), None)
    return remedy and f"the database {url.database} {remedy}"


def _of_postgresql(url: URL, error: BaseException | None) -> str | None:
    state = getattr(error, "sqlstate", None) or ""
    is_operational = any(kind.__name__ == "OperationalError" for kind in type(error).__mro__)
    if state == _NOT_SUPPORTED and "cached plan" in str(error):
        return f"the database {_place(url)} was upgraded under this run: the next run continues"
    if not is_operational and state not in (_PERMISSION, _READ_ONLY):
        return None
    return f"the database {_place(url)} {_remedy(url, state, ' '.join(str(error).split()))}"


def _remedy(url: URL, state: str, text: str) -> str:
    found = next((remedy for fits, remedy in _postgresql(url, state, text) if fits), None)
    return found or f"does not answer: {text[:200] or 'no reason given'}"


def _postgresql(url: URL, state: str, text: str) -> tuple[tuple[bool, str], ...]:
    is_missing = "does not exist" in text
    return (
        (
            state.startswith(_AUTH) or "authentication failed" in text or "no password supplied" in text,
            "does not accept this login: correct user and password in [database] url",
        ),
        (
            state == _NO_DATABASE or ("database" in text and is_missing),
            f'has no database "{url.database}": create it (`createdb`), or correct [database] url',
        ),
        (
            "role" in text and is_missing,
            f'has no user "{url.username}": create it, or correct [database] url',
        ),
        (state == _PERMISSION, f'does not let "{url.username}" use its tables: let it own the database'),
        (state == _READ_ONLY, "is read-only, a standby perhaps: name the primary in [database] url"),
        (
            "refused" in text or "No such file" in text,
            "refuses connections: start it, or correct [database] url",
        ),
        (
            "timeout" in text or "timed out" in text,
            "does not answer: check host, port and firewall in [database] url",
        ),
        ("resol" in text or "not known" in text, "has an unknown host name: correct [database] url"),
    )


def _place(url: URL) -> str:
    host = url.host or url.query.get("host") or "on this machine"
    return f"{host}:{url.port or 5432}" if url.host else str(host)
