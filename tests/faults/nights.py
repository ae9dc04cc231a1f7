"""Let Debian's cron call `digest send` over both changes of daylight saving time: `python -m tests.faults.nights`.

cron runs under libfaketime, with its clock set to the eve and hastened, in a mount namespace in which the machine's
own crontabs do not exist. Each job starts `digest send` at cron's moment. The digest goes at half past two, which
one night skips and the other has twice: each date has one edition, each reader one message of it.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

from tests.support.newsroom import Caught, Publication

ROOT = Path(__file__).parents[2]
CRON = "/usr/sbin/cron"
READERS = 3
CRONTAB = """SHELL=/bin/sh
PATH=/usr/bin:/bin
MAILTO=""
*/30 * * * * root at=$(date +\\%s.\\%N); echo begin $at >> {folder}/jobs; cd {root} && {python} -m tests.faults.nights job {folder} $at
"""
SHELL = """
mount --bind {folder}/crontab /etc/crontab && mount --bind {folder}/nothing /etc/cron.d \
&& mount --bind {folder}/spool /var/spool/cron && mount -t tmpfs none /run && exec {cron} -f
"""


@dataclass(frozen=True)
class Night:
    """A night in which the clocks of Paris change: where cron begins, and when the edition is due."""

    name: str
    begins: datetime
    hours: float
    due: datetime


NIGHTS = (
    Night("spring", datetime(2026, 3, 29, 0, 40, tzinfo=UTC), 1.2, datetime(2026, 3, 29, 1, tzinfo=UTC)),
    Night(
        "autumn", datetime(2026, 10, 25, 0, 10, tzinfo=UTC), 2.2, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    ),
)


def missing() -> str:
    """List what a night needs and this machine lacks; empty if nothing is missing."""
    if not Path(CRON).exists():
        return "no cron here: install Debian's cron"
    if _library() is None:
        return "no libfaketime here: install Debian's libfaketime"
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        return "no mount namespace may be made here: run as root"
    return ""


def _library() -> Path | None:
    return next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)


def live_through(night: Night, folder: Path, speed: int) -> tuple[list[str], list[str], str]:
    """Let cron run through a night; return its jobs, who got a message, and what is wrong."""
    with Caught() as sink:
        publication = Publication(folder, f"sqlite:///{folder}/digest.db", port=sink.port)
        publication.change_settings('daily = "07:00"', 'daily = "02:30"')
        with time_machine.travel(night.begins - timedelta(hours=12)):
            publication.begin(READERS)
            publication.run("send")
        sink.messages.clear()  # of the eve, where there are any
        with _cron(night, folder, speed):
            time.sleep(night.hours * 3600 / speed)
        _wait_for_jobs(folder)
        with time_machine.travel(night.begins + timedelta(hours=night.hours)):
            editions = publication.facts("status")["editions"]
            is_sound = publication.facts("audit")["ok"]
    jobs, said = (folder / "jobs").read_text().splitlines(), []
    due = [one for one in editions if datetime.fromisoformat(one["deadline_at"]) == night.due]
    made = [one for one in editions if one["cadence"] == "daily" and one["period"] == f"{night.due:%Y-%m-%d}"]
    if len(due) != 1 or made != due or due[0]["accepted"] != READERS:
        said.append(f"editions of that date: {made}")
    if any(not job.endswith(" 0") for job in jobs if job.startswith("end")):
        said.append(f"jobs that failed: {jobs}")
    if not is_sound:
        said.append("the audit does not hold")
    return jobs, sink.recipients, ", ".join(said)


@contextmanager
def _cron(night: Night, folder: Path, speed: int) -> Iterator[None]:
    for name in ("nothing", "spool/crontabs"):
        (folder / name).mkdir(parents=True)
    (folder / "jobs").touch()
    (folder / "crontab").write_text(CRONTAB.format(root=ROOT, python=sys.executable, folder=folder))
    environment = {
        "PATH": os.environ["PATH"], "TZ": "UTC", "LD_PRELOAD": str(_library()), "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME": f"@{night.begins:%Y-%m-%d %H:%M:%S} x{speed}",
    }  # fmt: skip
    (folder / "began").write_text(f"{time.time()} {night.begins.timestamp()} {speed}")
    program = SHELL.format(folder=shlex.quote(str(folder)), cron=CRON)
    prefix = [f"{name}={value}" for name, value in environment.items() if name in ("LD_PRELOAD", "FAKETIME")]
    hastened = program.replace("exec", f"exec env {shlex.join(prefix)} TZ=Europe/Paris")
    plain = {name: value for name, value in environment.items() if name not in ("LD_PRELOAD", "FAKETIME")}
    with subprocess.Popen(["unshare", "-m", "sh", "-c", hastened], env=plain) as cron:
        try:
            yield
            assert cron.poll() is None, "cron has ended by itself"
        finally:
            cron.terminate()


def _wait_for_jobs(folder: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        text = (folder / "jobs").read_text()
        if text.count("begin") == text.count("end"):
            return
        time.sleep(0.1)


def job(folder: Path, at: float) -> None:
    """Run `digest send` at the moment that cron's own clock shows; `at` is the machine's, as cron gives its jobs."""
    real, fake, speed = map(float, (folder / "began").read_text().split())
    now = datetime.fromtimestamp(fake + (at - real) * speed, UTC)
    environment = os.environ | {
        "LD_PRELOAD": str(_library()), "FAKETIME": f"@{now:%Y-%m-%d %H:%M:%S}", "TZ": "UTC",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip
    command = [sys.executable, "-m", "digest", "send", "--quiet", "--config", str(folder / "config.toml")]
    done = subprocess.run(command, env=environment, check=False)
    with (folder / "jobs").open("a") as file:
        file.write(f"end {now:%Y-%m-%dT%H:%M:%SZ} {done.returncode}\n")


def main(arguments: list[str] | None = None) -> int:
    """Live through both nights and print what was seen, or run one job."""
    asked = argparse.ArgumentParser(
        prog="tests.faults.nights", description="cron over both changes of the clock."
    )
    asked.add_argument("command", nargs="?", choices=("job",))
    asked.add_argument("folder", nargs="?", type=Path)
    asked.add_argument("at", nargs="?", type=float)
    asked.add_argument("--speed", type=int, default=360)
    chosen = asked.parse_args(arguments)
    if chosen.command:
        job(chosen.folder, chosen.at)
        return 0
    if said := missing():
        print(said)  # noqa: T201
        return 1
    failed = 0
    for night in NIGHTS:
        folder = Path(tempfile.mkdtemp())
        jobs, recipients, said = live_through(night, folder, chosen.speed)
        if sorted(set(recipients)) != sorted(recipients) or len(recipients) != READERS:
            said += f" messages: {recipients}"
        began = sorted(one.split()[1] for one in jobs if one.startswith("end"))
        said = said or "one edition, as due"
        print(f"{night.name}: cron ran {', '.join(began)}; {len(recipients)} messages; {said}")  # noqa: T201
        failed += said != "one edition, as due"
        shutil.rmtree(folder)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
