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
from digest.tasks.readers.on_request import suppress
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


_ADDRESSES = {
    "new": "n{}@strangers.example",
    "confirmed": "r{}@readers.example",
    "banned": "b{}@banned.example",
}


def ban_addresses(app: Application, count: int) -> None:
    """Ban the addresses of one kind, as an operator would."""
    for number in range(count):
        suppress(app.readers, _ADDRESSES["banned"].format(number), app.clock(), {"command": "suppress"})


def time_sign_ups(wire: Wire, count: int) -> dict[str, list[float]]:
    """Return how long sign-ups took to be answered, by the kind of address, each kind in turn."""
    stamp = hidden_fields(wire.get("/").text)["form"]
    times: dict[str, list[float]] = {kind: [] for kind in _ADDRESSES}
    for number in range(count):
        for kind, written in _ADDRESSES.items():
            fields = {"digest": "world", "address": written.format(number), "consent": "yes", "form": stamp}
            began = time.perf_counter()
            answer = wire.post("/subscribe", fields)
            times[kind].append(time.perf_counter() - began)
            assert "Check your inbox" in answer.text
    return times


def chance(first: list[float], second: list[float]) -> float:
    """Return the two-sided p of Mann and Whitney's U by its normal approximation: near 0 means two samples differ."""
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
    load_readers(app.database, _TIMED + count)
    empty = FastAPI()
    empty.add_api_route("/", lambda: {"ok": True})
    servers = [
        Server(page, "127.0.0.1", 0)
        for page in (empty, create_app(app.readers, app.settings, quickest=timedelta()))
    ]
    for server in servers:
        server.start()
    bare, ours = (Wire(server.port) for server in servers)
    links = [unsubscribe_link(app, _TIMED + number) for number in range(count)]
    measured = {
        "an empty FastAPI page": rate_of(lambda _: bare.get("/"), count),
        "the sign-up page": rate_of(lambda _: ours.get("/"), count),
        "one-click POSTs": rate_of(lambda n: ours.post(links[n], {"List-Unsubscribe": "One-Click"}), count),
    }
    base = measured["an empty FastAPI page"]
    for name, rate in measured.items():
        print(f"{name}: {rate:,.0f} a second, {rate / base:.2f} of the empty page", flush=True)  # noqa: T201
    ban_addresses(app, _TIMED)
    times = time_sign_ups(ours, _TIMED)
    for kind, found in times.items():
        print(  # noqa: T201
            f"{_TIMED} sign-ups of {kind} addresses: {statistics.median(found) * 1e3:.2f} ms (median);"
            f" p = {chance(found, times['new']):.2f} beside new ones, below 0.01 they can be told apart"
        )
    for server in servers:
        server.stop()


def unsubscribe_link(app: Application, number: int) -> str:
    """Return the link to leave of a reader that `load_readers` made."""
    token = tokens.sign(app.readers.signing_keys, tokens.UNSUBSCRIBE, public_id_of(number), "world")
    return f"/unsubscribe/{token}"


if __name__ == "__main__":
    main()
