"""What an examination makes of what it found: each judgement alone, without asking anybody."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from digest.mail.dkim import SigningKey, parse_tags, record_of
from digest.mail.rendering.renderer import Renderer, Rendering
from digest.models import Source
from digest.models.status import Status
from digest.net.dns import Records
from digest.net.http import Fetched
from digest.net.probing import Probe
from digest.net.smtp import Relay
from digest.settings import DigestSettings, SourceSettings
from digest.store.schema import HEAD
from digest.tasks.doctor import clock, database, dmarc, dns_names, files, pages, relay, sources
from digest.tasks.doctor import dkim as signatures
from digest.tasks.doctor.findings import Finding, fail
from digest.tasks.doctor.templates import judge_rendering, judge_size
from tests.support.samples import CONTENT, POSTAL

NOW = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)
OK, WARN, FAIL = Status.OK, Status.WARN, Status.FAIL
RSA = SigningKey("courier.example", "r1", rsa.generate_private_key(65537, 2048))
ED25519 = SigningKey("courier.example", "e1", Ed25519PrivateKey.generate())
RELAY = Relay("relay.example", 587, "starttls", "courier", "hush")
PROBE = Probe("relay.example ESMTP", "192.0.2.1", {"SIZE": "10000000", "PIPELINING": "", "SMTPUTF8": ""})


def test_a_line_is_one_line_without_controls_and_not_endless() -> None:
    finding = fail("spf", "\x1b[31mred\r\nfail \u202e" + "x" * 5_000, "a\nb")
    assert finding.found.isprintable()
    assert len(finding.found) <= 600
    assert finding.remedy == "a b" or finding.remedy.isprintable()


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(0, OK), (10, OK), (-10, OK), (11, WARN), (-60, WARN), (61, FAIL), (-86_400, FAIL)],
)
def test_a_clock_may_be_off_by_a_minute_at_most(seconds: int, status: Status) -> None:
    finding = clock.judge_clock(NOW + timedelta(seconds=seconds), NOW, "the relay")
    assert finding.status is status
    if status is not OK:
        assert ("ahead of" if seconds > 0 else "behind") in finding.found


@pytest.mark.parametrize(("version", "status"), [(HEAD, OK), (None, FAIL), ("0000", WARN), ("9999", FAIL)])
def test_a_schema_of_another_version(version: str | None, status: Status) -> None:
    assert database.judge_version(version).status is status


def test_a_database_that_cannot_be_written() -> None:
    assert database.judge_writing("SQLite", None).status is OK
    assert database.judge_writing("SQLite", "database is locked").status is FAIL


@pytest.mark.parametrize(
    ("mode", "secrets", "status"),
    [(0o600, True, OK), (0o640, True, WARN), (0o644, True, FAIL), (0o644, False, OK)],
)
def test_settings_with_secrets_are_for_their_owner(mode: int, secrets: bool, status: Status) -> None:
    assert files.judge_settings_mode(Path("config.toml"), mode, has_secrets=secrets).status is status


@pytest.mark.parametrize(
    ("written", "has"),
    [
        ({"web": {"secret": "x"}}, True),
        ({"smtp": {"password": "x"}}, True),
        ({"smtp": {"password": ""}}, False),
        ({"database": {"url": "postgresql+psycopg://me:hush@host/name"}}, True),
        ({"database": {"url": "postgresql+psycopg://me@host/name"}}, False),
        ({"web": {"metrics_token": "x"}}, True),
        ({"inbound": {"imap": {"username": "u", "password": "x"}}}, True),
        ({"smtp": {"relays": {"second": {"password": "x"}}}}, True),
        ({"traces": {"headers": {"authorization": "x"}}}, True),
        ({"traces": {"headers": {}}}, False),
        ({"sources": [{"url": "https://me:hush@courier.example/feed"}]}, True),
        ({"sources": [{"url": "https://courier.example/feed"}]}, False),
        ({}, False),
    ],
)
def test_a_secret_in_the_settings_is_found_wherever_it_is(written: dict[str, object], has: bool) -> None:
    assert files.holds_secrets(written) is has


@pytest.mark.parametrize(
    ("free", "size", "status"),
    [(10**12, 0, OK), (400 * 10**6, 0, WARN), (10**9, 2 * 10**9, WARN), (10**6, 0, FAIL)],
)
def test_room_on_the_disk(free: int, size: int, status: Status) -> None:
    assert files.judge_room(free, size).status is status


def test_the_file_system_is_the_one_of_the_innermost_mount() -> None:
    mounts = "/dev/sda1 / ext4 rw 0 0\nserver:/x /srv nfs4 rw 0 0\n/dev/sdb1 /srv/with\\040blank xfs rw 0 0\n"
    assert files.find_file_system(Path("/home/me"), mounts) == "ext4"
    assert files.find_file_system(Path("/srv/newsletter"), mounts) == "nfs4"
    assert files.find_file_system(Path("/srv/with blank/x"), mounts) == "xfs"
    assert files.find_file_system(Path("/srvother"), mounts) == "ext4"
    assert [one.status for one in files.judge_file_system("nfs4")] == [WARN]
    assert files.judge_file_system("ext4") == []


@pytest.mark.parametrize(
    ("version", "status"), [("# version 2026b", OK), ("2026.6", OK), ("", OK), ("# version 2023c", WARN)]
)
def test_rules_of_time_zones_grow_old(version: str, status: Status) -> None:
    assert files.judge_zones("the system's", version, 2026).status is status


@pytest.mark.parametrize(
    ("hosts_found", "has_address", "status"),
    [
        (Records(("mx.example",)), False, OK),
        (Records(), True, WARN),
        (Records(), False, FAIL),
        (Records((".",)), True, FAIL),
        (Records.unknown("the resolver fails"), False, FAIL),
    ],
)
def test_who_takes_the_mail_of_a_domain(hosts_found: Records, has_address: bool, status: Status) -> None:
    finding = dns_names.judge_mail_hosts("courier.example", "replies", hosts_found, has_address=has_address)
    assert finding.status is status


@pytest.mark.parametrize(
    ("names", "confirmed", "status"),
    [
        (Records(("mail.example",)), ["mail.example"], OK),
        (Records(("mail.example",)), [], FAIL),
        (Records(), [], FAIL),
        (Records.unknown("the resolver fails"), [], FAIL),
    ],
)
def test_what_an_address_is_called(names: Records, confirmed: list[str], status: Status) -> None:
    assert dns_names.judge_reverse_names("192.0.2.1", names, confirmed, certain=True).status is status


def test_an_address_that_is_only_guessed_warns() -> None:
    assert dns_names.judge_reverse_names("192.0.2.1", Records(), [], certain=False).status is WARN


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        (record_of(RSA), ""),
        (record_of(RSA).removeprefix("v=DKIM1; k=rsa; "), ""),
        (record_of(RSA).replace("p=", "h=sha256; s=email; p="), ""),
        (record_of(RSA).replace("MIIB", "MI IB"), ""),
        pytest.param(record_of(ED25519), "is for another kind of key", id="ed25519"),
        ("v=DKIM1; p=", "is revoked"),
        ("v=DKIM1; k=rsa", "holds no key"),
        (record_of(RSA).replace("p=", "h=sha1; p="), "does not allow SHA-256"),
        (record_of(RSA).replace("p=", "s=tlsrpt; p="), "is not for e-mail"),
        ("v=DKIM1; p=*", "is not base64"),
        ("v=DKIM1; p=QUJD", "another key than ours"),
        ("v=spf1 -all", "is not a DKIM record"),
        ("k=rsa; v=DKIM1; p=QUJD", "is not a DKIM record"),
    ],
)
def test_what_is_published_for_a_key(record: str, fault: str) -> None:
    found = signatures.find_fault(RSA, parse_tags(record))
    assert fault in found
    assert bool(found) is bool(fault)


@pytest.mark.parametrize(
    ("records", "status"),
    [
        (Records((record_of(RSA),)), OK),
        (Records((record_of(RSA) + "; t=y",)), WARN),
        (Records((record_of(RSA), record_of(RSA))), FAIL),
        (Records(), FAIL),
        (Records.unknown("the resolver fails"), FAIL),
    ],
)
def test_a_keys_record(records: Records, status: Status) -> None:
    assert signatures.judge_record(RSA, records).status is status


def test_a_key_longer_than_receivers_need_to_verify() -> None:
    class Long:
        selector, size, algorithm = "r1", 8192, RSA.algorithm

    assert signatures.judge_key(Long()).status is WARN  # type: ignore[arg-type]
    assert signatures.judge_key(RSA).status is OK


def judged(record: str, domain: str = "courier.example", **changed: str) -> list[Status]:
    known = {"signing": "courier.example", "return_path": "courier.example"} | changed
    policy = dmarc.Policy(domain, Records((record,) if record else ()))
    return [one.status for one in dmarc.judge_policy("courier.example", policy, **known)]


@pytest.mark.parametrize(
    ("record", "changed", "statuses"),
    [
        ("v=DMARC1; p=none", {}, [OK, OK]),
        ("v=DMARC1; p=reject; adkim=s; aspf=s", {}, [OK, OK]),
        ("v=DMARC1; p=reject", {"signing": "mail.courier.example"}, [OK, OK]),
        ("v=DMARC1; p=reject; adkim=s", {"signing": "mail.courier.example"}, [OK, WARN]),
        ("v=DMARC1; p=reject", {"signing": ""}, [OK, WARN]),
        ("v=DMARC1; p=reject", {"return_path": "relay.example"}, [OK, OK]),
        ("v=DMARC1; p=reject", {"signing": "", "return_path": "relay.example"}, [OK, FAIL]),
        ("v=DMARC1; p=", {}, [FAIL]),
        ("v=DMARC1", {}, [FAIL]),
        ("", {}, [FAIL]),
    ],
)
def test_a_policy_and_its_alignment(record: str, changed: dict[str, str], statuses: list[Status]) -> None:
    assert judged(record, **changed) == statuses


def test_the_policy_above_may_say_another_thing_for_what_is_below() -> None:
    assert judged("v=DMARC1; p=reject; sp=none", domain="example") == [OK, OK]
    assert judged("v=DMARC1; p=reject; sp=oops", domain="example") == [FAIL]


def test_a_policy_is_looked_for_from_the_domain_upwards() -> None:
    assert dmarc.list_domains("a.b.courier.example") == [
        "a.b.courier.example", "b.courier.example", "courier.example",
    ]  # fmt: skip
    assert dmarc.list_domains("localhost") == ["localhost"]


def test_tls_that_ends_soon_or_is_not_there() -> None:
    def tls(*, is_here: bool = False, **changed: Any) -> list[Status]:
        return [one.status for one in relay.judge_tls(RELAY, replace(PROBE, **changed), NOW, is_here=is_here)]

    assert tls(tls="TLSv1.3", certificate_until=NOW + timedelta(days=60)) == [OK]
    assert tls(tls="TLSv1.3", certificate_until=NOW + timedelta(days=13)) == [WARN]
    assert tls() == [WARN]
    assert tls(is_here=True) == []


def test_what_a_relay_offers() -> None:
    assert relay.judge_offer(PROBE).found == "offers SIZE 10000000, PIPELINING, SMTPUTF8"
    bare = relay.judge_offer(replace(PROBE, extensions={}))
    assert (bare.status, "delivery is slower" in bare.found) == (OK, True)
    assert relay.judge_offer(replace(PROBE, extensions={"SIZE": "1000"})).status is WARN


def test_a_banner_with_a_time_is_compared() -> None:
    banner = "mx.example ESMTP Sendmail 8.17; Mon, 23 Nov 2026 05:00:00 +0000"
    assert [one.status for one in relay.judge_banner(banner, NOW)] == [FAIL]
    assert relay.judge_banner("mx.example ESMTP", NOW) == []
    assert relay.judge_banner("Mon, 99 Nov 2026 99:00:00 +0000", NOW) == []


def answer(
    content: bytes = b'<form method="post">', url: str = "https://x.example/u", date: str | None = None
) -> Fetched:
    return Fetched(200, url, content, "text/html", date=date)


def test_pages_are_judged_by_what_answers() -> None:
    assert pages.judge_address("https://news.example").status is OK
    assert pages.judge_address("http://localhost:8000").status is WARN
    assert pages.judge_page(answer()).status is OK
    assert pages.judge_page(answer(b"hello")).status is WARN
    assert pages.judge_leaving(answer(), "https://x.example/u").status is OK
    assert pages.judge_leaving(answer(url="https://y.example/u"), "https://x.example/u").status is FAIL
    assert pages.judge_leaving(answer(b"hello"), "https://x.example/u").status is FAIL


@pytest.mark.parametrize(
    ("date", "statuses"),
    [
        ("Mon, 23 Nov 2026 06:05:03 GMT", [OK]),
        ("Mon, 23 Nov 2026 09:05:03 GMT", [FAIL]),
        ("yesterday", []),
        (None, []),
    ],
)
def test_a_web_servers_date_is_compared(date: str | None, statuses: list[Status]) -> None:
    found = pages.judge_date(replace(answer(), date=date), NOW)
    assert [one.status for one in found] == statuses


def judged_source(**changed: Any) -> Finding | None:
    row = Source(name="feed", url="https://x.example/feed", **changed)
    return sources.judge_source(SourceSettings(name="feed", url="https://x.example/feed"), row, NOW)


def test_a_source_is_dead_after_a_week_of_failures() -> None:
    day = timedelta(days=1)
    assert judged_source(last_success_at=NOW - 30 * day) is None
    assert judged_source(last_success_at=NOW, last_error_at=NOW - day) is None
    lately = judged_source(last_success_at=NOW - 6 * day, last_error_at=NOW, last_error="answers 404")
    dead = judged_source(last_success_at=NOW - 8 * day, last_error_at=NOW, last_error="answers 404")
    never = judged_source(last_error_at=NOW, last_error="answers 404")
    new = judged_source()
    assert [one.status for one in (lately, dead, never, new) if one] == [WARN, FAIL, FAIL, WARN]
    assert "was last read on 2026-11-15" in dead.found  # type: ignore[union-attr]


def test_news_that_goes_at_once_needs_sources_that_are_fetched_often() -> None:
    digest = DigestSettings(name="world", title="World", cadences={"news": "at once"}, topics=("world",))
    hourly = [SourceSettings(name=f"feed{n}", url="https://x.example/feed") for n in range(5)]
    often = [one.model_copy(update={"every": timedelta(minutes=5)}) for one in hourly]
    other = [one.model_copy(update={"topics": ("sport",)}) for one in hourly]

    found = sources.judge_news(digest, hourly)

    assert found
    assert found.status is WARN
    assert "world/news sends news at once, and feed0, feed1, feed2 and 2 more are fetched" in found.found
    assert sources.judge_news(digest, often) is None
    assert sources.judge_news(digest, other) is None
    daily = digest.model_copy(update={"cadences": {"daily": "07:00"}})
    assert sources.judge_news(daily, hourly) is None


def test_a_template_without_a_way_to_leave_or_an_address_is_found() -> None:
    whole = Renderer(Path(__file__).parents[4] / "templates" / "email").render(CONTENT)
    assert judge_rendering("one", whole, POSTAL) == []
    bare = Rendering("Subject", (b"<p>Hello</p>",), (b"Hello",), "b")
    found = judge_rendering("one", bare, POSTAL)
    assert [one.status for one in found] == [FAIL] * 6
    assert found[0].found == "one: the HTML has no unsubscribe_url"


def test_an_edition_that_mail_programs_would_cut() -> None:
    digest = DigestSettings(name="world", title="World", cadences={"daily": "07:00"})
    assert judge_size(digest, 100_000) == []
    assert [one.status for one in judge_size(digest, 100_001)] == [FAIL]


@pytest.mark.parametrize(
    ("trusted", "origins", "status", "says"),
    [
        ((), ["192.0.2.1", "198.51.100.7", "192.0.2.9", "192.0.2.8", "192.0.2.7"], OK, "none is trusted"),
        (("127.0.0.1",), ["192.0.2.1"], OK, "1 trusted"),
        ((), ["127.0.0.1"] * 5, WARN, "all came from 127.0.0.1"),
        (("10.0.0.0/8",), ["unknown"] * 5, WARN, "could not be read"),
        (("0.0.0.0/0",), [], WARN, "believed from anywhere"),
        (("::/0",), [], WARN, "believed from anywhere"),
    ],
)
def test_proxies_are_judged_by_whether_clients_can_be_told_apart(
    trusted: tuple[str, ...], origins: list[str], status: Status, says: str
) -> None:
    (found,) = pages.judge_proxies([ip_network(one) for one in trusted], list(enumerate(origins)))

    assert found.status is status
    assert says in found.found
