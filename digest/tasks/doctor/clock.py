"""Compare clocks: Date headers and deadlines depend on ours."""

from datetime import datetime, timedelta

from digest.tasks.doctor.findings import Finding, fail, ok, warn

SMALL = timedelta(seconds=10)
LARGE = timedelta(seconds=60)


def judge_clock(ours: datetime, theirs: datetime, whose: str) -> Finding:
    """Judge how much our clock differs from another."""
    apart = abs(ours - theirs)
    if apart <= SMALL:
        return ok("clock", f"agrees with {whose} within {SMALL.seconds} seconds")
    direction = "ahead of" if ours > theirs else "behind"
    found = f"is {_spell(apart)} {direction} {whose}"
    remedy = "keep this machine's time by NTP (`timedatectl set-ntp true`), and check the other clock too"
    return warn("clock", found, remedy) if apart <= LARGE else fail("clock", found, remedy)


def _spell(apart: timedelta) -> str:
    seconds = round(apart.total_seconds())
    return f"{seconds} seconds" if seconds < 120 else f"{seconds // 60} minutes"
