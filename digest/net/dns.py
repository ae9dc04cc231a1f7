"""DNS queries; responses are hostile, so they are limited and cleaned here."""

import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver
import dns.reversename
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT

from digest.safe_text import printable

_MOST_RECORDS = 30
_LONGEST = 4_096


class Records(tuple[str, ...]):
    """The records of a name as text; empty if it has none. `trouble` says why the query failed."""

    trouble: str = ""

    @classmethod
    def unknown(cls, trouble: str) -> "Records":
        """Return no records, and the reason."""
        records = cls()
        records.trouble = trouble
        return records


class Resolver:
    """Queries the system's resolver, or one at an address and port; waits `timeout` for each response."""

    def __init__(self, server: tuple[str, int] | None, timeout: float) -> None:
        self._server = server
        self._timeout = timeout

    def texts(self, name: str) -> Records:
        """Return the TXT records, with the strings of each joined (RFC 7208 3.3)."""
        return self._ask(name, "TXT")

    def addresses(self, name: str) -> Records:
        """Return the IPv4 and IPv6 addresses."""
        found = [self._ask(name, kind) for kind in ("A", "AAAA")]
        trouble = next((records.trouble for records in found if records.trouble), "")
        every = Records(address for records in found for address in records)
        every.trouble = "" if every else trouble
        return every

    def mail_hosts(self, name: str) -> Records:
        """Return the hosts that accept mail, the preferred first; "." means that none does (RFC 7505)."""
        return self._ask(name, "MX")

    def names(self, address: str) -> Records:
        """Return the names of an IP address."""
        return self._ask(dns.reversename.from_address(address).to_text(), "PTR")

    def _ask(self, name: str, kind: str) -> Records:
        try:
            resolver = self._resolver()
            answer = resolver.resolve(dns.name.from_text(name), kind, lifetime=self._timeout, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return Records()
        except dns.resolver.NoNameservers:
            return Records.unknown("the resolver fails")
        except dns.exception.Timeout:
            return Records.unknown("the resolver does not answer")
        except dns.resolver.NoResolverConfiguration:
            return Records.unknown("this machine has no resolver")
        except (dns.exception.DNSException, UnicodeError):
            return Records.unknown("the name cannot be asked for")
        found = list(answer)[:_MOST_RECORDS]
        found.sort(key=lambda record: (getattr(record, "preference", 0), _text(record)))
        return Records(printable(_text(record))[:_LONGEST] for record in found)

    def _resolver(self) -> dns.resolver.Resolver:
        if self._server is None:
            return dns.resolver.Resolver()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = [dns.nameserver.Do53Nameserver(*self._server)]
        return resolver


def _text(record: object) -> str:
    if isinstance(record, TXT):
        return b"".join(record.strings).decode("utf-8", "replace")
    if isinstance(record, MX):
        return _host(record.exchange)
    target = getattr(record, "target", None)
    return _host(target) if isinstance(target, dns.name.Name) else str(record)


def _host(name: dns.name.Name) -> str:
    return name.to_text() if name == dns.name.root else name.to_text(omit_final_dot=True).lower()
