"""Print how fast links that count lead on, beside an empty FastAPI redirect.

Run `uv run python -m tests.benchmarks.clicks [REQUESTS]`. Both applications are called in this process, without a
network, so that the figures are of the applications and not of a server. All clicks are written to SQLite in
batches while they are counted; at the end the written sum is compared with the number of requests. The aim is
5,000 a second.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from sqlmodel import func, select
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message

from digest.models import ArticleClicks, EditionName
from digest.rules.tokens.click_links import write_click_link
from digest.settings import load_settings
from digest.settings.site import AnalyticsSettings
from tests.conftest import write_config
from tests.support.desks import BASE, Clock, Newsdesk

_ARTICLES = 20
_AGENT = b"Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def empty_app() -> FastAPI:
    """Return an application that does nothing but redirect."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/to/{rest:path}")
    async def lead(rest: str) -> RedirectResponse:
        return RedirectResponse("https://harbour.example/bridge", 302)

    return app


async def call(app: ASGIApp, target: str) -> int:
    """Return the status of a GET, asked without a network."""
    path, _, query = target.partition("?")
    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "headers": [(b"host", b"courier.example"), (b"user-agent", _AGENT)], "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80), "scheme": "https", "root_path": "", "http_version": "1.1",
        "asgi": {"version": "3.0"},
    }  # fmt: skip
    statuses: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    return statuses[0]


async def call_all(app: ASGIApp, targets: list[str], count: int) -> float:
    """Return how many requests a second an application answers without a network."""
    began = time.perf_counter()
    for number in range(count):
        assert await call(app, targets[number % len(targets)]) == 302
    return count / (time.perf_counter() - began)


def main() -> None:
    """Print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    settings = load_settings(write_config(folder, f"sqlite:///{folder}/digest.db"))
    settings = settings.model_copy(update={"analytics": AnalyticsSettings(clicks="count")})
    newsdesk = Newsdesk(settings, Clock())
    for number in range(5):
        newsdesk.subscribe(f"reader{number}@homes.example")
    articles = [newsdesk.publish(f"Article {number}", "world") for number in range(_ARTICLES)]
    newsdesk.compile()
    name = EditionName("world", "daily", "2026-11-23")
    keys = settings.web.signing_keys
    written = [write_click_link(BASE, keys, name, one, f"https://harbour.example/{one}") for one in articles]
    targets = [f"{urlsplit(one).path}?{urlsplit(one).query}" for one in written]
    apps = {"an empty FastAPI redirect": empty_app(), "a link that counts": newsdesk.web}
    rates = {what: asyncio.run(call_all(app, targets, count)) for what, app in apps.items()}
    first = next(iter(rates.values()))
    for what, found in rates.items():
        say(f"{what}: {found:,.0f} a second ({found / first:.2f} of the empty one)")
    newsdesk.web.state.clicks.write()
    with newsdesk.app.database.read() as session:
        total = session.exec(select(func.sum(ArticleClicks.clicks))).one()
    say(f"{total:,} of {count:,} clicks are in the database")
    newsdesk.close()


if __name__ == "__main__":
    main()
