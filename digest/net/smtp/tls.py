"""TLS to a relay: one set of trusted authorities for all connections, and sessions that are resumed."""

import contextlib
import socket
import ssl
from functools import lru_cache
from pathlib import Path

_CONTEXTS = 8  # more than the relays and their authorities that one process ever has


class TlsContext:
    """What the connections that trust the same authorities share: them, and each server's last session.

    `begin(plain, "mail.example")` makes the handshake on a connected socket; from the second connection on it
    resumes the session that `keep` kept, which saves both sides the certificate and its signature.
    """

    def __init__(self, ca_file: str | None) -> None:
        self._authorities = ssl.create_default_context(cafile=ca_file)
        self._authorities.minimum_version = ssl.TLSVersion.TLSv1_2
        self._sessions: dict[tuple[str, int], ssl.SSLSession] = {}

    def begin(self, plain: socket.socket, host: str) -> ssl.SSLSocket:
        """Make the handshake; raise OSError or ValueError if there is no encrypted connection to `host`."""
        wire = self._authorities.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
        with contextlib.ExitStack() as failing:
            failing.callback(wire.close)
            kept = self._sessions.get((host, wire.getpeername()[1]))
            if kept is not None:
                wire.session = kept
            wire.do_handshake()
            failing.pop_all()
        return wire

    def keep(self, wire: ssl.SSLSocket) -> None:
        """Keep a connection's session, if its server lets us resume it.

        With TLS 1.3 a server says so after the handshake, so call this when it has spoken.
        """
        session = wire.session
        is_ours = wire.context is self._authorities  # not if those have been read anew since
        if is_ours and session is not None and session.has_ticket:
            self._sessions[str(wire.server_hostname), wire.getpeername()[1]] = session


def tls_context(ca_file: str | None) -> TlsContext:
    """Return what trusts the authorities of a file, or the system's; read anew when they have changed.

    The system's are 140 certificates, which take 40 ms to read: each connection did.
    """
    return _read_context(ca_file, _stamps(ca_file))


@lru_cache(maxsize=_CONTEXTS)
def _read_context(ca_file: str | None, _read_at: tuple[object, ...]) -> TlsContext:
    return TlsContext(ca_file)


def _stamps(ca_file: str | None) -> tuple[object, ...]:
    """Return what shows whether authorities have changed: each file's identity, size and time."""
    system = ssl.get_default_verify_paths()
    found: list[object] = []
    for name in (ca_file,) if ca_file else (system.cafile, system.capath):
        if name is not None:
            with contextlib.suppress(OSError):  # reading it says what is wrong
                status = Path(name).stat()
                found.append((status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(found)
