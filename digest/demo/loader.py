"""The sample newsroom: settings, articles, readers, an editor, and a first edition.

Some articles come in after the first edition, so that a second one waits to be shaped and approved.
"""

import hmac
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
from digest.demo.stories import PICTURES, STORIES
from digest.errors import UsageError
from digest.models import EditionName, Role
from digest.private_files import write_private
from digest.resources import bundled
from digest.sending import Sent, send_due
from digest.settings import Settings, load_settings
from digest.tasks.articles.fetching import fetch_due
from digest.tasks.desk.draft_versions import Edit
from digest.tasks.desk.drafts import approve
from digest.tasks.desk.editors import add_editor, list_editors
from digest.tasks.editions.coming import next_open
from digest.tasks.ledger.publication_size import PublicationSize, measure_publication
from digest.tasks.readers.lists.csv_import import import_subscribers
from digest.tasks.readers.lists.import_report import ImportReport

EDITOR = "editor@courier.example"
COMING = (
    "bakery-cooperative.md",
    "comet-returns.md",
    "festival-of-shadows.md",
    "lake-turns-clear.md",
    "museum-of-smells.md",
    "rail-freight-record.md",
    "reef-nobody-had-mapped.md",
    "truce-holds.md",
)
"""The articles that come in after the first edition."""
_AGO = re.compile(r'^published_ago: ".*"$', re.MULTILINE)
_HOME = re.compile(r"https://courier\.example/(?=\w)|http://localhost:\d+/" + STORIES)
_PICTURE = re.compile(r"^image: (?:http://localhost:\d+)?/" + PICTURES, re.MULTILINE)
_WEB_PORT = re.compile(r"(^\[web\]\nport = )(\d+)$", re.MULTILINE)
_BASE = re.compile(r'(^base_url = "http://localhost:)\d+', re.MULTILINE)
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
# An edition leaves when a publisher has approved it; who confirms gets a first one at once.
approval = "require-approval"
welcome = "edition"

[digests.cadences]
daily = "07:00"
weekly = "Mon 07:00"
"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The summary that the demo prints."""

    imported: ImportReport
    sent: Sent
    contents: PublicationSize
    messages: int


def prepare(folder: Path, secret: str, now: datetime, port: int | None = None) -> Settings:
    """Write the demo's settings and copy the sample newsroom with new dates; existing files are kept.

    The returned settings have `port` where it is given, and else a free port: the file's if possible. The
    newsroom's links to its own articles and pictures follow it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.toml"
    if not config.exists():
        text = _CONFIG.format(web_port=port or free_port(8000), smtp_port=free_port(2525), secret=secret)
        write_private(config, text.encode())  # it contains the secret of readers' links
    settings = _at_port(_set_port(config, port), port)
    newsroom = folder / "newsroom"
    if not newsroom.exists():
        shutil.copytree(bundled("seeds"), newsroom)
        (newsroom / "coming").mkdir()
        for name in COMING:
            shutil.move(newsroom / "articles" / name, newsroom / "coming" / name)
        feed = newsroom / "feed.xml"
        feed.write_text(_dated(feed.read_text(encoding="utf-8"), now), encoding="utf-8")
    _link_newsroom(newsroom, settings.site.base_url)
    return settings


def _set_port(config: Path, port: int | None) -> Settings:
    """Write `port` into the demo's settings if it is given, make base_url match, and load them."""
    text = config.read_text(encoding="utf-8")
    if port is not None:
        text = _WEB_PORT.sub(rf"\g<1>{port}", text)
    named = _WEB_PORT.search(text)
    matching = _BASE.sub(rf"\g<1>{named[2]}", text) if named else text
    if matching != config.read_text(encoding="utf-8"):
        write_private(config, matching.encode())
    return load_settings(config)


def _at_port(settings: Settings, port: int | None) -> Settings:
    """Return the settings with a port that is free, and readers' links to it."""
    wanted = port or settings.web.port
    actual = free_port(wanted)
    if port is not None and actual != port:
        raise UsageError(f"port {port} is taken; name another with --port")
    web = settings.web.model_copy(update={"port": actual})
    site = settings.site.model_copy(update={"base_url": f"http://localhost:{actual}"})
    return settings.model_copy(update={"web": web, "site": site})


def _link_newsroom(newsroom: Path, base_url: str) -> None:
    """Point the articles' own links and pictures to the demo's pages."""
    for path in (newsroom / "feed.xml", *newsroom.glob("*/*.md")):
        text = path.read_text(encoding="utf-8")
        linked = _PICTURE.sub(f"image: {base_url}/{PICTURES}", _HOME.sub(f"{base_url}/{STORIES}", text))
        if linked != text:
            path.write_text(linked, encoding="utf-8")


def _dated(feed: str, now: datetime) -> str:
    """Set a date for each item of a feed, so that a sample always looks recent."""
    hours = itertools.count(26, 19)
    dates = (format_datetime(now - timedelta(hours=age)) for age in hours)
    return re.sub("</item>", lambda _: f"<pubDate>{next(dates)}</pubDate>\n</item>", feed)


def load(app: Application, folder: Path) -> Loaded:
    """Import the readers, and deliver a first edition to the running catcher; later runs send what is due.

    The rest of the articles come in after the first edition, for a second one.
    """
    imported = import_subscribers(
        app.readers, folder / "newsroom" / "subscribers.csv", "world", _WORDING, app.clock()
    )
    open_desk(app)
    if _count(app).variants:
        sent = send_due(app)
    else:
        for cadence in app.settings.digest("world").cadences:
            _approve(app, cadence)
        sent = send_due(app, digest="world", at_once=True)
        for path in sorted((folder / "newsroom" / "coming").glob("*.md")):
            text = _AGO.sub('published_ago: "1h"', path.read_text(encoding="utf-8"))
            (folder / "newsroom" / "articles" / path.name).write_text(text, encoding="utf-8")
            path.unlink()
        sent.fetched += fetch_due(app.database, app.settings, app.clock(), only="newsroom")
    return Loaded(imported, sent, _count(app), messages=len(list((folder / "outbox").glob("*.eml"))))


def open_desk(app: Application) -> None:
    """Add the demo's editor, with a password that is always the same; one who exists is left alone."""
    with app.database.read() as session:
        known = {editor.address for editor in list_editors(session)}
    if EDITOR not in known:
        add_editor(app.desk, EDITOR, Role.OPERATOR, password_of(app.settings), app.clock())


def password_of(settings: Settings) -> str:
    """Return the password of the demo's editor, which follows from the secret of readers' links."""
    secret = settings.web.secret.get_secret_value().encode()
    digits = hmac.digest(secret, b"the demo's editor", "sha256").hex()
    return "-".join(digits[start : start + 4] for start in range(0, 16, 4))


def _approve(app: Application, cadence: str) -> None:
    digest = app.settings.digest("world")
    with app.database.read() as session:
        coming = next_open(session, app.settings, digest, cadence, app.clock())
    approve(app.desk, Edit(EDITOR, EditionName(digest.name, cadence, coming.period), None, app.clock()))


def _count(app: Application) -> PublicationSize:
    with app.database.read() as session:
        return measure_publication(session)


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
