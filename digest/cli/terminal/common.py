"""What all commands share: options, opening the application, parsing times."""

import getpass
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from digest.bootstrap import Application
from digest.cli.terminal.application import open_application
from digest.cli.terminal.tables import TableLayout
from digest.errors import UsageError
from digest.rules import moments
from digest.settings import parse_duration

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@Parameter(name="*")
@dataclass(frozen=True)
class Common:
    """Options of every command.

    Parameters
    ----------
    config:
        The settings file; else $DIGEST_CONFIG, else ./config.toml.
    quiet:
        Print problems only, so that cron mails nothing else.
    """

    config: Path | None = None
    quiet: Annotated[bool, Parameter(negative="")] = False


AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print the facts as JSON.")]
DEFAULT = Common()
MOST = 1_000_000_000
RowNumber = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=2**63 - 1))]
Days = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=36_500))]
Port = Annotated[int, Parameter(validator=validators.Number(gte=0, lte=65_535))]
AtLeastOne = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=MOST))]


@contextmanager
def application(common: Common) -> Iterator[Application]:
    """Open the application by its settings, and close it afterwards."""
    with open_application(common.config) as app:
        yield app


def layout_of(app: Application) -> TableLayout:
    """Return the layout of a table whose moments are in the publication's zone."""
    return TableLayout(zone=app.settings.zone, now=app.clock())


def user_name() -> str:
    """Return who types a command; the number of a user without a name, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def by_command() -> str:
    """Return who acts, as the record of an act keeps it: `"ann by command"`."""
    return f"{user_name()} by command"


def read_moment(text: str, zone: tzinfo, option: str) -> datetime:
    """Parse the time in an option; without an offset it is in the publication's zone."""
    try:
        return moments.parse_moment(text, zone)
    except OverflowError as error:
        raise UsageError(f"{option} {error}") from None
    except ValueError:
        raise UsageError(f'{option} "{text}" is not a time; write 2026-11-23T07:00') from None


def read_end(text: str, zone: tzinfo, option: str) -> datetime:
    """Parse the time up to which an option asks for; a date alone includes that day."""
    moment = read_moment(text, zone, option)
    return moment + timedelta(days=1) if _DATE.fullmatch(text.strip()) else moment


def in_zone(moment: datetime, zone: tzinfo, option: str) -> datetime:
    """Return the time in an option with an offset; raise UsageError for one that not every zone can have."""
    try:
        return moments.in_zone(moment, zone)
    except OverflowError as error:
        raise UsageError(f"{option} {error}") from None


def read_duration(text: str, option: str) -> timedelta:
    """Parse the duration in an option, written as in the settings."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f'{option} "{text}" {error}') from None
