"""Every commit of a process: by SQLAlchemy, and of transactions that PostgreSQL gets whole."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from digest.store.pipelined import Pipelined


def watch_commits(
    before: Callable[[], None] = lambda: None,
    after: Callable[[], None] = lambda: None,
    replace: Callable[[type, str, Any], None] = setattr,
) -> None:
    """Call `before` each commit, as long as it has not begun, and `after` it, once it is durable.

    A pipelined transaction is sent with its commit, so it begins where it is sent.
    """
    by_sqlalchemy: Any = DefaultDialect.do_commit
    send, commit = Pipelined.send, Pipelined.commit

    def watched(self: Any, connection: Any) -> None:
        before()
        by_sqlalchemy(self, connection)
        after()

    def watched_send(self: Pipelined, *given: Any) -> None:
        before()
        send(self, *given)

    def watched_commit(self: Pipelined) -> None:
        commit(self)
        after()

    replace(DefaultDialect, "do_commit", watched)
    replace(Pipelined, "send", watched_send)
    replace(Pipelined, "commit", watched_commit)
