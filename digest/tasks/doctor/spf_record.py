"""Evaluate an SPF record with all that it includes: its cost, its errors, its results for addresses."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from digest.net.dns import Records, Resolver

MOST_LOOKUPS = 10
MOST_VOID = 2
MOST_MX = 10
_TERM = re.compile(
    r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?::([^/\s]+))?((?:/\d+)?(?://\d+)?)", re.I
)
_NETWORK = re.compile(r"([+?~-]?)(ip4|ip6):(\S+)", re.I)
_MODIFIER = re.compile(r"([a-z][a-z0-9_.-]*)=(\S*)", re.I)
_RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SpfError(Exception):
    """The record cannot be evaluated, which receivers take for our error (RFC 7208 2.6.7)."""


@dataclass(slots=True)
class Spf:
    """The result of evaluating a record; `results` has its result for each address."""

    lookups: int = 0
    voids: int = 0
    ending: str = ""
    uses_ptr: bool = False
    unsure: bool = False
    results: dict[str, str] = field(default_factory=dict)


class SpfTree:
    """Evaluates one record; every mechanism is examined, as if none before it had matched."""

    def __init__(self, resolver: Resolver, addresses: Sequence[str]) -> None:
        self._resolver = resolver
        self._addresses = tuple(addresses)
        self.found = Spf()

    def follow(self, domain: str, record: str) -> Spf:
        """Evaluate the record of a domain; raise SpfError for one that receivers cannot evaluate."""
        self.found.results, self.found.ending = self._level(domain, record)
        return self.found

    def _level(self, domain: str, record: str) -> tuple[dict[str, str], str]:
        results: dict[str, str] = {}
        redirect = ending = ""
        for term in record.split()[1:]:
            modifier = _MODIFIER.fullmatch(term)
            if modifier is not None:
                redirect = modifier[2] if modifier[1].lower() == "redirect" else redirect
                continue
            if ending:
                continue  # nothing after `all` is evaluated (RFC 7208 5.1)
            qualifier, name, matched = self._mechanism(domain, term)
            ending = qualifier if name == "all" else ""
            for address in matched:
                results.setdefault(address, _RESULTS[qualifier])
        if redirect and not ending:
            below, ending = self._level(redirect, self._included(redirect))
            results = {**below, **results}
        return results, ending

    def _mechanism(self, domain: str, term: str) -> tuple[str, str, list[str]]:
        match = _NETWORK.fullmatch(term) or _TERM.fullmatch(term)
        if match is None:
            raise SpfError(f'"{term}" is not a term of SPF')
        qualifier, name, target = match[1] or "+", match[2].lower(), match[3] or ""
        if name == "all":
            return qualifier, name, list(self._addresses)
        if name in ("ip4", "ip6"):
            return qualifier, name, self._inside([_network(term, target)])
        self._count()
        if "%" in target or name in ("ptr", "exists"):
            self.found.uses_ptr = self.found.uses_ptr or name == "ptr"
            self.found.unsure = True
            return qualifier, name, []
        if name == "include" and not target:
            raise SpfError(f'"{term}" names no domain')
        if name == "include":
            below, _ = self._level(target, self._read(target))
            return qualifier, name, [address for address, result in below.items() if result == "pass"]
        return qualifier, name, self._inside(self._hosts(name, target or domain, match[4]))

    def _hosts(self, name: str, target: str, prefix: str) -> list[Network]:
        hosts: Sequence[str] = (target,)
        if name == "mx":
            hosts = self._asked(self._resolver.mail_hosts(target), target)
            if len(hosts) > MOST_MX:
                raise SpfError(f"mx of {target} has more than {MOST_MX} hosts")
        found = [self._resolver.addresses(host) for host in hosts if host != "."]
        if name == "a":
            self._asked(found[0] if found else Records(), target)
        return [_host_network(address, prefix) for records in found for address in records]

    def _inside(self, networks: Sequence[Network]) -> list[str]:
        return [
            address
            for address in self._addresses
            if any(ipaddress.ip_address(address) in network for network in networks)
        ]

    def _included(self, domain: str) -> str:
        self._count()
        return self._read(domain)

    def _read(self, domain: str) -> str:
        records = spf_records(self._asked(self._resolver.texts(domain), domain))
        if len(records) != 1:
            raise SpfError(f"{domain} is included and has {len(records) or 'no'} SPF record")
        return records[0]

    def _asked(self, records: Records, name: str) -> Records:
        if records.trouble:
            raise SpfError(f"{name}: {records.trouble}")
        self.found.voids += not records
        if self.found.voids > MOST_VOID:
            raise SpfError(f"more than {MOST_VOID} look-ups find nothing (the last: {name})")
        return records

    def _count(self) -> None:
        self.found.lookups += 1
        if self.found.lookups > MOST_LOOKUPS:
            raise SpfError(f"it needs more than {MOST_LOOKUPS} DNS look-ups")


def spf_records(records: Records) -> list[str]:
    """Keep the SPF records (RFC 7208 4.5)."""
    return [record for record in records if record.lower().split(" ")[0] == "v=spf1"]


def _network(term: str, text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise SpfError(f'"{term}" names no network') from None


def _host_network(address: str, prefix: str) -> Network:
    four, _, six = prefix.partition("//")
    is_four = ipaddress.ip_address(address).version == 4
    length = four.lstrip("/") if is_four else six
    text = f"{address}/{length}" if length else address
    return _network(text, text)
