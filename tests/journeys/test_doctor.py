"""An operator's examination: a real relay, real pages and a name server on loopback; all is well, then not."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import AuthResult

from digest.bootstrap import Application
from digest.demo.loader import free_port
from digest.settings import load_settings
from digest.web.app import create_app
from digest.web.server import Server
from tests.support.nameserver import NameServer, closed_port
from tests.support.newsroom import Caught, Publication
from tests.support.websites import Website, page

OURS = "192.0.2.25"


def accept(*_: Any) -> AuthResult:
    return AuthResult(success=True)


def refuse(*_: Any) -> AuthResult:
    return AuthResult(success=False, handled=False)


@dataclass
class Setting:
    """A publication with everything that it needs around it."""

    publication: Publication
    names: NameServer
    relay: Caught

    def examine(self, *options: str, code: int = 0) -> dict[str, list[dict[str, str]]]:
        """Run `doctor`, and return its findings by check."""
        findings: dict[str, list[dict[str, str]]] = {}
        found = self.publication.facts("doctor", "--sends-from", OURS, *options, code=code)
        for finding in found:
            findings.setdefault(finding["check"], []).append(finding)
        return findings

    def line(self, check: str, *options: str, code: int = 1) -> str:
        """Return the one line of a check that is not ok, as printed."""
        (finding,) = [one for one in self.examine(*options, code=code)[check] if one["status"] != "ok"]
        return f"{finding['status']} {finding['found']} -> {finding['remedy']}"


def make_zone() -> dict[tuple[str, str], list[str]]:
    return {
        ("courier.example", "TXT"): ["some-site-verification=1", "v=spf1 mx include:spf.relay.example -all"],
        ("spf.relay.example", "TXT"): ["v=spf1 ip4:192.0.2.0/28 ip6:2001:db8::/32 ~all"],
        ("courier.example", "MX"): ["10 mail.courier.example."],
        ("mail.courier.example", "A"): [OURS],
        ("25.2.0.192.in-addr.arpa", "PTR"): ["mail.courier.example."],
        ("_dmarc.courier.example", "TXT"): ["v=DMARC1; p=quarantine; adkim=s"],
    }


@pytest.fixture
def setting(tmp_path: Path) -> Iterator[Setting]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with (
        NameServer(make_zone()) as names,
        Caught(tls_context=context, require_starttls=True, authenticator=accept) as relay,
    ):
        publication = Publication(tmp_path, f"sqlite:///{tmp_path}/digest.db", port=relay.port)
        publication.config.chmod(0o600)
        tls = '[smtp]\nsecurity = "starttls"\nca_file = "ca.pem"\nusername = "courier"\npassword = "hush"'
        publication.change_settings("[smtp]", tls)
        zone = 'timezone = "Europe/Paris"'
        publication.change_settings(zone, f'{zone}\nalerts = ["night@courier.example"]')
        port = free_port(0)
        publication.change_settings("https://courier.example", f"http://127.0.0.1:{port}")
        keys = [
            *publication.facts("dkim", "--selector", "r1"),
            *publication.facts("dkim", "--selector", "e1", "--ed25519"),
        ]
        lines = {f'{name} = "{value}"' for key in keys for name, value in key["settings"].items()}
        tables = f'[dkim]\n{chr(10).join(lines)}\n[dns]\nresolver = "{names.address}"\n[web]'
        publication.change_settings("[web]", tables)
        names.zone |= {(key["name"], "TXT"): [key["value"]] for key in keys}
        publication.write_article("Bridge reopens")
        publication.run("init")
        publication.run("fetch")
        application = Application(load_settings(publication.config))
        pages = Server(create_app(application.readers, application.settings), "127.0.0.1", port)
        pages.start()
        try:
            yield Setting(publication, names, relay)
        finally:
            pages.stop()
            application.close()


def test_where_all_is_set_up_every_line_says_so(setting: Setting) -> None:
    before = (setting.publication.folder / "digest.db").read_bytes()

    found = setting.examine()

    # Only that the pages are on loopback is not as it will be.
    (pages,) = [one for check in found.values() for one in check if one["status"] != "ok"]
    assert pages["found"].endswith("is for this machine alone: no reader can open it")
    said = {check: " | ".join(one["found"] for one in ones) for check, ones in found.items()}
    assert "accepts us at 127.0.0.1; the login is accepted" in said["relay"]
    assert "TLSv1.3, certificate until " in said["relay-tls"]
    assert "offers SIZE " in said["relay-offers"]
    assert said["spf"] == "courier.example ends -all, 2 of 10 look-ups"
    assert said["spf-address"] == f"{OURS} may send for courier.example"
    assert (
        said["dkim"] == "r1._domainkey.courier.example is our key | e1._domainkey.courier.example is our key"
    )
    assert "p=quarantine | From is aligned with the signature and with the return path" in said["dmarc"]
    assert said["mx"] == "mail to courier.example goes to mail.courier.example"
    assert said["ptr"] == f"{OURS} is called mail.courier.example, which leads back to it"
    assert said["one-click"] == "the link to leave opens its page"
    assert said["sources"] == "1 of 1 were read without trouble"
    assert "clock" in said
    assert setting.relay.messages == []
    assert (setting.publication.folder / "digest.db").read_bytes() == before


def test_it_prints_lines_with_remedies_and_with_quiet_trouble_alone(setting: Setting) -> None:
    setting.names.zone.pop(("_dmarc.courier.example", "TXT"))
    said = setting.publication.run("doctor", "--sends-from", OURS, code=1)
    assert "fail  dmarc         courier.example has no policy" in said
    assert f"{'':<19} -> publish at _dmarc.courier.example" in said
    assert said.endswith(" ok, 1 warning, 1 error\n")
    quiet = setting.publication.run("doctor", "--sends-from", OURS, "--quiet", code=1)
    assert quiet.count("\n") == 2
    assert "fail dmarc: courier.example has no policy" in quiet


@pytest.mark.parametrize(
    ("name", "records", "check", "says"),
    [
        (
            ("courier.example", "TXT"),
            ["v=spf1 -all", "v=spf1 ~all"],
            "spf",
            "has 2 SPF records, so none counts",
        ),
        (("courier.example", "TXT"), [], "spf", "has no SPF record -> publish a TXT record"),
        (("courier.example", "TXT"), ["v=spf1 mx +all"], "spf", "everybody may send for it"),
        (
            ("courier.example", "TXT"),
            ["v=spf1 -all"],
            "spf-address",
            f"{OURS} may not send for courier.example",
        ),
        (("_dmarc.courier.example", "TXT"), ["v=DMARC1; p=maybe"], "dmarc", "has no valid p="),
        (("courier.example", "MX"), ["0 ."], "mx", "says that it accepts no mail"),
        (("mail.courier.example", "A"), ["192.0.2.99"], "ptr", "does not lead back to it"),
        (("25.2.0.192.in-addr.arpa", "PTR"), [], "ptr", "has no name in DNS"),
        (
            ("r1._domainkey.courier.example", "TXT"),
            [],
            "dkim",
            "r1._domainkey.courier.example has no TXT record",
        ),
        (
            ("e1._domainkey.courier.example", "TXT"),
            ["v=DKIM1; k=ed25519; p=" + "A" * 43 + "="],
            "dkim",
            "e1._domainkey.courier.example holds another key than ours -> publish: v=DKIM1; k=ed25519; p=",
        ),
    ],
)
def test_what_dns_says_wrongly_is_a_line_with_its_remedy(
    setting: Setting, name: tuple[str, str], records: list[str], check: str, says: str
) -> None:
    setting.names.zone[name] = records
    line = setting.line(check)
    assert line.startswith("fail ")
    assert says in line


def test_a_resolver_that_does_not_answer_fails_the_checks_that_need_it_and_no_other(setting: Setting) -> None:
    old = f'resolver = "{setting.names.address}"'
    setting.publication.change_settings(old, f'resolver = "127.0.0.1:{closed_port()}"')
    found = setting.examine("--timeout", "1", code=1)
    for check in ("spf", "dkim", "dmarc", "mx", "ptr"):
        assert found[check][0]["status"] == "fail"
        assert "the resolver " in found[check][0]["found"]
    assert {one["status"] for check in ("relay", "database", "templates") for one in found[check]} == {"ok"}


def test_a_relay_that_is_not_there(setting: Setting) -> None:
    setting.publication.change_settings(f"port = {setting.relay.port}", f"port = {closed_port()}")
    line = setting.line("relay")
    assert "cannot be used (connect: connection refused) -> check [smtp] host and port" in line


def test_a_relay_that_nobody_vouches_for(setting: Setting) -> None:
    setting.publication.change_settings('ca_file = "ca.pem"\n', "")
    assert "cannot be used (starttls: TLS failed (certificate: " in setting.line("relay")


def test_a_login_that_is_refused(setting: Setting) -> None:
    with Caught(authenticator=refuse) as relay:
        setting.publication.change_settings(f"port = {setting.relay.port}", f"port = {relay.port}")
        setting.publication.change_settings('security = "starttls"\n', "")
        line = setting.line("relay")
    assert "cannot be used (auth: 535" in line
    assert line.endswith("-> check [smtp] username and password")
    assert "hush" not in line


def test_pages_that_are_not_ours_and_a_link_that_leads_elsewhere(setting: Setting) -> None:
    base = load_settings(setting.publication.config).site.base_url
    with Website() as site:
        site.pages["/"] = page(b"<p>Welcome to another server.</p>")
        setting.publication.change_settings(base, site.url)
        found = setting.examine(code=1)
        assert [one["status"] for one in found["pages"]] == ["warn", "warn"]
        assert "is not our sign-up" in found["pages"][1]["found"]
        assert "answers 404" in found["one-click"][0]["found"]

        leaving = next(path for path, _ in site.requests if path.startswith("/unsubscribe/"))
        site.pages[leaving] = page(b"", 302, Location="/")
        assert "is redirected elsewhere" in setting.line("one-click")
        site.pages[leaving] = page(b"<p>Hello.</p>")
        line = setting.line("one-click")
        assert "opens another page than ours" in line
        assert leaving.rpartition("/")[2] not in line
    setting.publication.run("send")  # what never ran is not missed yet
    assert f"{site.url}/unsubscribe/… does not answer" in setting.line("one-click")


def test_files_that_others_may_read(setting: Setting) -> None:
    folder = setting.publication.folder
    setting.publication.config.chmod(0o644)
    (folder / "digest.db").chmod(0o644)
    (folder / "dkim-r1.pem").chmod(0o644)
    found = setting.examine(code=1)
    assert [one["found"] for one in found["secrets"]] == [
        "config.toml holds secrets, and everybody may read it",
        "digest.db holds readers' addresses, and everybody may read it",
    ]
    assert found["signing-keys"][0]["found"].endswith(f"`chmod 600 {folder / 'dkim-r1.pem'}`")
    assert [one["found"] for one in found["dkim"]] == ["e1._domainkey.courier.example is our key"]


def test_a_database_that_is_not_there_is_not_made(setting: Setting) -> None:
    setting.publication.change_settings("digest.db", "other.db")
    assert "other.db does not exist -> `digest init` creates it" in setting.line("database")
    assert not (setting.publication.folder / "other.db").exists()


def test_a_database_that_was_restored(setting: Setting) -> None:
    folder, relay = setting.publication.folder, setting.relay
    setting.publication.run("subscribers", "add", "ann@readers.example", "--confirmed", "by phone")
    setting.publication.run("send", "--now")
    assert len(relay.messages) == 1
    (folder / "config.state").unlink()
    line = setting.line("state")
    assert "is missing: was it restored?" in line
    assert "digest resume --sent-until TIME" in line


def test_sources_that_fail(setting: Setting) -> None:
    folder = setting.publication.folder / "articles"
    folder.rename(folder.with_name("away"))
    setting.publication.run("fetch", "newsroom", code=1)
    line = setting.line("sources", code=0)
    assert line.startswith("warn newsroom fails (")
    assert "`digest fetch newsroom` shows what happens" in line


def test_offline_asks_no_other_machine(setting: Setting) -> None:
    setting.publication.change_settings(f"port = {setting.relay.port}", f"port = {closed_port()}")
    found = setting.examine("--offline")
    assert not {"relay", "spf", "dkim", "dmarc", "mx", "ptr", "pages"} & set(found)
    assert {"settings", "secrets", "database", "state", "templates", "sources"} <= set(found)
    assert setting.names.asked == []


def test_settings_that_are_wrong_are_the_first_line_and_the_only_ones(setting: Setting) -> None:
    setting.publication.change_settings("Europe/Paris", "Mars/Base")
    (finding,) = setting.publication.facts("doctor", code=2)
    assert (finding["check"], finding["status"]) == ("settings", "fail")
    assert 'timezone = "Mars/Base": is not a time zone' in finding["found"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--sends-from", "mail.example"), '--sends-from "mail.example" is not an IP address'),
        (("--timeout", "0"), '--timeout "0" must be more than 0'),
    ],
)
def test_options_that_make_no_sense(tmp_path: Path, options: tuple[str, ...], says: str) -> None:
    publication = Publication(tmp_path, f"sqlite:///{tmp_path}/digest.db")
    assert says in publication.run("doctor", *options, code=2)
