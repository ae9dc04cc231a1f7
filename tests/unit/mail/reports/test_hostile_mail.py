"""Whatever arrives is read, in bounded time and memory."""

import itertools
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.mail.reports.classification import read
from digest.mail.reports.parts import MOST_PARTS, decode_words, read_mail

HEAD = b"Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nTo: a@b.example\nSubject: Undelivered mail\n"
NESTED = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(1000))
HUGE = {
    "30 MB of one line": b"\n" + b"a@" * 15_000_000,
    "30 MB of addresses": b"\n" + b"<anna@readers.example>: 550 failed\n" * 900_000,
    "30 MB of header": b"X: " + b"y" * 30_000_000 + b"\n\nhello",
    "a million fields": b"X: y\n" * 1_000_000 + b"\nhello",
    "1,000 nested parts": NESTED + b"\nfailed: a@c.example",
    "1,000 nested parts of one boundary": b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 1000,
    "a million parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 1_000_000,
    "30 MB of base64": b"Content-Transfer-Encoding: base64\n\n" + b"QUJD" * 7_500_000,
    "a page of style elements": b"Content-Type: text/html\n\n<html>" + b"<style" * 200_000,
    "a page of open tags": b"Content-Type: text/html\n\n<html>" + b"<" * 1_000_000,
    "a million tabs": b"\n" + b"\t" * 1_000_000,
}


@pytest.mark.parametrize("rest", HUGE.values(), ids=HUGE)
def test_a_huge_message_is_read_in_little_memory(rest: bytes) -> None:
    raw = HEAD + rest
    tracemalloc.start()
    try:
        read(raw)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * len(raw) + 20_000_000


def test_no_more_parts_are_taken_than_the_most() -> None:
    raw = HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 10_000

    assert len(read_mail(raw).parts) == MOST_PARTS


@pytest.mark.parametrize(
    "charset",
    [
        "nope",
        "punycode",
        "idna",
        "utf-7",
        "hex",
        "zip",
        "rot13",
        "undefined",
        "unicode_escape",
        "\x00",
        "utf-16",
    ],
)
def test_a_broken_charset_still_gives_text(charset: str) -> None:
    raw = HEAD + f"Content-Type: text/plain; charset={charset}\n\nBl\xe5b\xe4r <a@c.example> failed".encode(
        "latin-1"
    )

    (part,) = read_mail(raw).parts
    assert part.text


_PIECES = [
    b"\n", b"\r\n", b"\r", b"--b\n", b"--b--\n", b"Content-Type: multipart/report; boundary=b\n", b"Final-Recipient: rfc822;",
    b"a@b.example", b"\x00\xff", b"=?utf-8?q?=", b"=?utf-8?b?QQ?=", b": ", b"\xe2\x80\xa8", b"=3D", b"Status: 5.1.1\n",
    b"Content-Type: message/delivery-status\n\n", b"Content-Transfer-Encoding: base64\n", b"Subject: failed\n", b"Feedback-Type: x\n",
    b"Content-Type: message/feedback-report\n\n", b"From: \n", b"<", b"Diagnostic-Code: smtp; 550 \x1b[31m\n", b"utf-8; \\x{110000}",
]  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.sampled_from(_PIECES) | st.binary(max_size=4), max_size=30).map(b"".join))
def test_anything_is_a_message(raw: bytes) -> None:
    for failure in read(raw).failures:
        assert "@" in failure.address
        assert len(failure.diagnostic) <= 500


@given(st.text(max_size=60))
def test_a_broken_encoded_word_stays_readable(text: str) -> None:
    for charset, how in itertools.product(("utf-8", "nope"), "bq"):
        decode_words(f"=?{charset}?{how}?{text}?=")
