"""Requests that take long leave threads to the others."""

import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from urllib.error import HTTPError

import anyio
import pytest
from anyio import to_thread
from fastapi import FastAPI

from digest.errors import Busy
from digest.web.connections import ConnectionLimits
from digest.web.server import Server
from digest.web.shared import threads
from digest.web.shared.guard import Guard
from digest.web.shared.threads import PAGES, WAITING, run_sign_in

MANY = 60


class Slow:
    """Two pages that answer once they are let go, and how many are at work at once."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self._lock, self.now, self.most = threading.Lock(), 0, 0
        self.has_begun = threading.Semaphore(0)

    def page(self) -> str:
        """Wait, and be counted meanwhile."""
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.has_begun.release()
        assert self.let_go.wait(30)
        with self._lock:
            self.now -= 1
        return "done"


@contextmanager
def served(slow: Slow) -> Iterator[str]:
    app = FastAPI()
    app.add_api_route("/slow", slow.page, methods=["GET", "POST"])
    app.add_api_route("/quick", lambda: "here", methods=["GET"])
    app.add_middleware(Guard, base_url="https://courier.example")
    server = Server(app, "127.0.0.1", 0, ConnectionLimits(per_client=2 * MANY))
    server.start()
    try:
        yield server.url
    finally:
        slow.let_go.set()
        server.stop()


def ask(method: str, url: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=20) as answer:
            return HTTPStatus(answer.status)
    except HTTPError as error:
        return error.code


def test_sixty_forms_that_wait_for_the_database_leave_threads_to_pages() -> None:
    slow = Slow()
    with served(slow) as url, ThreadPoolExecutor(MANY) as people:
        answers = [people.submit(ask, "POST", f"{url}/slow") for _ in range(MANY)]
        for _ in range(threads.CHANGES):
            assert slow.has_begun.acquire(timeout=20)
        assert ask("GET", f"{url}/quick") == 200
        assert slow.now == threads.CHANGES
        slow.let_go.set()
        assert [answer.result() for answer in answers] == [200] * MANY, "each had its turn"


def test_pages_have_few_threads_and_all_are_answered() -> None:
    slow = Slow()
    with served(slow) as url, ThreadPoolExecutor(MANY) as people:
        answers = [people.submit(ask, "GET", f"{url}/slow") for _ in range(MANY)]
        for _ in range(PAGES):
            assert slow.has_begun.acquire(timeout=20)
        slow.let_go.set()
        assert [answer.result() for answer in answers] == [200] * MANY
        assert slow.most == PAGES


def test_sign_ins_beyond_those_that_may_wait_are_told_to_come_back() -> None:
    async def many(act: Callable[[], str]) -> list[str]:
        said: list[str] = []

        async def one() -> None:
            try:
                said.append(await run_sign_in(act))
            except Busy as busy:
                said.append(f"again in {busy.retry_after} s")
                if len(said) == MANY - WAITING - threads.SIGN_INS:
                    slow.let_go.set()

        async with anyio.create_task_group() as tasks:
            for _ in range(MANY):
                tasks.start_soon(one)
        return said

    slow = Slow()
    said = anyio.run(many, slow.page)
    assert said.count("done") == WAITING + threads.SIGN_INS
    assert said.count("again in 5 s") == MANY - WAITING - threads.SIGN_INS
    assert slow.most == threads.SIGN_INS


def test_a_sign_in_waits_for_a_limited_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def two(act: Callable[[], str]) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run_sign_in, act)
            await to_thread.run_sync(slow.has_begun.acquire)
            with pytest.raises(Busy):
                await run_sign_in(act)
            slow.let_go.set()

    monkeypatch.setattr(threads, "PATIENCE", 0.05)
    slow = Slow()
    anyio.run(partial(two, slow.page))
    assert slow.most == 1
