"""Run all checks in parallel; one that fails or takes too long is reported and ends nothing."""

import logging
import shlex
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from digest.errors import DigestError
from digest.models.status import Status
from digest.tasks.doctor.client_support import examine_mail_programs
from digest.tasks.doctor.database import examine_database
from digest.tasks.doctor.dkim import examine_keys, examine_records
from digest.tasks.doctor.dmarc import examine_dmarc
from digest.tasks.doctor.dns_names import examine_mail_hosts, examine_reverse_names
from digest.tasks.doctor.files import examine_alerts, examine_disk, examine_secrets, examine_time_zones
from digest.tasks.doctor.findings import Finding, fail, ok, warn
from digest.tasks.doctor.pages import examine_pages, examine_proxies
from digest.tasks.doctor.relay import examine_relay
from digest.tasks.doctor.scope import Scope
from digest.tasks.doctor.sources import examine_sources
from digest.tasks.doctor.spf import examine_spf
from digest.tasks.doctor.templates import examine_templates

log = logging.getLogger(__name__)

_SERVED = ("relay", "pages", "one-click")
"""What is there only while a demo is served."""

_IN_EARNEST = ("relay-tls", "alerts", "signing-keys", "spf", "dkim", "dmarc", "mx", "ptr")
"""What a demo needs not, whose mail leaves for nobody."""

_STEPS = 4
"""The number of things that a check may wait for, one after another."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check; `outside` if it sends requests to other machines."""

    name: str
    examine: Callable[[Scope], list[Finding]]
    outside: bool = False


CHECKS = (
    Check("secrets", examine_secrets),
    Check("time-zones", examine_time_zones),
    Check("database", examine_database),
    Check("disk", examine_disk),
    Check("alerts", examine_alerts),
    Check("proxies", examine_proxies),
    Check("templates", examine_templates),
    Check("mail-programs", examine_mail_programs),
    Check("sources", examine_sources),
    Check("signing-keys", examine_keys),
    Check("relay", examine_relay, outside=True),
    Check("spf", examine_spf, outside=True),
    Check("dkim", examine_records, outside=True),
    Check("dmarc", examine_dmarc, outside=True),
    Check("mx", examine_mail_hosts, outside=True),
    Check("ptr", examine_reverse_names, outside=True),
    Check("pages", examine_pages, outside=True),
)


def examine(scope: Scope, *, offline: bool = False, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """Examine a publication; findings are in the order of the checks. Nothing is changed."""
    wanted = [check for check in checks if not (offline and check.outside)]
    results: dict[str, list[Finding]] = {}
    threads = [
        threading.Thread(target=_run, args=(check, scope, results), name=check.name, daemon=True)
        for check in wanted
    ]
    end = time.monotonic() + _STEPS * scope.seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    late = f"did not end within {_STEPS * scope.seconds:g} seconds"
    unknown = {check.name: [fail(check.name, late, "give it longer with --timeout")] for check in wanted}
    findings = [finding for check in wanted for finding in {**unknown, **results}[check.name]]
    return about_demo(findings, scope) if scope.is_demo else findings


def about_demo(findings: Sequence[Finding], scope: Scope) -> list[Finding]:
    """Return the findings on a demo, of which what only concerns mail and pages in earnest is no fault.

    Its relay is the mail catcher, its pages are those of `digest demo`, and its domain is an example's.
    """
    idle = [one for one in findings if one.check in _SERVED and one.status is Status.FAIL]
    kept = [one for one in findings if one.check not in _IN_EARNEST and one not in idle]
    kept = [one for one in kept if one.check not in _SERVED or one.status is not Status.WARN]
    settings = scope.settings
    if any(one.check == "relay" for one in idle):
        found = f"its mail catcher is not running at {scope.relay.host}:{scope.relay.port}"
    elif idle:
        found = f"its pages are not served at {settings.site.base_url}"
    else:
        return [*kept, ok("demo", "these are the settings of `digest demo`; nothing leaves this machine")]
    remedy = f"`digest demo --dir {shlex.quote(str(settings.folder))}` starts it again"
    return [*kept, warn("demo", f"these are the settings of `digest demo`, and {found}", remedy)]


def is_healthy(findings: Sequence[Finding]) -> bool:
    """Return whether nothing has failed."""
    return all(finding.status is not Status.FAIL for finding in findings)


def _run(check: Check, scope: Scope, results: dict[str, list[Finding]]) -> None:
    try:
        results[check.name] = check.examine(scope)
    except DigestError as error:
        results[check.name] = [fail(check.name, str(error), "fix that, then run `digest doctor` again")]
    except Exception as error:
        log.debug("check %s", check.name, exc_info=True)
        broken = f"the check itself broke: {type(error).__name__}"
        results[check.name] = [fail(check.name, broken, "this is a fault of the program: please report it")]
