"""Answers that must not tell whether an address is known leave at even times."""

import asyncio
import threading

import pytest

from digest.web.shared.answer_times import STEP, evenly_timed, seconds_to_step


@pytest.mark.parametrize(("elapsed", "waits"), [(0.012, 0.038), (0.049, 0.001), (0.051, 0.049), (0.0, 0.05)])
def test_an_answer_waits_for_the_next_step_however_long_its_work_took(elapsed: float, waits: float) -> None:
    assert seconds_to_step(elapsed) == pytest.approx(waits)


def test_the_work_runs_in_a_thread_and_its_answer_waits_once() -> None:
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    def page(name: str) -> tuple[str, int]:
        return name, threading.get_ident()

    name, thread = asyncio.run(evenly_timed(page, wait=wait)("anna"))
    assert name == "anna"
    assert thread != threading.get_ident()
    assert len(waited) == 1
    assert 0 <= waited[0] <= STEP
