"""Files with addresses, tokens or secrets are their owner's alone, whatever the umask."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.demo.catcher import Catcher
from digest.private_files import open_private, write_private
from tests.support.newsroom import Caught, Publication, run_command


@pytest.fixture(autouse=True)
def careless() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_private_before_its_first_byte_also_where_an_open_one_stands(tmp_path: Path) -> None:
    path = tmp_path / "look.eml"
    path.write_text("an older one, open to all")
    path.chmod(0o644)

    with open_private(path):
        assert mode(path) == 0o600
        assert path.read_bytes() == b""


def test_a_umask_that_takes_the_owners_rights_leaves_a_file_that_can_be_read(tmp_path: Path) -> None:
    os.umask(0o777)
    write_private(tmp_path / "config.toml", b"[site]")
    os.umask(0)

    assert mode(tmp_path / "config.toml") == 0o600


def test_what_is_no_file_keeps_its_mode() -> None:
    before = mode(Path("/dev/null"))
    write_private(Path("/dev/null"), b"nothing")

    assert mode(Path("/dev/null")) == before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_state_file_database_and_previews_are_private(tmp_path: Path, database_url: str) -> None:
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        publication.begin(readers=1)
        publication.run("fetch")
        publication.run("preview", "world", "--out", str(tmp_path / "look"))
        publication.run("send", "--now")
        publication.run("sources", "export", str(tmp_path / "sources.opml"))

    written = [*(tmp_path / "look").iterdir(), *tmp_path.glob("digest.db*")]
    written += [tmp_path / "config.state", tmp_path / "sources.opml"]
    assert len(written) >= 6
    assert {path.name: oct(mode(path)) for path in written if mode(path) & 0o077} == {}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_settings_stay_private_while_sources_are_added_also_beside_an_older_attempt(
    tmp_path: Path, database_url: str
) -> None:
    publication = Publication(tmp_path, database_url)
    publication.config.chmod(0o600)
    (tmp_path / ".config.toml.new").write_text("what an attempt left that was killed")
    (tmp_path / "more.opml").write_text(
        '<opml version="2.0"><body><outline type="rss" text="A" xmlUrl="https://a.example/feed"/></body></opml>'
    )
    publication.run("sources", "import", str(tmp_path / "more.opml"))

    assert "https://a.example/feed" in publication.config.read_text()
    assert mode(publication.config) == 0o600


def test_init_and_the_outbox_are_private(tmp_path: Path) -> None:
    run_command("init", str(tmp_path))
    catcher = Catcher(tmp_path / "outbox", port=0)
    write_private(tmp_path / "outbox" / "0001.part", b"")
    catcher.start()
    try:
        import smtplib

        with smtplib.SMTP("127.0.0.1", catcher.port) as client:
            client.sendmail("a@courier.example", ["b@readers.example"], b"Subject: x\r\n\r\nbody\r\n")
    finally:
        catcher.stop()

    assert mode(tmp_path / "config.toml") == 0o600
    assert [oct(mode(path)) for path in (tmp_path / "outbox").glob("*.eml")] == ["0o600"]
