"""A name server on loopback that answers as it is told and remembers what it was asked."""

import socket
import socketserver
import struct
import threading
from typing import Any, Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

Zone = dict[tuple[str, str], list[str]]


class NameServer:
    """Records by name and type, over UDP and TCP.

    Names in `truncated` have answers too long for UDP, those in `failing` a server that fails; to those in
    `silent` nothing is said.
    """

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.truncated: set[str] = set()
        self.failing: set[str] = set()
        self.silent: set[str] = set()
        self.asked: list[tuple[str, str, str]] = []
        server = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                answer = server.answer(self.request[0], "udp")
                if answer:
                    self.request[1].sendto(answer, self.client_address)

        class Tcp(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                (size,) = struct.unpack("!H", self.request.recv(2))
                answer = server.answer(self.request.recv(size), "tcp")
                if answer:
                    self.request.sendall(struct.pack("!H", len(answer)) + answer)

        self._udp, self._tcp = _bind(Udp, Tcp)
        self.port: int = self._udp.server_address[1]
        self.address = f"127.0.0.1:{self.port}"

    def answer(self, wire: bytes, over: str) -> bytes | None:
        """Answer one question."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind, over))
        if name in self.silent:
            return None
        response = dns.message.make_response(query)
        if name in self.failing:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif name in self.truncated and over == "udp":
            response.flags |= dns.flags.TC
        elif records := self.zone.get((name, kind)):
            texts = [_quoted(record) if kind == "TXT" else record for record in records]
            response.answer.append(dns.rrset.from_text_list(question.name, 300, "IN", kind, texts))
        elif not any(known == name for known, _ in self.zone):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire(max_size=65535)

    def __enter__(self) -> Self:
        self._threads = [
            threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.02})
            for one in self._servers
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._servers:
            one.shutdown()
            one.server_close()
        for thread in self._threads:
            thread.join(10)

    @property
    def _servers(self) -> tuple[Any, ...]:
        return self._udp, self._tcp


def _bind(udp: type, tcp: type) -> tuple[socketserver.UDPServer, socketserver.TCPServer]:
    """Bind a port that is free for both UDP and TCP."""
    while True:
        over_udp = socketserver.ThreadingUDPServer(("127.0.0.1", 0), udp)
        try:
            return over_udp, socketserver.ThreadingTCPServer(over_udp.server_address, tcp)
        except OSError:
            over_udp.server_close()


def _quoted(text: str) -> str:
    """Write a TXT record as strings of at most 255 bytes, any byte of them escaped where it must be."""
    raw = text.encode()
    parts = [raw[start : start + 255] for start in range(0, len(raw), 255)] or [b""]
    return " ".join('"' + "".join(_escaped(byte) for byte in part) + '"' for part in parts)


def _escaped(byte: int) -> str:
    return chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\' else f"\\{byte:03d}"


def closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
