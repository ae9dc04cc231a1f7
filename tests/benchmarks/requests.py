"""Print how fast readers' pages answer beside an empty FastAPI page, and whether a known address answers slower.

Run `uv run python -m tests.benchmarks.requests [REQUESTS]`. All servers run in this process on loopback, one
client asks them in turn, a connection a request; a figure is a share of the empty page's of the same run.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from fastapi import FastAPI

from digest.bootstrap import Application
from digest.rules.tokens import tokens
from digest.settings import load_settings
from digest.web.app import create_app
from digest.web.server import Server
from tests.benchmarks.readers import load_readers, public_id_of
from tests.conftest import write_config
from tests.support.readers import hidden_fields
from tests.support.wire import Wire

_TIMED = 400


def rate_of(asks: Callable[[int], object], count: int) -> float:
    """Return how many requests a second are answered."""
    began = time.perf_counter()
    for number in range(count):
        asks(number)
    return count / (time.perf_counter() - began)


def compare_times(wire: Wire, count: int) -> tuple[float, float, float]:
    """Return the median times of sign-ups of confirmed and of new addresses, and the chance of so large a gap.

    The chance is that of Mann and Whitney's test, two-sided: near 0 means that the two can be told apart.
    """
    stamp = hidden_fields(wire.get("/").text)["form"]
    times: dict[bool, list[float]] = {True: [], False: []}
    for number in range(count):
        is_known = number % 2 == 0
        address = f"r{number}@readers.example" if is_known else f"n{number}@strangers.example"
        fields = {"digest": "world", "address": address, "consent": "yes", "form": stamp}
        began = time.perf_counter()
        answer = wire.post("/subscribe", fields)
        times[is_known].append(time.perf_counter() - began)
        assert "Check your inbox" in answer.text
    return statistics.median(times[True]), statistics.median(times[False]), chance(times[True], times[False])


def chance(first: list[float], second: list[float]) -> float:
    """Return the two-sided p of Mann and Whitney's U by its normal approximation."""
    wins = sum(one < other for one in first for other in second)
    mean = len(first) * len(second) / 2
    deviation = (len(first) * len(second) * (len(first) + len(second) + 1) / 12) ** 0.5
    return 2 * (1 - statistics.NormalDist().cdf(abs(wins - mean) / deviation))


def main() -> None:
    """Print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    path = write_config(folder, f"sqlite:///{folder}/digest.db")
    limits = "sign_ups_per_network = 1000000\nsign_ups_per_domain = 1000000\n"
    path.write_text(path.read_text().replace("[web]\n", f"[web]\n{limits}"))
    app = Application(load_settings(path))
    load_readers(app.database, max(count, _TIMED))
    empty = FastAPI()
    empty.add_api_route("/", lambda: {"ok": True})
    servers = [
        Server(page, "127.0.0.1", 0)
        for page in (empty, create_app(app.readers, app.settings, quickest=timedelta()))
    ]
    for server in servers:
        server.start()
    bare, ours = (Wire(server.port) for server in servers)
    links = [unsubscribe_link(app, number) for number in range(count)]
    measured = {
        "an empty FastAPI page": rate_of(lambda _: bare.get("/"), count),
        "the sign-up page": rate_of(lambda _: ours.get("/"), count),
        "one-click POSTs": rate_of(lambda n: ours.post(links[n], {"List-Unsubscribe": "One-Click"}), count),
    }
    base = measured["an empty FastAPI page"]
    for name, rate in measured.items():
        print(f"{name}: {rate:,.0f} a second, {rate / base:.2f} of the empty page", flush=True)  # noqa: T201
    known, new, p = compare_times(ours, _TIMED)
    print(  # noqa: T201
        f"{_TIMED} sign-ups: confirmed addresses {known * 1e3:.2f} ms, new ones {new * 1e3:.2f} ms (medians);"
        f" p = {p:.2f}, below 0.01 they can be told apart"
    )
    for server in servers:
        server.stop()


def unsubscribe_link(app: Application, number: int) -> str:
    """Return the link to leave of a reader that `load_readers` made."""
    token = tokens.sign(app.readers.signing_keys, tokens.UNSUBSCRIBE, public_id_of(number), "world")
    return f"/unsubscribe/{token}"


if __name__ == "__main__":
    main()
