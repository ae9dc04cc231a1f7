"""Every way to reach a relay, each against a real server: none, STARTTLS, TLS, with a login or not."""

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.support.newsroom import Caught, Publication

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def check_login(_server: Any, _session: Any, _envelope: Any, mechanism: str, login: Any) -> AuthResult:
    good = isinstance(login, LoginPassword) and (login.login, login.password) == (b"courier", b"hush hush")
    return AuthResult(success=good and mechanism in ("PLAIN", "LOGIN"))


@pytest.fixture
def server_tls(tmp_path: Path) -> ssl.SSLContext:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def deliver(
    tmp_path: Path, database_url: str, relay: Caught, smtp: str, code: int = 0
) -> tuple[Publication, str]:
    publication = Publication(tmp_path, database_url, port=relay.port)
    publication.change_settings("[smtp]", f"[smtp]\n{smtp}")
    publication.begin(readers=2)
    return publication, publication.run("send", "--now", code=code)


@pytest.mark.parametrize("login", [False, True])
@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_a_digest_arrives(
    tmp_path: Path, database_url: str, server_tls: ssl.SSLContext, security: str, login: bool
) -> None:
    kinds: dict[str, dict[str, Any]] = {
        "none": {},
        "starttls": {"tls_context": server_tls, "require_starttls": True, "auth_require_tls": True},
        "tls": {"ssl_context": server_tls},
    }
    options = kinds[security]
    if login:
        options |= {"authenticator": check_login}
    with Caught(**options) as relay:
        settings = [f'security = "{security}"']
        settings += ['ca_file = "ca.pem"'] if security != "none" else []
        settings += ['username = "courier"', 'password = "hush hush"'] if login else []
        publication, _ = deliver(tmp_path, database_url, relay, "\n".join(settings))

        assert sorted(relay.recipients) == ["r0@readers.example", "r1@readers.example"]
        assert publication.facts("audit")["ok"] is True


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_relay_that_knows_one_way_to_log_in_is_enough(
    tmp_path: Path, database_url: str, mechanism: str
) -> None:
    other = {"PLAIN": "LOGIN", "LOGIN": "PLAIN"}[mechanism]
    with Caught(authenticator=check_login, auth_exclude_mechanism=[other]) as relay:
        deliver(tmp_path, database_url, relay, 'username = "courier"\npassword = "hush hush"')
        assert len(relay.messages) == 2


def test_a_relay_whose_certificate_nobody_vouches_for_gets_nothing(
    tmp_path: Path, database_url: str, server_tls: ssl.SSLContext
) -> None:
    with Caught(tls_context=server_tls, require_starttls=True) as relay:
        publication, said = deliver(tmp_path, database_url, relay, 'security = "starttls"', code=1)

        assert "cannot be used (starttls: TLS failed (certificate: " in said
        assert relay.messages == []
        assert publication.edition()["open"] == 2


def test_a_relay_without_starttls_gets_nothing_where_the_settings_ask_for_it(
    tmp_path: Path, database_url: str
) -> None:
    with Caught() as relay:
        _, said = deliver(tmp_path, database_url, relay, 'security = "starttls"', code=1)

        assert "the relay offers no STARTTLS, and the settings ask for it" in said
        assert relay.messages == []
