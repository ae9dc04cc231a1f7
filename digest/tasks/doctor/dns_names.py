"""Check host names and addresses: the MX of our domains, and the reverse names of our addresses."""

from collections.abc import Mapping
from email.utils import parseaddr

from digest.net.dns import Records
from digest.settings.domains import ascii_name
from digest.tasks.doctor.findings import Finding, fail, ok, warn
from digest.tasks.doctor.scope import Scope, find_senders

UNREACHABLE = "check the network and [dns] resolver; --offline skips such checks"


def examine_mail_hosts(scope: Scope) -> list[Finding]:
    """Query the mail hosts of each domain that readers and bounces write to."""
    resolver, found = scope.resolver, []
    for domain, use in list_domains(scope).items():
        hosts = resolver.mail_hosts(domain)
        has_address = bool(resolver.addresses(domain)) if not hosts and not hosts.trouble else False
        found.append(judge_mail_hosts(domain, use, hosts, has_address=has_address))
    return found


def list_domains(scope: Scope) -> Mapping[str, str]:
    """List the domains that receive mail because of us, each with its purpose."""
    site = scope.settings.site
    replies = ascii_name(parseaddr(site.reply_to or site.from_)[1].rpartition("@")[2])
    if replies == scope.return_path_domain:
        return {replies: "bounces and replies"}
    return {scope.return_path_domain: "bounces", replies: "replies"}


def judge_mail_hosts(domain: str, use: str, hosts: Records, *, has_address: bool) -> Finding:
    """Judge a domain's MX records (RFC 5321 5.1, RFC 7505)."""
    if hosts.trouble:
        return fail("mx", f"{domain}: {hosts.trouble}", UNREACHABLE)
    if tuple(hosts) == (".",):
        return fail(
            "mx", f"{domain} says that it accepts no mail, and {use} go there", "publish an MX record"
        )
    if hosts:
        return ok("mx", f"mail to {domain} goes to {', '.join(hosts[:5])}")
    remedy = f"publish an MX record: {use} go to {domain}"
    if has_address:
        return warn("mx", f"{domain} has no MX record; senders fall back to its address", remedy)
    return fail("mx", f"{domain} has neither an MX record nor an address", remedy)


def examine_reverse_names(scope: Scope) -> list[Finding]:
    """Query the names of our sending addresses; another provider's relay is not judged."""
    senders = find_senders(scope)
    if not senders.ours:
        return []
    resolver, found = scope.resolver, []
    for address in senders.addresses:
        names = resolver.names(address)
        confirmed = [name for name in names[:5] if address in resolver.addresses(name)]
        found.append(judge_reverse_names(address, names, confirmed, certain=senders.certain))
    return found


def judge_reverse_names(address: str, names: Records, confirmed: list[str], *, certain: bool) -> Finding:
    """Judge an address's names: receivers want one that resolves back to it (RFC 8601 2.7.3, `iprev`).

    A guessed address only warns: the relay here may forward to one elsewhere.
    """
    bad = fail if certain else warn
    remedy = (
        f"have the network's owner set the PTR record of {address} to the relay's EHLO name, and publish an"
        f" address record of that name with {address}"
    )
    if names.trouble:
        return fail("ptr", f"{address}: {names.trouble}", UNREACHABLE)
    if not names:
        return bad("ptr", f"{address} has no name in DNS, and many receivers refuse such mail", remedy)
    if not confirmed:
        return bad("ptr", f"{address} is called {names[0]}, and that name does not lead back to it", remedy)
    return ok("ptr", f"{address} is called {confirmed[0]}, which leads back to it")
