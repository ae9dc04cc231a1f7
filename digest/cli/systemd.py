"""What starts the program: the units that `digest init --systemd` writes, and the line for cron."""

import shlex
import shutil
import sys
from pathlib import Path

from digest.cli.terminal.common import user_name
from digest.cli.terminal.output import say
from digest.errors import UsageError

_UNIT = """\
[Unit]
Description=Newsletter digest mailer ({name}): {what}
After=network-online.target
Wants=network-online.target
"""
_SERVICE = """
[Service]
{kind}
User={user}
WorkingDirectory={folder}
UMask=0077
# It may write beside its settings only, gains no privilege, and needs no device or other process.
ReadWritePaths={folder}
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
ProcSubset=pid
NoNewPrivileges=yes
CapabilityBoundingSet=
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
"""
_DAEMON = """\
Type=notify
ExecStart={program} run --quiet --config {config}
Restart=on-failure
RestartSec=10
# The daemon says nothing once a tick has not moved for 15 minutes; a reply may take 10.
WatchdogSec=20min
# What is on the wire comes to its reply first.
TimeoutStopSec=30"""
_ONCE = """\
Type=oneshot
ExecStart={program} send --quiet --config {config}"""
_TIMER = """
[Timer]
OnCalendar=minutely
AccuracySec=5s

[Install]
WantedBy=timers.target
"""


def units(name: str, program: str, config: Path, user: str) -> dict[str, str]:
    """Return the text of each unit by its file name: the daemon, and a single run with its timer."""
    fields = {"name": name, "program": program, "config": config, "folder": config.parent, "user": user}
    daemon, once = (kind.format(**fields) for kind in (_DAEMON, _ONCE))
    install = "\n[Install]\nWantedBy=multi-user.target\n"
    return {
        f"{name}.service": _UNIT.format(name=name, what="daemon")
        + _SERVICE.format(kind=daemon, **fields)
        + install,
        f"{name}-send.service": _UNIT.format(name=name, what="one run")
        + _SERVICE.format(kind=once, **fields),
        f"{name}-send.timer": _UNIT.format(name=name, what="each minute") + _TIMER,
    }


def find_program() -> str:
    """Return the path of this program: neither systemd nor cron has the PATH of a login."""
    beside = Path(sys.executable).with_name("digest")  # as for `python -m digest` of a virtual environment
    return shutil.which("digest") or str(beside if beside.exists() else Path(sys.argv[0]).absolute())


def crontab_line(program: str, config: Path) -> str:
    """Return the crontab's line that sends what is due each minute; to cron, a bare % ends the line."""
    command = shlex.join([program, "send", "--quiet", "--config", str(config)])
    return "* * * * * " + command.replace("%", r"\%")


def write_units(config: Path, *, quiet: bool = False) -> None:
    """Write the units beside the settings, and say how to install them; UsageError for a path with spaces."""
    config = config.resolve()
    program = find_program()
    for named in (str(config), program):
        if any(sign.isspace() or sign in "%$\"'\\" for sign in named):
            raise UsageError(f"{named}: systemd reads blanks, quotes, % and $ in a path its own way; move it")
    name = f"digest-{config.parent.name}" if config.parent.name.isidentifier() else "digest"
    for file, text in units(name, program, config, user_name()).items():
        path = config.parent / file
        path.write_text(text, encoding="utf-8")
        say(f"{path} written", quiet=quiet)
    folder = config.parent
    for line in (
        "the daemon (scheduler, pages and delivery in one process):",
        f"    sudo cp {folder}/{name}.service /etc/systemd/system/ && sudo systemctl enable --now {name}",
        "or a run each minute, without pages:",
        f"    sudo cp {folder}/{name}-send.* /etc/systemd/system/",
        f"    sudo systemctl enable --now {name}-send.timer",
    ):
        say(line, quiet=quiet)
