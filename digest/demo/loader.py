"""The sample newsroom: settings, articles and readers in a folder of their own, and a first edition."""

import itertools
import re
import shutil
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from digest.bootstrap import Application
from digest.demo.catcher import Catcher
from digest.private_files import write_private
from digest.resources import bundled
from digest.sending import Sent, send_due
from digest.settings import Settings, load_settings
from digest.tasks.ledger.contents import Contents, count_contents
from digest.tasks.readers.lists.csv_import import import_subscribers
from digest.tasks.readers.lists.import_report import ImportReport

_WORDING = "Sample reader of the demo"
_CONFIG = """\
# The demo's settings; see config.example.toml for every key.
[site]
name = "The Harbour Courier"
base_url = "http://localhost:{web_port}"
from = "The Harbour Courier <news@courier.example>"
reply_to = "editors@courier.example"
postal_address = "The Harbour Courier, 1 Quay Street, Harbourtown"
language = "en"
timezone = "Europe/Paris"

[database]
url = "sqlite:///digest.db"

[smtp]
host = "127.0.0.1"
port = {smtp_port}
ehlo_name = "mail.courier.example"

[web]
port = {web_port}
secret = "{secret}"

[[sources]]
name = "newsroom"
url = "newsroom/articles"
every = "1m"

[[sources]]
name = "wire"
url = "newsroom/feed.xml"
topics = ["world"]
every = "1m"

[[digests]]
name = "world"
title = "World Briefing"
topics = ["world", "business", "culture", "science"]

[digests.cadences]
daily = "07:00"
weekly = "Mon 07:00"
"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The summary that the demo prints."""

    imported: ImportReport
    sent: Sent
    contents: Contents
    messages: int


def prepare(folder: Path, secret: str, now: datetime) -> Settings:
    """Write the demo's settings and copy the sample newsroom with new dates; existing files are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.toml"
    if not config.exists():
        text = _CONFIG.format(web_port=free_port(8000), smtp_port=free_port(2525), secret=secret)
        write_private(config, text.encode())  # it contains the secret of readers' links
    if not (folder / "newsroom").exists():
        shutil.copytree(bundled("seeds"), folder / "newsroom")
        _place_pictures(folder / "newsroom" / "articles", load_settings(config).site.base_url)
        feed = folder / "newsroom" / "feed.xml"
        feed.write_text(_dated(feed.read_text(encoding="utf-8"), now), encoding="utf-8")
    return load_settings(config)


def _place_pictures(articles: Path, base_url: str) -> None:
    """Point the images of the sample articles to the demo's pages."""
    for path in articles.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        path.write_text(
            text.replace("\nimage: /pictures/", f"\nimage: {base_url}/pictures/"), encoding="utf-8"
        )


def _dated(feed: str, now: datetime) -> str:
    """Set a date for each item of a feed, so that a sample always looks recent."""
    hours = itertools.count(26, 19)
    dates = (format_datetime(now - timedelta(hours=age)) for age in hours)
    return re.sub("</item>", lambda _: f"<pubDate>{next(dates)}</pubDate>\n</item>", feed)


def load(app: Application, folder: Path) -> Loaded:
    """Import the readers, then fetch, compile and deliver a first edition to the running catcher."""
    imported = import_subscribers(
        app.readers, folder / "newsroom" / "subscribers.csv", "world", _WORDING, app.clock()
    )
    sent = send_due(app, digest="world", at_once=True)
    with app.database.read() as session:
        return Loaded(
            imported, sent, count_contents(session), messages=len(list((folder / "outbox").glob("*.eml")))
        )


def start_catcher(settings: Settings, folder: Path) -> tuple[Catcher, Settings]:
    """Start the mail catcher as configured, or at a free port if that one is in use."""
    port = free_port(settings.smtp.port)
    catcher = Catcher(folder / "outbox", port=port)
    catcher.start()
    smtp = settings.smtp.model_copy(update={"port": catcher.port})
    return catcher, settings.model_copy(update={"smtp": smtp})


def free_port(wanted: int) -> int:
    """Return the wanted port of loopback if it is free, else any free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on loopback")
