"""A rolling upgrade: a worker of the former version delivers while this version's first worker upgrades the tables."""

import io
import os
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

import digest
from digest.store.schema import HEAD
from tests.conftest import skip_unless_ci
from tests.support.newsroom import Caught, Publication
from tests.support.postgresql import PostgresqlServer, debian_server

READERS = 300
ROOT = Path(digest.__file__).parent.parent
VERSION = text("SELECT version_num FROM alembic_version")
OPEN = text("SELECT count(*) FROM delivery WHERE is_open")


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True).stdout


@pytest.fixture
def former(tmp_path: Path) -> Path:
    """Return a folder with the program as it was before the newest migration."""
    (script,) = (ROOT / "digest/store/migrations/versions").glob(f"{HEAD}_*.py")
    try:
        added = git("log", "--diff-filter=A", "--format=%H", "--", str(script)).decode().split()
        archive = git("archive", f"{added[-1]}^")
    except (OSError, IndexError, subprocess.CalledProcessError):
        pytest.skip("the history of this checkout does not reach back to the former version")
    folder = tmp_path / "former"
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        packed.extractall(folder, filter="data")
    return folder


@pytest.fixture
def server() -> Iterator[PostgresqlServer]:
    binaries = debian_server()
    if binaries is None:
        skip_unless_ci("no PostgreSQL server of our own here: install Debian's postgresql")
    assert binaries is not None
    server = PostgresqlServer(binaries)
    yield server
    server.stop()


class FormerVersion:
    """The commands of the program as it was, in a publication's folder."""

    def __init__(self, folder: Path, publication: Publication) -> None:
        self._folder, self._publication = folder, publication

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(
            [sys.executable, "-m", "digest", *arguments, "--config", str(self._publication.config)],
            cwd=self._folder, env={**os.environ, "PYTHONPATH": str(self._folder)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, *arguments: str, code: int = 0) -> None:
        """Run a command to its end."""
        with self.start(*arguments) as process:
            said = process.communicate(timeout=120)
        assert process.returncode == code, said


def end(process: subprocess.Popen[str]) -> str:
    process.terminate()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out + err


def test_nobody_is_lost_and_nobody_gets_it_twice_while_another_version_upgrades_the_tables(
    tmp_path: Path, former: Path, server: PostgresqlServer
) -> None:
    url = server.url.format(name="postgres")
    publication, engine = Publication(tmp_path, url, connections=4), create_engine(url)
    old = FormerVersion(former, publication)
    publication.write_article("Bridge reopens")
    readers = publication.write_readers(READERS)
    old.run("subscribers", "import", str(readers), "--confirmed", "on paper")
    old.run("send", "--now", code=1)  # planned; no relay takes it yet
    with engine.connect() as connection:
        assert connection.scalar(VERSION) < HEAD

    with Caught(delay=0.15) as relay:
        publication.use_relay(relay.port)
        with old.start("worker") as before:
            relay.wait_for(30)
            with publication.start("worker") as after:
                deadline, left_at_upgrade = time.monotonic() + 120, None
                while time.monotonic() < deadline:
                    with engine.connect() as connection:
                        left = connection.scalar(OPEN)
                        if left_at_upgrade is None and connection.scalar(VERSION) == HEAD:
                            left_at_upgrade, relay._delay = left, 0.0
                    if not left:
                        break
                    time.sleep(0.05)
                said = end(after) + end(before)
    engine.dispose()

    assert left_at_upgrade, "the upgrade came after the last message"
    assert Counter(relay.recipients) == {f"r{n}@readers.example": 1 for n in range(READERS)}
    assert "Traceback" not in said, said
    publication.run("audit")
