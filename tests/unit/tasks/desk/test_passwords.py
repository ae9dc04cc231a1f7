"""Hashing passwords: few at once, few more in a queue, the rest are told to come back."""

import threading

import pytest

from digest.errors import Busy
from digest.tasks.desk.passwords import HashQueue


class Crowd:
    """People who ask for a turn; whoever has one keeps it until the crowd may go."""

    def __init__(self, queue: HashQueue) -> None:
        self.queue = queue
        self.inside, self.refused = threading.Semaphore(0), threading.Semaphore(0)
        self.most = self._now = 0
        self._lock, self._go = threading.Lock(), threading.Event()
        self._people: list[threading.Thread] = []

    def come(self, number: int) -> None:
        """Let so many come."""
        people = [threading.Thread(target=self._ask) for _ in range(number)]
        self._people += people
        for person in people:
            person.start()

    def _ask(self) -> None:
        try:
            with self.queue.turn():
                with self._lock:
                    self._now += 1
                    self.most = max(self.most, self._now)
                self.inside.release()
                self._go.wait(30)
                with self._lock:
                    self._now -= 1
        except Busy:
            self.refused.release()

    def go(self) -> None:
        """Let all finish."""
        self._go.set()
        for person in self._people:
            person.join(30)


def test_two_hash_at_once_some_wait_and_the_rest_are_refused() -> None:
    crowd = Crowd(HashQueue(at_once=2, waiting=3, patience=30))
    crowd.come(20)
    for _ in range(2):
        assert crowd.inside.acquire(timeout=30)
    assert not crowd.inside.acquire(blocking=False), "a third one hashes"
    for _ in range(15):
        assert crowd.refused.acquire(timeout=30)
    crowd.go()
    for _ in range(3):
        assert crowd.inside.acquire(timeout=30), "who waited gets a turn"
    assert not crowd.refused.acquire(blocking=False)
    assert crowd.most == 2


def test_a_queue_that_does_not_move_refuses_who_waits() -> None:
    queue = HashQueue(at_once=1, waiting=1, patience=0)
    with queue.turn(), pytest.raises(Busy) as refused, queue.turn():
        pass
    assert refused.value.retry_after == "5"
    with queue.turn():
        pass


def test_a_turn_that_fails_is_free_again() -> None:
    queue = HashQueue(at_once=1, waiting=0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), queue.turn():
            _ = 1 / 0
    with queue.turn():
        pass
