"""Check this machine: who may read the secrets, free disk space, the age of time zone rules."""

import importlib.metadata
import os
import re
import shutil
import stat
import tomllib
import zoneinfo
from pathlib import Path
from typing import Any

from digest.rules.alerts import NEARLY_FULL
from digest.tasks.doctor.findings import Finding, fail, ok, warn
from digest.tasks.doctor.scope import Scope

_MEGABYTE = 1_000_000
LEAST_ROOM = 50 * _MEGABYTE
OLD_ZONES = 2
NETWORKS = frozenset({
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "fuse.sshfs",
    "fuse.glusterfs", "fuse.s3fs", "fuse.rclone", "virtiofs",
})  # fmt: skip
"""File systems whose locks or shared memory are unreliable for SQLite."""

_SECRETS = frozenset({"secret", "old_secrets", "password", "metrics_token", "headers"})
_PASSWORD_IN_URL = re.compile(r"://[^/@:]*:[^/@]+@")
_ZONES_VERSION = re.compile(r"(?:# version )?(\d{4})[.a-z\d]*")


def examine_secrets(scope: Scope) -> list[Finding]:
    """Check who may read the settings, if they contain secrets, and the database."""
    file = scope.settings.file
    written = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    findings = [judge_settings_mode(file, file.stat().st_mode, has_secrets=holds_secrets(written))]
    web = scope.settings.web
    if web.secret_weakness:
        remedy = "put a random text in its place before readers see a link: `digest init` in an empty folder"
        findings.append(warn("secrets", f"[web] secret {web.secret_weakness}", remedy))
    if web.former_weakness:
        said = f"[web] old_secrets has one that {web.former_weakness}"
        findings.append(warn("secrets", said, "remove it before readers see a link"))
    database = Path(scope.settings.database_url.removeprefix("sqlite:///"))
    if scope.settings.database_url.startswith("sqlite") and database.exists():
        findings += judge_database_mode(database, database.stat().st_mode)
    return findings


def holds_secrets(written: dict[str, Any]) -> bool:
    """Return whether a settings file contains a secret; secrets may be in the environment instead."""
    return any(_is_secret(key, value) for key, value in written.items())


def _is_secret(key: str, value: Any) -> bool:
    """Return whether a value is a secret or contains one, in whichever table it is."""
    if isinstance(value, dict) and key not in _SECRETS:
        return holds_secrets(value)
    if isinstance(value, list) and key not in _SECRETS:
        return any(_is_secret("", item) for item in value)
    return bool(value) if key in _SECRETS else bool(_PASSWORD_IN_URL.search(str(value)))


def judge_settings_mode(path: Path, mode: int, *, has_secrets: bool) -> Finding:
    """Judge who may read the settings."""
    if not has_secrets:
        return ok("secrets", f"{path.name} holds none")
    if mode & stat.S_IROTH:
        return fail("secrets", f"{path.name} holds secrets, and everybody may read it", f"chmod 600 {path}")
    if mode & stat.S_IRGRP:
        return warn("secrets", f"{path.name} holds secrets, and its group may read it", f"chmod 600 {path}")
    return ok("secrets", f"{path.name} is readable by its owner alone")


def judge_database_mode(path: Path, mode: int) -> list[Finding]:
    """Judge who may read the readers' addresses; nothing is reported if that is nobody else."""
    if not mode & stat.S_IROTH:
        return []
    return [fail("secrets", f"{path.name} holds readers' addresses, and everybody may read it",
                 f"chmod 600 {path}")]  # fmt: skip


def examine_disk(scope: Scope) -> list[Finding]:
    """Check the free space for the database, and the file system of an SQLite file."""
    url = scope.settings.database_url
    if not url.startswith("sqlite"):
        return [judge_room(shutil.disk_usage(scope.settings.folder).free, 0)]
    path = Path(url.removeprefix("sqlite:///"))
    folder = path.parent if path.parent.exists() else scope.settings.folder
    size = path.stat().st_size if path.exists() else 0
    kind = find_file_system(folder.resolve(), _mounts())
    return [judge_room(shutil.disk_usage(folder).free, size), *judge_file_system(kind)]


def judge_room(free: int, size: int) -> Finding:
    """Judge the free space for a database of this size."""
    found = f"{free // _MEGABYTE:,} MB are free"
    remedy = "make room: a full disk stops sending, though nothing is lost by it"
    if free < LEAST_ROOM:
        return fail("disk", found, remedy)
    if free < max(NEARLY_FULL, size):
        return warn("disk", f"{found}, and the database has {size // _MEGABYTE:,} MB", remedy)
    return ok("disk", found)


def find_file_system(folder: Path, mounts: str) -> str:
    """Find a folder's file system type; "" if the system does not tell."""
    best, kind = "", ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) > 2:
            point = fields[1].replace("\\040", " ")
            if folder.is_relative_to(point) and len(point) >= len(best):
                best, kind = point, fields[2]
    return kind


def judge_file_system(kind: str) -> list[Finding]:
    """Judge the file system of an SQLite file; local ones are not reported."""
    if kind not in NETWORKS:
        return []
    found = f"the SQLite file is on {kind}, where its locks and its log may fail"
    return [warn("disk", found, "keep it on a disk of this machine, or use PostgreSQL")]


def examine_alerts(scope: Scope) -> list[Finding]:
    """Look at whether anybody is told by mail when something is wrong."""
    site = scope.settings.site
    if not (site.alerts or site.operators):
        remedy = "name addresses in [site] alerts, and in [site] operators where others run the program"
        return [
            warn("alerts", "nobody is told by mail when an edition is held or the relay refuses us", remedy)
        ]
    if not site.alerts:
        remedy = "name the editors' addresses in [site] alerts"
        return [
            warn(
                "alerts",
                "operators are told of faults, but no editor is told of held or late editions",
                remedy,
            )
        ]
    told = len({*site.alerts, *site.operators})
    return [
        ok("alerts", f"{told} {'address is' if told == 1 else 'addresses are'} told when something is wrong")
    ]


def examine_time_zones(scope: Scope) -> list[Finding]:
    """Check which time zone rules are used, and how old they are."""
    name, version = _zones_version(scope.settings.site.timezone)
    return [judge_zones(name, version, scope.clock().year)]


def judge_zones(whose: str, version: str, year: int) -> Finding:
    """Judge the age of the time zone rules: governments change them every year."""
    match = _ZONES_VERSION.match(version)
    if match is None:
        return ok("time-zones", f"the rules are {whose}; it does not tell their version")
    found = f"the rules are {whose}, version {match[0].removeprefix('# version ')}"
    if year - int(match[1]) >= OLD_ZONES:
        return warn("time-zones", found, "update the package tzdata: deadlines go by these rules")
    return ok("time-zones", found)


def _zones_version(zone: str) -> tuple[str, str]:
    for folder in zoneinfo.TZPATH:
        if Path(folder, zone).is_file():
            return f"the system's ({folder})", _first_line(Path(folder, "tzdata.zi"))
    return "those of the package tzdata", importlib.metadata.version("tzdata")


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.readline(80).strip()
    except OSError:
        return ""


def _mounts() -> str:
    path = Path("/proc/self/mounts")
    return path.read_text(encoding="utf-8", errors="replace") if os.access(path, os.R_OK) else ""
