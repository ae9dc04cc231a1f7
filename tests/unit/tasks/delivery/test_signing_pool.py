"""Messages are signed in threads or in processes: the same bytes, and none is left unsigned."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from digest.mail.dkim import SigningKey, sign_all
from digest.mail.dkim.signing_process import SigningProcess
from digest.tasks.delivery.signing_pool import SigningPool

KEYS = (
    SigningKey("courier.example", "r1", rsa.generate_private_key(65537, 2048)),
    SigningKey("courier.example", "e1", Ed25519PrivateKey.generate()),
)
DIGESTS = [hashlib.sha256(b"%d" % number).digest() for number in range(20)]
OWN = Path(f"/proc/{os.getpid()}")

pytestmark = pytest.mark.skipif(not OWN.exists(), reason="it looks for its processes in /proc")


def signers(parent: int | None = None) -> list[int]:
    """Return the processes that sign for a process: this one, by default."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            status = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes()
        except OSError:  # no process, or one that has ended
            continue
        if b"signing_process" in command and int(status[1]) == (parent or os.getpid()) and status[0] != "Z":
            found.append(int(folder.name))
    return found


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def pool() -> Iterator[Callable[[int], SigningPool]]:
    opened: list[SigningPool] = []

    def open_pool(few: int) -> SigningPool:
        opened.append(SigningPool(KEYS, few))
        return opened[0]

    yield open_pool
    for one in opened:
        one.close()
    assert not signers()


def test_few_are_signed_without_a_process(pool: Callable[[int], SigningPool]) -> None:
    signed = pool(10).submit(DIGESTS).result()

    assert signed == sign_all(KEYS, DIGESTS)
    assert not signers()


def test_many_are_signed_in_processes_with_the_same_bytes(pool: Callable[[int], SigningPool]) -> None:
    one = pool(0)
    futures = [one.submit(DIGESTS) for _ in range(50)]

    assert {tuple(future.result()) for future in futures} == {tuple(sign_all(KEYS, DIGESTS))}
    assert 1 <= len(signers()) <= one.size


def test_what_a_killed_process_did_not_sign_is_signed_here(
    pool: Callable[[int], SigningPool], caplog: pytest.LogCaptureFixture
) -> None:
    one = pool(0)
    one.submit(DIGESTS).result()
    futures = [one.submit(DIGESTS) for _ in range(100)]
    for number in signers():
        os.kill(number, signal.SIGKILL)

    assert {tuple(future.result()) for future in futures} == {tuple(sign_all(KEYS, DIGESTS))}
    assert "a process that signs has failed, this one signs for it: " in caplog.text


def test_processes_that_fail_again_and_again_are_not_started_for_ever(
    pool: Callable[[int], SigningPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.mail.dkim.signing_process._PROGRAM", "raise SystemExit(1)")
    one = pool(0)

    for _ in range(20):
        assert one.submit(DIGESTS[:4]).result() == sign_all(KEYS, DIGESTS[:4])
    assert not signers()


def test_a_process_that_does_not_answer_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digest.mail.dkim.signing_process._PATIENCE", 0.2)
    process = SigningProcess(KEYS)
    (number,) = signers()
    os.kill(number, signal.SIGSTOP)

    with pytest.raises(TimeoutError, match="no signature within"):
        process.sign(DIGESTS)

    process.close()
    assert not signers()


def test_a_process_leaves_the_decision_when_to_stop_to_the_one_that_asks(
    pool: Callable[[int], SigningPool],
) -> None:
    one = pool(0)
    one.submit(DIGESTS).result()
    for number in signers():
        os.kill(number, signal.SIGINT)
        os.kill(number, signal.SIGTERM)
    before = signers()

    assert one.submit(DIGESTS).result() == sign_all(KEYS, DIGESTS)
    assert signers() == before


def test_a_process_ends_with_the_one_that_started_it() -> None:
    program = (
        "import time; from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey as K;"
        "from digest.mail.dkim import SigningKey; from digest.mail.dkim.signing_process import SigningProcess;"
        "p = SigningProcess([SigningKey('a.example', 'e1', K.generate())]); p.sign([b'x' * 32]);"
        "print('signed', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"signed\n"
        (number,) = signers(parent.pid)
        parent.kill()

    until(lambda: not Path(f"/proc/{number}").exists())


def test_no_key_stands_in_an_argument_or_the_environment_of_a_process(
    pool: Callable[[int], SigningPool],
) -> None:
    one = pool(0)
    one.submit(DIGESTS).result()
    ders = [key.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()) for key in KEYS]

    for number in signers():
        told = b"".join(Path(f"/proc/{number}/{name}").read_bytes() for name in ("cmdline", "environ"))
        assert not any(der[-40:] in told or der[-40:].hex().encode() in told for der in ders)
