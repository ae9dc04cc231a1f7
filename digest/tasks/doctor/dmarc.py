"""Check DMARC: whether From's domain has a policy, and whether our messages pass it (RFC 7489)."""

from dataclasses import dataclass

from digest.mail.dkim import parse_tags
from digest.net.dns import Records
from digest.settings.domains import is_aligned
from digest.tasks.composing.signing_keys import list_places, signing_domain
from digest.tasks.doctor.dns_names import UNREACHABLE
from digest.tasks.doctor.findings import Finding, fail, ok, warn
from digest.tasks.doctor.scope import Scope

_POLICIES = ("none", "quarantine", "reject")


@dataclass(frozen=True, slots=True)
class Policy:
    """The domain that has a record, and the records found there."""

    domain: str
    records: Records


def examine_dmarc(scope: Scope) -> list[Finding]:
    """Query the policy of From's domain, else of the domains above it."""
    sender = scope.settings.site.from_domain
    signing = signing_domain(scope.settings) if list_places(scope.settings) else ""
    policy = Policy(sender, Records())
    for domain in list_domains(sender):
        policy = Policy(domain, _policies(scope.resolver.texts(f"_dmarc.{domain}")))
        if policy.records or policy.records.trouble:
            break
    return judge_policy(sender, policy, signing=signing, return_path=scope.return_path_domain)


def list_domains(sender: str) -> list[str]:
    """List where a policy may be: the domain itself, then each one above it with two labels or more."""
    labels = sender.split(".")
    return [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]


def judge_policy(sender: str, policy: Policy, *, signing: str, return_path: str) -> list[Finding]:
    """Judge the policy, and whether our messages can pass it in one of the two ways."""
    records = policy.records
    where = f"_dmarc.{policy.domain}"
    publish = (
        f'publish at _dmarc.{sender}: "v=DMARC1; p=none; rua=mailto:ADDRESS", stricter once reports are good'
    )
    if records.trouble:
        return [fail("dmarc", f"{where}: {records.trouble}", UNREACHABLE)]
    if not records:
        return [fail("dmarc", f"{sender} has no policy, and large receivers ask for one", publish)]
    if len(records) > 1:
        return [fail("dmarc", f"{where} has {len(records)} policies, so none counts", "leave one")]
    tags = parse_tags(records[0]) or {}
    inherited = policy.domain != sender and "sp" in tags
    wanted = tags.get("sp" if inherited else "p", "").lower()
    if wanted not in _POLICIES:
        return [fail("dmarc", f"{where} has no valid p=", publish)]
    return [ok("dmarc", f"{where}: p={wanted}"), judge_alignment(sender, tags, signing, return_path)]


def judge_alignment(sender: str, tags: dict[str, str], signing: str, return_path: str) -> Finding:
    """Judge in which ways our messages are aligned with From (RFC 7489 3.1)."""
    by_signature = bool(signing) and _aligned(signing, sender, tags.get("adkim", "r"))
    by_path = _aligned(return_path, sender, tags.get("aspf", "r"))
    if by_signature and by_path:
        return ok("dmarc", "From is aligned with the signature and with the return path")
    if by_signature:
        return ok("dmarc", f"From is aligned with the signature (d={signing})")
    if by_path:
        remedy = "sign as well (`digest dkim`): a forwarded message passes by its signature alone"
        return warn("dmarc", "From is aligned with the return path alone", remedy)
    remedy = f"set [dkim] domain to {sender}, or publish the policy with adkim=r"
    return fail("dmarc", "From is aligned with neither the signature nor the return path", remedy)


def _aligned(one: str, other: str, mode: str) -> bool:
    return one == other if mode.lower() == "s" else is_aligned(one, other)


def _policies(records: Records) -> Records:
    """Keep the records that are policies; any other kind does not count (RFC 7489 6.6.3)."""
    if records.trouble:
        return records
    return Records(record for record in records if "".join(record.split()).startswith("v=DMARC1;"))
