"""Which domains may sign up: none that the settings refuse and, if configured, only those that accept mail.

DNS is queried before the database is written, so a slow response holds nobody up. If the query fails, the
sign-up is accepted: a bounced confirmation does less harm than a reader who is turned away.
"""

from collections.abc import Iterable

from digest.errors import SettingsError
from digest.net.dns import Resolver
from digest.settings import Settings

_SECONDS = 3.0
_NO_MAIL = "."
"""The single MX record of a domain that accepts no mail (RFC 7505, section 3)."""


class MailDomains:
    """Decides whether a domain may sign up; `refused` includes subdomains.

    `MailDomains(["trash.example"]).allows("mx.trash.example")` is False.
    """

    def __init__(self, refused: Iterable[str] = (), resolver: Resolver | None = None) -> None:
        self._refused = frozenset(refused)
        self._resolver = resolver

    def allows(self, domain: str) -> bool:
        """Return whether a domain is not refused and, if DNS is queried, accepts mail."""
        labels = domain.split(".")
        if any(".".join(labels[at:]) in self._refused for at in range(len(labels))):
            return False
        return self._resolver is None or _takes_mail(self._resolver, domain)


def _takes_mail(resolver: Resolver, domain: str) -> bool:
    """Return whether a domain has a host for its mail: an MX, else an address (RFC 5321, section 5.1)."""
    hosts = resolver.mail_hosts(domain)
    if hosts.trouble:
        return True
    if hosts:
        return tuple(hosts) != (_NO_MAIL,)
    addresses = resolver.addresses(domain)
    return bool(addresses) or bool(addresses.trouble)


def load_mail_domains(settings: Settings) -> MailDomains:
    """Return the domains of the settings; raise SettingsError for a file of domains that cannot be read."""
    web, listed = settings.web, [*settings.web.refused_domains]
    if web.refused_domains_file:
        path = settings.path(web.refused_domains_file)
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeError) as error:
            raise SettingsError(
                f'[web] refused_domains_file = "{web.refused_domains_file}": {path} cannot be read: {error}'
            ) from None
        listed += [line.strip().lower() for line in lines if line.strip() and not line.startswith("#")]
    resolver = Resolver(settings.dns.server, _SECONDS) if web.check_mail_domains else None
    return MailDomains(listed, resolver)
