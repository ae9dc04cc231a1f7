"""The log of `[log]`: what a run did can be read afterwards without a terminal, and names no reader."""

import json
import logging
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.cli.terminal.logs import LogFile, set_up_logging
from digest.errors import SettingsError
from digest.settings.site import LogSettings
from tests.support.newsroom import Publication


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """Leave the root logger as it was."""
    root = logging.getLogger()
    level = root.level
    yield
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
