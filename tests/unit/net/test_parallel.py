"""Doing many slow things side by side."""

import threading

import pytest

from digest.net.parallel import in_parallel


@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_each_item_is_done_once_however_the_items_come(count: int) -> None:
    done = sorted(in_parallel(lambda item: item * 10, iter(range(count)), 2))

    assert done == [(item, item * 10) for item in range(count)]


def test_one_item_alone_is_done_in_this_thread_which_spares_the_memory_of_another() -> None:
    done = list(in_parallel(lambda _item: threading.current_thread(), iter(["one"]), 8))

    assert done == [("one", threading.current_thread())]
