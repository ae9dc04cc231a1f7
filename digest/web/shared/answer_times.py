"""Answer at even times, so that how long an answer takes does not tell whether an address is known."""

import asyncio
import math
from collections.abc import Callable
from functools import wraps
from typing import Any

from starlette.concurrency import run_in_threadpool

STEP = 0.05
"""Seconds between the moments at which an answer may leave. The work behind one takes a tenth of it."""

Endpoint = Callable[..., Any]


def seconds_to_step(elapsed: float, step: float = STEP) -> float:
    """Return how long an answer waits for the next step: `seconds_to_step(0.012)` is 0.038."""
    return math.ceil(elapsed / step) * step - elapsed if elapsed > 0 else step


def evenly_timed(endpoint: Endpoint, *, wait: Callable[[float], Any] = asyncio.sleep) -> Endpoint:
    """Return an endpoint that runs in a thread as before, and whose answer leaves at the next step.

    For forms that anybody may send with anybody's address: reading a known reader and adding a new one take
    the database differently long, which 400 requests show.
    """

    @wraps(endpoint)
    async def answer(*args: Any, **kwargs: Any) -> Any:
        began = asyncio.get_running_loop().time()
        answered = await run_in_threadpool(endpoint, *args, **kwargs)
        await wait(seconds_to_step(asyncio.get_running_loop().time() - began))
        return answered

    return answer
