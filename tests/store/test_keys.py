"""Values that are kept by name, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlmodel import select

from digest.models import Memo
from digest.store.database import Database
from digest.store.keys import keep_memo


def test_processes_that_remember_at_once_keep_the_last_value_and_none_of_them_fails(
    database: Database,
) -> None:
    ready = Barrier(4)

    def remember(number: int) -> None:
        with database.write() if not database.is_sqlite else database.read() as session:
            session.get(Memo, "scored")  # each has looked before any of them writes
            ready.wait(30)
            if not database.is_sqlite:
                keep_memo(session, "scored", str(number))
                session.commit()
                return
        with database.write() as session:
            keep_memo(session, "scored", str(number))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(remember, range(4)))

    with database.read() as session:
        (kept,) = session.exec(select(Memo).where(Memo.name == "scored"))
    assert kept.value in {"0", "1", "2", "3"}
