"""Sign-ups are refused for domains that the settings name, and on request for those that take no mail."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.errors import SettingsError
from digest.net.dns import Resolver
from digest.settings import load_settings
from digest.tasks.readers.mail_domains import MailDomains, load_mail_domains
from tests.conftest import write_config
from tests.support.nameserver import NameServer

ZONE = {
    ("mail.example", "MX"): ["10 mx.mail.example."],
    ("bare.example", "A"): ["192.0.2.1"],
    ("never.example", "MX"): ["0 ."],
    ("parked.example", "TXT"): ['"v=spf1 -all"'],
}


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer(ZONE) as server:
        yield server


@pytest.mark.parametrize(
    ("domain", "allowed"),
    [
        ("mail.example", True),
        ("bare.example", True),
        ("never.example", False),
        ("parked.example", False),
        ("nowhere.example", False),
    ],
)
def test_a_domain_that_takes_no_mail_is_refused(server: NameServer, domain: str, allowed: bool) -> None:
    asked = MailDomains(resolver=Resolver(("127.0.0.1", server.port), 3.0))
    assert asked.allows(domain) is allowed


def test_a_name_server_that_fails_turns_nobody_away(server: NameServer) -> None:
    server.failing.add("mail.example")
    assert MailDomains(resolver=Resolver(("127.0.0.1", server.port), 3.0)).allows("mail.example")


def test_a_refused_domain_is_refused_with_its_subdomains_and_no_neighbour() -> None:
    domains = MailDomains(["trash.example"])
    assert not domains.allows("trash.example")
    assert not domains.allows("a.b.trash.example")
    assert domains.allows("nottrash.example")


def test_the_settings_name_domains_and_a_file_of_them(tmp_path: Path) -> None:
    path = write_config(tmp_path, "sqlite:///digest.db")
    more = 'refused_domains = ["trash.example"]\nrefused_domains_file = "disposable.txt"\n'
    path.write_text(path.read_text().replace("[web]\n", f"[web]\n{more}"))
    with pytest.raises(SettingsError, match=r"refused_domains_file.*cannot be read"):
        load_mail_domains(load_settings(path))
    (tmp_path / "disposable.txt").write_text("# a list\nBurner.example\n\n")
    domains = load_mail_domains(load_settings(path))
    assert [domains.allows(one) for one in ("trash.example", "burner.example", "mail.example")] == [
        False, False, True,
    ]  # fmt: skip
