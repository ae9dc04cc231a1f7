"""What a preview shows is what is delivered: the same bytes for 200 readers, at three instants."""

import csv
import email
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from digest.bootstrap import Application
from digest.errors import InputError
from digest.settings import load_settings
from digest.tasks.editions.preview import Viewer, preview
from tests.support.newsroom import Caught, Publication

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

READERS = 200
TOPICS = ("world", "business", "culture", "science")
LANGUAGES = ("", "en", "de", "hy", "ar", "fr-CA", "ja")
BEGIN = datetime(2026, 11, 23, 9, tzinfo=UTC)
OWN_TIME = re.compile(rb"^(?:Date|DKIM-Signature): .*\r\n(?:[ \t].*\r\n)*", re.MULTILINE)


class Picky(Caught):
    """A server that refuses every ninth reader the first time, so that their histories differ."""

    def __init__(self) -> None:
        super().__init__()
        self.refuses = True

    async def handle_RCPT(self, *known: Any) -> str:  # noqa: N802 - aiosmtpd's name
        _, _, envelope, address, _ = known
        if self.refuses and int(re.sub(r"\D", "", address)) % 9 == 0:
            return "552 5.2.2 mailbox full"
        envelope.rcpt_tos.append(address)
        return "250 ok"


class Household:
    """A publication with readers of many kinds, and what each of them is shown beforehand."""

    def __init__(self, publication: Publication) -> None:
        self.publication = publication
        self.chance = random.Random(20261123)
        self.readers = 0
        self.app = Application(load_settings(publication.config))

    def add_readers(self, count: int) -> None:
        path = self.publication.folder / "more.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["email", "name", "language", "topics"])
            for number in range(self.readers, self.readers + count):
                topics = self.chance.sample(TOPICS, self.chance.randrange(5))
                name = self.chance.choice(["", "Ani", "Լիլիթ", 'O\'Brien, "Bo"', "=?utf-8?q?x?="])
                language = self.chance.choice(LANGUAGES)
                writer.writerow([f"r{number}@readers.example", name, language, ";".join(topics)])
        self.readers += count
        self.publication.run("subscribers", "import", str(path), "--confirmed", "on paper")

    def publish(self, day: int) -> None:
        for topic in TOPICS:
            for number in range(self.chance.randrange(1, 4)):
                title = f"Day {day} {topic} {number} “Ünïted” {{{{ 7 * 7 }}}}".replace('"', "")
                self.publication.write_article(title.replace("/", ""), topic)

    def show_all(self, at: datetime) -> dict[str, bytes]:
        shown = {}
        digest = self.app.settings.digest("world")
        for number in range(self.readers):
            address = f"r{number}@readers.example"
            try:
                found = preview(
                    self.app.database, self.app.settings, self.app.composer, digest,
                    cadence=None, view=Viewer(address), at=at,
                )  # fmt: skip
            except InputError:
                continue  # nothing is new for this reader
            shown[address] = found.message
        return shown


@pytest.fixture
def household(tmp_path: Path, database_url: str) -> Iterator[tuple[Household, Picky]]:
    server = Picky()
    with server:
        publication = Publication(tmp_path, database_url, port=server.port, connections=4)
        publication.run("dkim", "--selector", "r1")
        publication.change_settings("[web]", '[dkim]\nselector = "r1"\nkey_file = "dkim-r1.pem"\n\n[web]')
        household = Household(publication)
        yield household, server
        household.app.close()


def test_two_hundred_readers_get_the_bytes_that_a_preview_showed_at_three_instants(
    household: tuple[Household, Picky],
) -> None:
    home, server = household
    variety = []
    for day, joining in enumerate((120, 50, 30)):
        now = BEGIN + timedelta(days=day)
        with time_machine.travel(now, tick=True):
            home.publish(day)
            home.add_readers(joining)
            home.publication.run("fetch", "newsroom")
            shown = home.show_all(now + timedelta(seconds=30))
        with time_machine.travel(now + timedelta(seconds=30), tick=True):
            before = len(server.messages)
            home.publication.run("send", "--now")
        got = dict(server.messages[before:])

        assert len(got) == len(server.messages) - before
        refused = {f"r{n}@readers.example" for n in range(0, home.readers, 9)} if server.refuses else set()
        assert set(got) == set(shown) - refused
        for address, content in got.items():
            assert OWN_TIME.sub(b"", content) == OWN_TIME.sub(b"", shown[address]), address
        variety.append(len({email.message_from_bytes(content).get_boundary() for content in got.values()}))
        server.refuses = False

    assert home.readers == READERS
    assert min(variety) > 20  # lists, languages and histories are many
    assert home.publication.facts("audit")["ok"] is True
