"""Check SPF: whether the return path's domain allows the relay to send for it (RFC 7208)."""

from digest.net.dns import Records
from digest.tasks.doctor.dns_names import UNREACHABLE
from digest.tasks.doctor.findings import Finding, fail, ok, warn
from digest.tasks.doctor.scope import Scope, Senders, find_senders
from digest.tasks.doctor.spf_record import MOST_LOOKUPS, Spf, SpfError, SpfTree, spf_records

_ENDS = {"-": "-all", "~": "~all", "?": "?all", "+": "+all", "": "without all"}


def examine_spf(scope: Scope) -> list[Finding]:
    """Query the record of the return path's domain and evaluate it."""
    domain, senders = scope.return_path_domain, find_senders(scope)
    records = scope.resolver.texts(domain)
    fault = judge_records(domain, records)
    if fault is not None:
        return [fault]
    try:
        found = SpfTree(scope.resolver, senders.addresses).follow(domain, spf_records(records)[0])
    except SpfError as error:
        return [fail("spf", f"{domain}: {error}", "correct the record: receivers treat this as an error")]
    return [judge_spf(domain, found), *judge_senders(domain, senders, found)]


def judge_records(domain: str, records: Records) -> Finding | None:
    """Judge whether there is exactly one record; None if so."""
    if records.trouble:
        return fail("spf", f"{domain}: {records.trouble}", UNREACHABLE)
    count = len(spf_records(records))
    if count == 1:
        return None
    if count:
        return fail("spf", f"{domain} has {count} SPF records, so none counts", "join them into one")
    remedy = (
        'publish a TXT record such as "v=spf1 ip4:ADDRESS_OF_THE_RELAY -all", or the include: of your relay'
    )
    return fail("spf", f"{domain} has no SPF record", remedy)


def judge_spf(domain: str, found: Spf) -> Finding:
    """Judge a record that can be evaluated."""
    line = f"{domain} ends {_ENDS[found.ending]}, {found.lookups} of {MOST_LOOKUPS} look-ups"
    if found.ending == "+":
        return fail("spf", f"{line}: everybody may send for it", "end the record with -all")
    if found.ending not in ("-", "~"):
        return warn("spf", f"{line}: nobody is kept out", "end the record with -all, or ~all while you try")
    if found.uses_ptr:
        return warn("spf", f"{line}, and uses ptr", "name networks instead: ptr is slow and must not be used")
    return ok("spf", line)


def judge_senders(domain: str, senders: Senders, found: Spf) -> list[Finding]:
    """Judge the record's result for the addresses that messages are sent from."""
    if not senders.addresses:
        why = senders.trouble or "it is behind another address, or private"
        remedy = "name it: `digest doctor --sends-from ADDRESS`"
        return [
            warn("spf-address", f"the address that the relay sends from is not known here: {why}", remedy)
        ]
    return [judge_sender(domain, address, senders, found) for address in senders.addresses]


def judge_sender(domain: str, address: str, senders: Senders, found: Spf) -> Finding:
    """Judge one address."""
    result = found.results.get(address, "neutral")
    if result == "pass":
        return ok("spf-address", f"{address} may send for {domain}")
    line = f"{address} may not send for {domain} ({result})"
    if senders.certain and not found.unsure:
        return fail("spf-address", line, f"add it to the SPF record of {domain}")
    remedy = (
        "add your relay's include: to the record, or name its address with --sends-from where it is another"
    )
    return warn("spf-address", f"{line}, as far as can be told from here", remedy)
