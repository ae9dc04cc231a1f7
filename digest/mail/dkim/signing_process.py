"""A process that signs digests beside the one that delivers, and the connection to it.

In threads, each signature waits for the interpreter that composes and delivers. The keys go to the process
over its connection, never by a file or an argument.
"""

import contextlib
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from io import BytesIO
from itertools import cycle
from multiprocessing import Pipe
from multiprocessing.connection import Connection

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from digest.mail.dkim.keys import SigningKey
from digest.mail.dkim.signer import sign_all

_PROGRAM = "import sys; from digest.mail.dkim.signing_process import serve; serve(int(sys.argv[1]))"
_DIGEST_SIZE = 32
_PATIENCE = 30.0


class SigningProcess:
    """A process that signs, for one thread at a time: with an RSA key, `sign([32 bytes])` is `[256 bytes]`.

    It ends with `close`, or with this process, however that ends.
    """

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        self._sizes = [key.signature_size for key in keys]
        self._connection, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-c", _PROGRAM, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._connection.send_bytes(len(keys).to_bytes())
        for key in keys:
            der = key.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            self._connection.send_bytes(der)

    def sign(self, digests: Sequence[bytes]) -> list[bytes]:
        """Return the signatures of digests as `sign_all` does; raise EOFError or OSError for none."""
        self._connection.send_bytes(b"".join(digests))
        if not self._connection.poll(_PATIENCE):
            self._process.kill()
            raise TimeoutError(f"no signature within {_PATIENCE:g} seconds")
        answer = BytesIO(self._connection.recv_bytes())
        return [answer.read(size) for _, size in zip(digests, cycle(self._sizes), strict=False)]

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def serve(descriptor: int) -> None:
    """Sign what comes on a descriptor until its other end closes."""
    for ignored in (signal.SIGINT, signal.SIGTERM):  # the process that asks decides when to stop
        signal.signal(ignored, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with Connection(descriptor) as connection, contextlib.suppress(EOFError, ConnectionError):
        keys = [_read_key(connection) for _ in range(connection.recv_bytes(1)[0])]
        while True:
            request = connection.recv_bytes()
            digests = [request[at : at + _DIGEST_SIZE] for at in range(0, len(request), _DIGEST_SIZE)]
            connection.send_bytes(b"".join(sign_all(keys, digests)))


def _read_key(connection: Connection) -> SigningKey:
    return SigningKey("", "", load_der_private_key(connection.recv_bytes(), None))  # type: ignore[arg-type]
