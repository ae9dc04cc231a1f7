"""Print how many messages a second are signed, beside dkimpy's on the same messages and keys.

Run `uv run python -m tests.benchmarks.signing`. The message is a composed one, padded to 36 kB of body; what
its body shares with others is hashed once, as delivery does. Absolute figures drift, the ratio holds.
"""

import hashlib
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from digest.mail.dkim import BodyHash, Signer, SigningKey
from tests.support.samples import NOW

BODY = b"<p>The quick clerk wrote down the price of forty-two kinds of fish.</p>=\r\n" * 480 + b"The end.\r\n"
HEAD = (
    b"Date: Mon, 23 Nov 2026 06:05:00 +0000\r\nFrom: The Harbour Courier <news@courier.example>\r\n"
    b"To: Ann Reader <ann@readers.example>\r\nSubject: World Briefing: Old bridge reopens\r\n"
    b"Message-ID: <57acn3axgz2duktbih2qhz5mjrznoodi@courier.example>\r\nReply-To: editors@courier.example\r\n"
    b"List-Id: World Briefing <world.courier.example>\r\nList-Post: NO\r\nList-Unsubscribe:\r\n"
    b" <https://courier.example/unsubscribe/yQFRDWHYvDu15JrdkSUCEyjQZLqMgNrPQGMQy3i19B7B>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nList-Help: <https://courier.example/>\r\n"
    b"List-Owner: <mailto:editors@courier.example>\r\nPrecedence: bulk\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/alternative;\r\n boundary="=_0123456789012345678901234567890123456789"\r\n'
)
RSA = SigningKey("courier.example", "r1", rsa.generate_private_key(65537, 2048))
ED25519 = SigningKey("courier.example", "e1", Ed25519PrivateKey.generate())
SECONDS = 2.0


def rate(act: Callable[[], object]) -> float:
    """Return the calls per second, as the median of three rounds."""
    rounds = []
    for _ in range(3):
        began, count = time.perf_counter(), 0
        while time.perf_counter() - began < SECONDS / 3:
            act()
            count += 1
        rounds.append(count / (time.perf_counter() - began))
    return statistics.median(rounds)


def in_threads(act: Callable[[], object], threads: int) -> float:
    """Return the rate of several threads at once; signing releases Python's lock."""
    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(lambda _: rate(act), range(threads)))


def main() -> None:
    """Print a line a way to sign."""
    shared = BodyHash(BODY[:30_000])
    pem = RSA.private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    names = [line.split(b":")[0] for line in HEAD.split(b"\r\n") if line[:1].strip()]

    def theirs() -> bytes:
        signed: bytes = dkim.sign(
            HEAD + b"\r\n" + BODY, b"r1", b"courier.example", pem,
            canonicalize=(b"relaxed", b"relaxed"), include_headers=names,
        )  # fmt: skip
        return signed

    def ours(*keys: SigningKey) -> Callable[[], bytes]:
        signer = Signer(keys)
        return lambda: signer.sign(HEAD, shared.digest(BODY[30_000:]), NOW)

    raw = rate(lambda: RSA.sign(hashlib.sha256(HEAD).digest()))
    dkimpy = rate(theirs)
    ways = {
        "RSA-2048": rate(ours(RSA)),
        "Ed25519": rate(ours(ED25519)),
        "both": rate(ours(RSA, ED25519)),
        "RSA-2048, two threads": in_threads(ours(RSA), 2),
    }
    print(f"bare RSA-2048 operation: {raw:,.0f}/s; dkimpy RSA-2048: {dkimpy:,.0f}/s")  # noqa: T201
    for name, found in ways.items():
        print(  # noqa: T201
            f"{name}: {found:,.0f}/s, {found / raw:.2f} of the bare operation, {found / dkimpy:.0f} x dkimpy"
        )


if __name__ == "__main__":
    main()
