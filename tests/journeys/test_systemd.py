"""Under a service manager: units that systemd accepts, readiness, and a watchdog that a stalled tick silences."""

import os
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from digest.bootstrap import Application
from digest.cli.serve import Watchdog
from digest.cli.systemd import units
from digest.scheduler import STALLED_AFTER, Ticker
from digest.settings import Settings
from digest.web.app import create_app
from tests.conftest import skip_unless_ci
from tests.support.newsroom import Publication


def test_systemd_finds_no_fault_with_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        skip_unless_ci("no systemd-analyze here: install systemd")
    config = tmp_path / "config.toml"
    for name, text in units("digest", "/usr/bin/env", config, "daemon").items():
        (tmp_path / name).write_text(text)
    paths = [str(path) for path in tmp_path.glob("digest*")]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True)
    faults = [line for line in done.stderr.splitlines() if "digest" in line and str(tmp_path) in line]
    assert (done.returncode, faults) == (0, []), done.stderr
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=20", str(tmp_path / "digest.service")],
        capture_output=True, text=True,
    )  # fmt: skip
    assert rated.returncode == 0, rated.stdout[-400:]


def test_init_writes_units_that_name_this_program_and_these_settings(publication: Publication) -> None:
    said = publication.run("init", "--systemd")
    name = f"digest-{publication.folder.name}"  # so that one machine can hold several publications
    service = (publication.folder / f"{name}.service").read_text()
    assert f"--config {publication.config}" in service
    assert f"ReadWritePaths={publication.folder}" in service
    assert "OnCalendar=minutely" in (publication.folder / f"{name}-send.timer").read_text()
    assert f"systemctl enable --now {name}-send.timer" in said


def test_a_path_that_systemd_would_read_otherwise_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "my letters"
    folder.mkdir()
    said = Publication(folder, "sqlite:///digest.db").run("init", "--systemd", code=2)
    assert "systemd reads blanks" in said


def test_a_daemon_says_that_it_is_ready_and_alive_until_its_tick_stalls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    well, asked = True, threading.Semaphore(0)

    def is_well() -> bool:
        asked.release()
        return well

    def wait_for_asking(times: int) -> None:
        while asked.acquire(blocking=False):
            pass
        assert all(asked.acquire(timeout=30) for _ in range(times))

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "40000")
        watchdog = Watchdog(is_well)
        watchdog.start()
        assert [manager.recv(100) for _ in range(2)] == [b"READY=1", b"WATCHDOG=1"]
        well = False
        wait_for_asking(3)  # what was on its way has arrived
        manager.setblocking(False)
        while True:
            try:
                manager.recv(100)
            except BlockingIOError:
                break
        wait_for_asking(3)
        with pytest.raises(BlockingIOError):
            manager.recv(100)
        watchdog.stop()
        assert manager.recv(100) == b"STOPPING=1"


def test_without_a_service_manager_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    watchdog = Watchdog(lambda: True)
    watchdog.start()
    watchdog.stop()


def test_a_stalled_tick_is_not_ready_and_still_alive(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Application(settings)
    ticker = Ticker(app)
    with TestClient(create_app(app.readers, settings, is_stalled=lambda: ticker.is_stalled)) as client:
        assert [client.get(f"/health{path}").status_code for path in ("", "/ready", "/live")] == [200] * 3
        later = time.monotonic() + STALLED_AFTER.total_seconds() + 1
        monkeypatch.setattr("digest.scheduler.time.monotonic", lambda: later)
        assert [client.get(f"/health{path}").status_code for path in ("", "/ready", "/live")] == [
            503,
            503,
            200,
        ]
    app.close()
    assert os.environ.get("NOTIFY_SOCKET") is None
