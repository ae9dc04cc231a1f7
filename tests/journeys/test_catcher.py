"""The mail catcher: a real SMTP server that keeps each message byte for byte, and pages that show it safely."""

import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from digest.demo.catcher import Catcher, create_pages

MESSAGE = (
    "From: news@courier.example\r\nTo: Ann <ann@readers.example>\r\nSubject: {subject}\r\n"
    "Date: Mon, 23 Nov 2026 07:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: text/plain\r\n\r\n.dots <b>stay</b>\r\n"
    "--b\r\nContent-Type: text/html\r\n\r\n<p>Hello.</p><script>alert(1)</script>\r\n--b--\r\n"
)


@pytest.fixture
def catcher(tmp_path: Path) -> Iterator[Catcher]:
    catcher = Catcher(tmp_path / "outbox")
    catcher.start()
    yield catcher
    catcher.stop()


def hand_over(catcher: Catcher, subject: str) -> bytes:
    content = MESSAGE.format(subject=subject).encode()
    with smtplib.SMTP("127.0.0.1", catcher.port) as client:
        client.sendmail("news@courier.example", ["ann@readers.example"], content)
    return content


def test_each_message_is_kept_byte_for_byte_under_a_rising_number(catcher: Catcher) -> None:
    first, second = hand_over(catcher, "one"), hand_over(catcher, "two")
    assert [path.name for path in sorted(catcher.outbox.iterdir())] == ["0001.eml", "0002.eml"]
    assert (catcher.outbox / "0001.eml").read_bytes() == first
    assert (catcher.outbox / "0002.eml").read_bytes() == second


def test_a_later_run_goes_on_with_the_numbers(catcher: Catcher) -> None:
    hand_over(catcher, "one")
    again = Catcher(catcher.outbox)
    again.start()
    hand_over(again, "two")
    again.stop()
    assert (catcher.outbox / "0002.eml").exists()


def test_the_pages_list_and_show_it_and_nothing_of_it_is_active(catcher: Catcher) -> None:
    hand_over(catcher, "<script>alert(1)</script>")
    pages = TestClient(create_pages(catcher.outbox))

    index = pages.get("/")
    assert "&lt;script&gt;" in index.text
    assert "<script" not in index.text
    shown = pages.get("/0001.eml")
    assert "<script" not in shown.text
    assert ".dots &lt;b&gt;stay" in shown.text
    part = pages.get("/0001.eml/html")
    assert "default-src 'none'" in part.headers["content-security-policy"]
    assert "sandbox" in part.headers["content-security-policy"]
    assert "allow-scripts" not in part.headers["content-security-policy"]
    assert pages.get("/0001.eml/raw").content == (catcher.outbox / "0001.eml").read_bytes()


@pytest.mark.parametrize("name", ["0002.eml", "..%2Fconfig.toml", "%2Fetc%2Fpasswd", "x.eml", "0001.part"])
def test_only_caught_messages_are_shown(catcher: Catcher, name: str) -> None:
    hand_over(catcher, "one")
    (catcher.outbox.parent / "config.toml").write_text("secret")
    assert TestClient(create_pages(catcher.outbox)).get(f"/{name}").status_code == 404
