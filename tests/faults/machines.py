"""Four workers on machines of their own: one is killed, one suspended, one cut off from the database.

Run `uv run python -m tests.faults.machines [--readers 20000] [--seconds 60] [--frozen]` as root, on Linux with
Debian's PostgreSQL. Each worker has a network namespace with one link to the database and one to the relay. The
second is stopped by SIGSTOP and loses its links, as a suspended machine does (`--frozen`: it keeps them); the third
loses its link to the database alone; both come back after so many seconds. Exit 1 where a reader got nothing, a
machine that came back sent what another had sent, more was repeated than the machines had connections open, or the
audit does not hold.
"""

import argparse
import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, create_engine, text

from tests.support.newsroom import Publication
from tests.support.postgresql import PostgresqlServer, debian_server

CONNECTIONS = 16
REPLY_SECONDS = 0.1
PATIENCE = 540.0
DATABASE, RELAY = "10.77.0", "10.78.0"
HELD = text(
    "SELECT delivery.id, subscriber.address FROM delivery JOIN worker ON worker.id = delivery.owner"
    " JOIN subscription ON subscription.id = delivery.subscription_id"
    " JOIN subscriber ON subscriber.id = subscription.subscriber_id"
    " WHERE worker.pid = :pid AND delivery.is_open AND delivery.state IN ('claimed', 'in_flight')"
)
OPEN = text("SELECT id FROM delivery WHERE is_open AND id = ANY(:ids)")
UNFINISHED = text("SELECT count(*) FROM edition WHERE state <> 'finished'")


class Arrival(NamedTuple):
    """A message that the relay took: when, from which machine, for whom."""

    at: float
    machine: str
    reader: str


@dataclass
class Relay:
    """An SMTP server that replies after a while, and remembers which machine sent what."""

    arrivals: list[Arrival] = field(default_factory=list)
    open: Counter[str] = field(default_factory=Counter)
    port: int = 0

    def start(self) -> None:
        """Serve in a thread, for as long as the process lasts."""
        ready = threading.Event()

        async def serve() -> None:
            server = await asyncio.start_server(self._serve, f"{RELAY}.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            await server.serve_forever()

        threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
        ready.wait(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        machine = writer.get_extra_info("peername")[0]
        self.open[machine] += 1
        try:
            await self._converse(machine, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # killed, or cut off for long
        finally:
            self.open[machine] -= 1
            writer.close()

    async def _converse(
        self, machine: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        recipient = ""
        writer.write(b"220 relay.example ESMTP\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"RCPT":
                recipient = line.decode().partition("<")[2].partition(">")[0]
            if verb == b"DATA":
                writer.write(b"354 go\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                self.arrivals.append(Arrival(time.monotonic(), machine, recipient))
                await asyncio.sleep(REPLY_SECONDS)
            writer.write(b"250-relay.example\r\n250 PIPELINING\r\n" if verb == b"EHLO" else b"250 ok\r\n")


class Machine:
    """A `digest worker` in a network namespace with two links; it ends by itself if nobody sets it going."""

    def __init__(self, number: int, config: Path, what: str) -> None:
        self.what, self.address = what, f"{RELAY}.{number}"
        self._links = {f"d{number}": DATABASE, f"r{number}": RELAY}
        worker = [sys.executable, "-m", "digest", "worker", "--config", str(config)]
        shell = ["sh", "-c", 'read -r go && exec "$0" "$@"', *worker]
        self.process = subprocess.Popen(
            ["unshare", "-n", *shell], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        self.pid = self.process.pid
        while os.readlink(f"/proc/{self.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
            time.sleep(0.01)
        for link, network in self._links.items():
            ip("link", "add", link, "type", "veth", "peer", "name", "in", "netns", str(self.pid))
            ip("link", "set", link, "up", "master", _bridge(network))
            for act in (("link", "set", "in", "name", link), ("addr", "add", f"{network}.{number}/24", "dev", link),
                        ("link", "set", link, "up")):  # fmt: skip
                subprocess.run(["nsenter", "-t", str(self.pid), "-n", "ip", *act], check=True)

    def go(self) -> None:
        """Let the worker begin."""
        assert self.process.stdin
        self.process.stdin.write("go\n")
        self.process.stdin.close()

    def cut(self, network: str) -> None:
        """Let frames of a link go nowhere: neither side is told."""
        for link in [link for link, its in self._links.items() if its == network]:
            ip("link", "set", link, "nomaster")

    def join(self) -> None:
        """Restore its network links."""
        for link, network in self._links.items():
            ip("link", "set", link, "master", _bridge(network))

    def end(self) -> None:
        """End the worker."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


@dataclass
class Harm:
    """What a machine held when it was harmed, and when all of that had been sent."""

    machine: Machine
    at: float
    connections: int
    held: dict[int, str]
    recovered: float | None = None


def ip(*arguments: str) -> None:
    """Run ip(8)."""
    subprocess.run(["ip", *arguments], check=True)


def _bridge(network: str) -> str:
    return "db" if network == DATABASE else "relay"


def lay_network() -> None:
    """Make the two networks, inside this process's own namespace."""
    ip("link", "set", "lo", "up")
    for network in (DATABASE, RELAY):
        ip("link", "add", _bridge(network), "type", "bridge")
        ip("addr", "add", f"{network}.1/24", "dev", _bridge(network))
        ip("link", "set", _bridge(network), "up")


def open_server() -> PostgresqlServer:
    """Start a durable PostgreSQL server that the machines reach."""
    binaries = debian_server()
    assert binaries is not None, "Debian's postgresql is not installed"
    server = PostgresqlServer(binaries, f"-c fsync=on -c listen_addresses={DATABASE}.1")
    with (server.folder / "cluster" / "pg_hba.conf").open("a") as file:
        file.write(f"host all all {DATABASE}.0/24 trust\n")
    engine = create_engine(server.url.format(name="postgres"))
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()
    return server


def harm(machine: Machine, engine: Engine, relay: Relay, *, frozen: bool) -> Harm:
    """Kill, suspend or cut off a machine; note what it held."""
    connections = relay.open[machine.address]
    if machine.what == "killed":
        machine.process.kill()
    elif machine.what == "suspended":
        machine.process.send_signal(signal.SIGSTOP)
    if machine.what == "cut off" or (machine.what == "suspended" and not frozen):
        machine.cut(DATABASE)
    if machine.what == "suspended" and not frozen:
        machine.cut(RELAY)
    at = time.monotonic()
    with engine.connect() as connection:
        held = {row.id: row.address for row in connection.execute(HELD, {"pid": machine.pid})}
    return Harm(machine, at, connections, held)


def watch(engine: Engine, harms: list[Harm], machines: list[Machine], seconds: float) -> float:
    """Wait until the edition is finished, and let machines come back meanwhile; return when they did."""
    back, deadline = 0.0, time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        now = time.monotonic()
        if not back and now >= harms[-1].at + seconds:
            for machine in (one for one in machines if one.what in ("suspended", "cut off")):
                machine.join()
                machine.process.send_signal(signal.SIGCONT)
            back = time.monotonic()
        with engine.connect() as connection:
            for one in (one for one in harms if one.recovered is None):
                if not connection.execute(OPEN, {"ids": list(one.held)}).first():
                    one.recovered = now - one.at
            if back and not connection.scalar(UNFINISHED):
                break
        time.sleep(0.25)
    return back


def judge(relay: Relay, harms: list[Harm], readers: int, back: float) -> list[str]:
    """Print what came of it, and return what is wrong."""
    by_reader: dict[str, list[Arrival]] = defaultdict(list)
    for arrival in sorted(relay.arrivals):
        by_reader[arrival.reader].append(arrival)
    wrong = [f"{readers - len(by_reader)} readers left out"] if len(by_reader) < readers else []
    repeated = Counter(got[0].machine for got in by_reader.values() for _ in got[1:])
    for one in harms:
        own = one.machine.address
        again = repeated.pop(own, 0)
        held = [by_reader[reader] for reader in one.held.values()]
        after = sum(
            late.machine == own and late.at > back and got[0].machine != own
            for got in held
            for late in got[1:]
        )
        recovered = "never" if one.recovered is None else f"after {one.recovered:.0f} s"
        say(
            f"{one.machine.what}: held {len(one.held)}, all sent {recovered};"
            f" {again} of its messages repeated, {one.connections} connections were open;"
            f" {after} of what it held sent by it later than by another"
        )
        if again > one.connections or after or one.recovered is None:
            wrong.append(f"the machine that was {one.machine.what}")
    return [*wrong, *(f"{count} repeats of a machine that was well" for count in repeated.values())]


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201


def play(readers: int, seconds: float, *, frozen: bool) -> list[str]:
    """Deliver an edition while the machines are harmed; return what is wrong."""
    lay_network()
    server, relay, folder = open_server(), Relay(), Path(tempfile.mkdtemp(prefix="machines-"))
    machines: list[Machine] = []
    url = f"postgresql+psycopg://postgres@{DATABASE}.1/postgres"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        relay.start()
        publication = Publication(folder, url, port=9, connections=CONNECTIONS)
        publication.begin(readers)
        publication.run("send", "--now", code=1)
        publication.change_settings(
            'host = "127.0.0.1"\nport = 9', f'host = "{RELAY}.1"\nport = {relay.port}'
        )
        what = ("killed", "suspended", "cut off", "well")
        machines = [Machine(number, publication.config, kind) for number, kind in enumerate(what, 11)]
        began = time.monotonic()
        for machine in machines:
            machine.go()
        while len(relay.arrivals) < readers // 10 or len({one.machine for one in relay.arrivals}) < len(what):
            assert time.monotonic() < began + PATIENCE, "the workers do not all deliver"
            time.sleep(0.05)
        harms = [harm(machine, engine, relay, frozen=frozen) for machine in machines[:3]]
        back = watch(engine, harms, machines, seconds)
        say(f"{readers} readers, {len(relay.arrivals)} messages in {time.monotonic() - began:.0f} s")
        wrong = judge(relay, harms, readers, back)
        if not publication.facts("audit")["ok"]:
            wrong.append("the audit does not hold")
    finally:
        for machine in machines:
            machine.end()
        engine.dispose()
        server.stop()
        shutil.rmtree(folder)
    return wrong


def main() -> int:
    """Play it in a network namespace of its own, where nothing can be reached from outside."""
    asked = argparse.ArgumentParser(
        prog="tests.faults.machines", description="Harm three workers out of four."
    )
    asked.add_argument("--readers", type=int, default=20_000)
    asked.add_argument("--seconds", type=float, default=60, help="until the machines come back")
    asked.add_argument("--frozen", action="store_true", help="the suspended one keeps its links")
    asked.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    chosen = asked.parse_args()
    if not chosen.inside:
        own = [sys.executable, "-m", "tests.faults.machines", "--inside", *sys.argv[1:]]
        return subprocess.run(["unshare", "-n", *own]).returncode
    wrong = play(chosen.readers, chosen.seconds, frozen=chosen.frozen)
    say(
        f"wrong: {'; '.join(wrong)}"
        if wrong
        else "nobody left out, nothing sent twice without need, the audit holds"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
