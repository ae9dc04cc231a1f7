"""The command that checks the whole set-up: doctor."""

import ipaddress
import secrets
import sys
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

from cyclopts import Parameter

from digest.bootstrap import Application
from digest.cli.terminal.common import DEFAULT, AsJson, Common, application
from digest.cli.terminal.output import count, say, show_json, warn
from digest.errors import SettingsError, UsageError
from digest.models.status import Status
from digest.tasks.doctor.examination import examine, is_healthy
from digest.tasks.doctor.findings import Finding, fail, ok
from digest.tasks.doctor.scope import Scope, is_address
from digest.tasks.inbound.round_trip_check import examine_round_trip

_PATIENCE = timedelta(minutes=2)
_REMEDY = "correct the settings, then run this again"


def doctor(
    *,
    offline: Annotated[bool, Parameter(negative="")] = False,
    sends_from: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    timeout: float = 5.0,
    round_trip: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
    common: Common = DEFAULT,
) -> None:
    """Check the whole set-up; exit 1 if something is wrong.

    Nothing is changed, and only --round-trip sends a message. docs/operators.md says what each line means.

    Parameters
    ----------
    offline:
        Skip the checks that need other machines: the relay, DNS and the pages.
    sends_from:
        The IP address that the relay sends from, if it cannot be found out from here; may be repeated.
    timeout:
        Seconds to wait for each response of another machine.
    round_trip:
        Send one message through the relay to our own inbox, wait up to two minutes for it, and say where it
        got lost.
    """
    senders = _check_options(sends_from, timeout)
    try:
        with application(common) as app:
            valid = ok("settings", f"{app.settings.file} is valid")
            scope = Scope(app.settings, app.relay, lambda: app.renderer, app.clock, timeout, senders)
            findings = [valid, *examine(scope, offline=offline)]
            if round_trip:
                findings.append(_go_round(app))
    except SettingsError as error:
        findings = [fail("settings", line, _REMEDY) for line in str(error).splitlines()]
        _show(findings, json=json, quiet=common.quiet)
        sys.exit(error.exit_code)
    _show(findings, json=json, quiet=common.quiet)
    if not is_healthy(findings):
        sys.exit(1)


def _go_round(app: Application) -> Finding:
    number = secrets.randbits(50)
    if app.find_refusal() is not None:  # what waits in the inbox would be processed as well
        said = "no message is sent from a database that was restored from a backup"
        return fail("round-trip", said, "decide with `digest resume`")
    return examine_round_trip(app.inbox, app.composer, app.renderer, app.relay, number, app.clock, _PATIENCE)


def _check_options(sends_from: tuple[str, ...], timeout: float) -> tuple[str, ...]:
    for address in sends_from:
        if not is_address(address):
            raise UsageError(f'--sends-from "{address}" is not an IP address')
    if not 0 < timeout <= 600:
        raise UsageError(f'--timeout "{timeout:g}" must be more than 0 and at most 600 seconds')
    return tuple(str(ipaddress.ip_address(address)) for address in sends_from)


def _show(findings: list[Finding], *, json: bool, quiet: bool) -> None:
    if json:
        show_json([asdict(finding) for finding in findings])
        return
    for finding in findings:
        if quiet and finding.status is not Status.OK:
            warn(f"{finding.status} {finding.check}: {finding.found}; {finding.remedy}")
        say(f"{finding.status:<5} {finding.check:<13} {finding.found}", quiet=quiet)
        if finding.remedy:
            say(f"{'':<19} -> {finding.remedy}", quiet=quiet)
    counts = [sum(finding.status is status for finding in findings) for status in Status]
    say(f"{counts[0]} ok, {count(counts[1], 'warning')}, {count(counts[2], 'error')}", quiet=quiet)
