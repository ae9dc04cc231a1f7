"""Print what pipelining is worth with a relay that is 20 ms away: ours beside aiosmtplib's.

Run `uv run python -m tests.benchmarks.distance [READERS] [CONNECTIONS]`. A proxy of this module's
own holds every byte back for half the round trip in each direction, before the same `smtp-sink`.
"""

import asyncio
import multiprocessing
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import aiosmtplib

from tests.benchmarks.databases import BenchmarkDatabase
from tests.benchmarks.delivery import Planned, Target
from tests.benchmarks.relays import Sink, sink

HALF_A_ROUND_TRIP = 0.010


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on, each a while after it came, in order."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def drain() -> None:
        while True:
            due, content = await waiting.get()
            await asyncio.sleep(max(due - loop.time(), 0))
            writer.write(content)
            if not content:
                writer.close()
                return

    task = asyncio.create_task(drain())
    while content := await reader.read(65_536):
        waiting.put_nowait((loop.time() + HALF_A_ROUND_TRIP, content))
    waiting.put_nowait((loop.time() + HALF_A_ROUND_TRIP, b""))
    await task


def serve(port: int, told: Connection) -> None:
    """Be the proxy: a process of its own, so that it takes nothing from whoever is measured."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_carry(reader, here), _carry(there, writer), return_exceptions=True)

    async def run() -> None:
        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def distant(port: int) -> Iterator[int]:
    """Run the proxy for as long as it is needed; give its port."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(port, there), daemon=True)
    process.start()
    try:
        yield int(here.recv())
    finally:
        process.kill()
        process.join()


def theirs(port: int, readers: int, connections: int, size: int) -> float:
    """Return the messages per second of aiosmtplib, with one client per connection."""
    message = b"Subject: x\r\n\r\n" + (b"x" * 70 + b"\r\n") * (size // 72)

    async def client(count: int) -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as smtp:
            for number in range(count):
                await smtp.sendmail("a@sender.example", [f"r{number}@readers.example"], message)

    async def all_clients() -> None:
        await asyncio.gather(*(client(readers // connections) for _ in range(connections)))

    began = time.monotonic()
    asyncio.run(all_clients())
    return readers / (time.monotonic() - began)


def main() -> None:
    """Print both, and the ratio."""
    readers = int(sys.argv[1]) if len(sys.argv) > 1 else 4_000
    connections = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    with sink() as near, distant(near.port) as far:
        folder = Path(tempfile.mkdtemp(prefix="bench-"))
        store = BenchmarkDatabase(f"sqlite:///{folder}/digest.db")
        planned = Planned(folder, Target(Sink(far, near.pid)), readers, connections, "unsigned", store)
        ours = planned.deliver().rate
        shutil.rmtree(folder)
        other = theirs(far, readers, connections, planned.size)
    print(  # noqa: T201
        f"{connections} connections, {2_000 * HALF_A_ROUND_TRIP:.0f} ms a round trip: {ours:,.0f} messages/s,"
        f" aiosmtplib {other:,.0f}; ratio {ours / other:.2f}"
    )


if __name__ == "__main__":
    main()
