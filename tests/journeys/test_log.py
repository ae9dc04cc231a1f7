"""The log of `[log]`: what a run did can be read afterwards without a terminal, and names no reader."""

import json
import logging
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from digest.cli.terminal.logs import LogFile, set_up_logging
from digest.errors import SettingsError
from digest.settings.site import LogSettings
from tests.support.newsroom import Publication
from tests.support.websites import Website, page


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """Leave the root logger as it was."""
    root = logging.getLogger()
    ours = logging.getLogger("digest")
    level, own = root.level, ours.level
    yield
    ours.setLevel(own)
    for one in [handler for handler in root.handlers if isinstance(handler, LogFile)]:
        root.removeHandler(one)
        one.close()
    root.setLevel(level)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_run_leaves_a_line_with_its_counts_in_a_file_of_its_owner(tmp_path: Path) -> None:
    publication = Publication(tmp_path, f"sqlite:///{tmp_path}/digest.db", port=1)
    with publication.config.open("a") as config:
        config.write('[log]\nlevel = "info"\nformat = "json"\nfile = "digest.log"\n')
    publication.write_article("Tide")
    publication.run("subscribers", "add", "anna@readers.example", "--confirmed", "on paper")

    publication.run("send")

    log = tmp_path / "digest.log"
    (run,) = [line for line in lines(log) if "run" in line]
    assert str(run["message"]).startswith("run: 1 new articles")
    assert run["run"]["fetched"][0]["added"] == 1  # type: ignore[index]
    assert (run["level"], run["logger"]) == ("info", "digest.sending")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert "anna@readers.example" not in log.read_text()
    publication.run("send")
    assert len([line for line in lines(log) if "run" in line]) == 1, "a run that does nothing says nothing"


def test_a_file_that_was_rotated_is_opened_anew_and_a_traceback_is_in_its_line(tmp_path: Path) -> None:
    set_up_logging(LogSettings(format="json", file="a.log"), tmp_path)
    log = logging.getLogger("digest.test")
    log.warning("first\nwith a second line")
    (tmp_path / "a.log").rename(tmp_path / "a.log.1")
    try:
        raise ValueError("no harbour")
    except ValueError:
        log.exception("second")
    assert [line["message"] for line in lines(tmp_path / "a.log.1")] == ["first\nwith a second line"]
    (second,) = lines(tmp_path / "a.log")
    assert "ValueError: no harbour" in str(second["traceback"])


def test_as_text_a_line_begins_with_its_time_in_utc(tmp_path: Path) -> None:
    set_up_logging(LogSettings(file="a.log"), tmp_path)
    set_up_logging(LogSettings(file="b.log"), tmp_path)
    logging.getLogger("digest.test").warning("once")
    assert (tmp_path / "a.log").read_text() == ""
    assert (tmp_path / "b.log").read_text().endswith("Z WARNING digest.test: once\n")


def test_a_file_that_cannot_be_written_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"\[log\] file = .*no/where.log.* cannot be written"):
        set_up_logging(LogSettings(file="no/where.log"), tmp_path)


def test_no_line_has_the_token_of_a_source_at_any_level(tmp_path: Path) -> None:
    """A library logged each address that it asked, at the level "info"."""
    with Website(feed=page(b"no feed", 404)) as site:
        publication = Publication(tmp_path, f"sqlite:///{tmp_path}/digest.db", port=1)
        with publication.config.open("a") as config:
            config.write(
                f'[[sources]]\nname = "private"\nurl = "{site.url}/feed?token=pearl-diver"\nallow_private = true\n'
                '[log]\nlevel = "debug"\nfile = "digest.log"\n'
            )
        publication.run("fetch", code=1)

    assert "pearl-diver" not in (tmp_path / "digest.log").read_text()


ODD = (
    "one\n2026-11-28 ERROR digest: two",
    "\x1b[31mred",
    "half \udc80",
    "sep\u2028arated\x85next",
    "\u202eback",
)


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_a_line_quotes_is_in_that_line(
    tmp_path: Path,
    form: Literal["text", "json"],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_up_logging(LogSettings(format=form, file="a.log"), tmp_path)
    root = logging.getLogger()  # a report of pytest's own copy could not be sent between its processes
    ours = [handler for handler in root.handlers if not isinstance(handler, type(caplog.handler))]
    monkeypatch.setattr(root, "handlers", ours)
    for text in ODD:
        logging.getLogger("digest.test").warning("said: %s", text)
    written = (tmp_path / "a.log").read_text()

    assert len(written.splitlines()) == len(ODD)
    assert "\x1b" not in written
    if form == "json":
        assert [line["message"] for line in lines(tmp_path / "a.log")] == [f"said: {text}" for text in ODD]


def test_the_file_after_a_rotation_is_its_owners_alone(tmp_path: Path) -> None:
    set_up_logging(LogSettings(file="a.log"), tmp_path)
    (tmp_path / "a.log").rename(tmp_path / "a.log.1")
    logging.getLogger("digest.test").warning("second")
    assert stat.S_IMODE((tmp_path / "a.log").stat().st_mode) == 0o600


def test_a_log_that_cannot_be_written_any_more_ends_no_run_and_is_told_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    log = logging.getLogger("digest.test")
    set_up_logging(LogSettings(file="logs/a.log"), tmp_path)
    (folder / "a.log").unlink()
    folder.rmdir()
    log.warning("lost")
    log.warning("lost too")
    assert capfd.readouterr().err.count("cannot be written: no such file or directory") == 1
    folder.mkdir()
    log.warning("kept")
    assert (folder / "a.log").read_text().endswith("kept\n")

    set_up_logging(LogSettings(file="/dev/full"), tmp_path)
    log.warning("no room")
    said = capfd.readouterr().err
    assert said.splitlines() == [
        "the log /dev/full cannot be written: no space left on device; its lines are lost"
    ]
