"""Check the relay: reachable, trusted, login, capabilities; no message is sent."""

import re
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from digest.models import Outcome, Stage
from digest.net.probing import Probe, probe_relay
from digest.net.smtp import Relay
from digest.rules.delivery.reply_verdicts import describe
from digest.tasks.doctor.clock import judge_clock
from digest.tasks.doctor.findings import Finding, fail, ok, warn
from digest.tasks.doctor.scope import Scope

SOON = timedelta(days=14)
LEAST_SIZE = 200_000
_WANTED = ("SIZE", "PIPELINING", "8BITMIME", "SMTPUTF8", "CHUNKING")
_DATE = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}")
_REMEDIES = {
    Stage.CONNECT: "check [smtp] host and port and the firewall: many networks block port 25 but not 587",
    Stage.BANNER: "check [smtp] port and security: TLS from the start (465) sends no greeting in the clear",
    Stage.EHLO: "set [smtp] ehlo_name to this machine's full name",
    Stage.STARTTLS: "check [smtp] security, host (the certificate's name) and ca_file",
    Stage.AUTH: "check [smtp] username and password",
}


def examine_relay(scope: Scope) -> list[Finding]:
    """Greet the relay as delivery does, and disconnect."""
    asked_at = scope.clock()
    found = probe_relay(scope.relay, scope.seconds)
    if isinstance(found, Outcome):
        return [judge_refusal(scope.relay, found)]
    return [
        judge_welcome(scope.relay, found),
        *judge_tls(scope.relay, found, asked_at, is_here=scope.relay_is_here),
        judge_offer(found),
        *judge_banner(found.banner, scope.clock()),
    ]


def judge_refusal(relay: Relay, outcome: Outcome) -> Finding:
    """Judge a relay that cannot be used."""
    remedy = _REMEDIES.get(outcome.stage, "look at [smtp]")
    return fail("relay", f"{relay.host}:{relay.port} cannot be used ({describe(outcome)})", remedy)


def judge_welcome(relay: Relay, found: Probe) -> Finding:
    """Judge a relay that accepts the session."""
    login = "the login is accepted" if relay.username else "no login is set"
    return ok("relay", f"{relay.host}:{relay.port} accepts us at {found.address}; {login}")


def judge_tls(relay: Relay, found: Probe, now: datetime, *, is_here: bool) -> list[Finding]:
    """Judge the encryption; nothing is reported for a local relay that needs no TLS."""
    if not found.tls:
        remedy = 'set [smtp] security to "starttls" or "tls"'
        clear = "messages go to the relay in the clear"
        return [] if is_here else [warn("relay-tls", clear, remedy)]
    until = found.certificate_until
    if until is None:
        return [ok("relay-tls", found.tls)]
    line = f"{found.tls}, certificate until {until.date()}"
    if until - now < SOON:
        return [warn("relay-tls", line, "have it renewed: after that day nothing is sent")]
    return [ok("relay-tls", line)]


def judge_offer(found: Probe) -> Finding:
    """Judge the relay's capabilities."""
    offered = [f"{name} {found.extensions[name]}".strip() for name in _WANTED if name in found.extensions]
    line = f"offers {', '.join(offered) or 'nothing'}"
    size = found.extensions.get("SIZE", "")
    if size.isdigit() and 0 < int(size) < LEAST_SIZE:
        return warn(
            "relay-offers", f"{line}; digests are larger", f"raise its limit past {LEAST_SIZE:,} bytes"
        )
    missing = [name for name in ("PIPELINING", "SMTPUTF8") if name not in found.extensions]
    without = {"PIPELINING": "delivery is slower", "SMTPUTF8": "addresses like jürgen@… cannot be reached"}
    told = "".join(f"; without {name} {without[name]}" for name in missing)
    return ok("relay-offers", line + told)


def judge_banner(banner: str, now: datetime) -> list[Finding]:
    """Judge our clock by the relay's, if its banner contains the time."""
    match = _DATE.search(banner)
    if match is None:
        return []
    try:
        theirs = parsedate_to_datetime(match[0])
    except ValueError:
        return []
    return [judge_clock(now, theirs, "the relay")]
