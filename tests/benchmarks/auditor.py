"""Print what the pages hold against an auditor's load: memory, the longest `/health`, readers who were refused.

Run `uv run python -m tests.benchmarks.auditor [SECONDS]`, 60 unless said. All at once, each kind from addresses
of its own on loopback: 60 sign-ins, 1,100 half requests, bodies of 50 MB, forms of 10,000 fields (some of them
short enough to be read), and beside them, in a process of their own as `digest fetch` is one, sixteen pictures of
up to 5,000 x 5,000 pixels. Meanwhile readers open pages and a monitor asks for `/health`. Linux only: memory is
read from /proc, and the kernel says when an answer came.
"""

import contextlib
import http.client
import itertools
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from digest.bootstrap import Application
from digest.clock import utc_now
from digest.demo.loader import free_port
from digest.models import Article, Role
from digest.settings import load_settings
from digest.tasks.articles.images import copy_pictures
from tests.support.websites import Website, page

SIGN_INS, HALVES, PICTURES, BODIES, FORMS, READERS = 60, 1_100, 16, 4, 4, 4
NETWORK_ATTEMPTS = 50  # from one network, which is below its limit: every attempt asks for a hash
SIZES = 5_000, 4_400  # of the pictures: more pixels than are decoded at all, and nearly as many
MOST_MEMORY, LONGEST_HEALTH = 250, 1.0  # MB, seconds
_HOST = {"Host": "courier.example", "Origin": "https://courier.example"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_STAMPED = 35  # SO_TIMESTAMPNS, which the socket module does not name
_WRONG = "no password of anybody"


@dataclass
class Load:
    """The server under load, and what its clients saw."""

    port: int
    ended: threading.Event = field(default_factory=threading.Event)
    answers: dict[str, Counter[str]] = field(default_factory=dict)
    longest: dict[str, float] = field(default_factory=dict)

    def ask(
        self, kind: str, client: str, method: str, path: str, body: bytes | None = None, cookie: str = ""
    ) -> None:
        """Send one request from a client's address; count its status, or how it broke off."""
        began = time.monotonic()
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=30, source_address=(client, 0)
        )
        headers = _HOST | (_FORM if body is not None else {}) | ({"Cookie": cookie} if cookie else {})
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
            said = str(answer.status)
        except (OSError, http.client.HTTPException) as error:
            said = type(error).__name__
        finally:
            connection.close()
        self.answers.setdefault(kind, Counter())[said] += 1
        self.longest[kind] = max(self.longest.get(kind, 0.0), time.monotonic() - began)

    def repeat(self, act: Callable[[], object], pause: float = 0.0) -> threading.Thread:
        """Do something again and again in a thread until the load ends."""

        def work() -> None:
            while not self.ended.is_set():
                act()
                self.ended.wait(pause)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread


def hold_halves(load: Load) -> None:
    """Keep 1,100 requests open that never end, from one client; what the server closes is opened again."""
    held: list[socket.socket] = []
    while not load.ended.is_set():
        while len(held) < HALVES and not load.ended.is_set():
            with contextlib.suppress(OSError):
                half = socket.create_connection(("127.0.0.1", load.port), 1, source_address=("127.0.0.2", 0))
                half.sendall(b"GET / HTTP/1.1\r\nHost: courier.example\r\nX-Slow: ")
                half.setblocking(False)
                held.append(half)
                load.answers.setdefault("half requests", Counter())["opened"] += 1
        load.ended.wait(0.2)
        held = [half for half in held if _is_open(half)]
    for half in held:
        half.close()


def _is_open(half: socket.socket) -> bool:
    try:
        if half.recv(1, socket.MSG_PEEK):
            return True
    except BlockingIOError:
        return True
    except OSError:
        pass
    half.close()
    return False


def visit_login(port: int) -> tuple[str, str]:
    """Open the desk's sign-in, and return its form's token and cookie."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/desk/login", headers=_HOST)
    answer = connection.getresponse()
    token = re.search(r'name="form(?:_token)?" value="([^"]+)"', answer.read().decode())
    cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
    connection.close()
    return token[1] if token else "", cookie


def start_all(load: Load) -> list[threading.Thread]:
    """Start every kind of load, and the readers."""
    form, cookie = visit_login(load.port)
    fields = urlencode([(f"field{number}", "x") for number in range(10_000)]).encode()
    short = urlencode([("a", "x") for _ in range(10_000)]).encode()
    body = b"x" * 50_000_000
    threads = [threading.Thread(target=hold_halves, args=(load,), daemon=True)]
    threads[0].start()
    threads += [load.repeat(_signing(load, n, form, cookie)) for n in range(SIGN_INS)]
    threads += [
        load.repeat(lambda: load.ask("50 MB bodies", "127.0.0.4", "POST", "/subscribe", body), 0.5)
        for _ in range(BODIES)
    ]
    threads += [
        load.repeat(lambda f=f: load.ask("10,000 fields", "127.0.0.5", "POST", "/subscribe", f), 0.1)  # type: ignore[misc]
        for f in (fields, short) * (FORMS // 2)
    ]
    threads += [
        load.repeat(lambda p=p: load.ask("readers", "127.0.0.9", "GET", p), 0.5)  # type: ignore[misc]
        for p in ("/", "/archive", "/unsubscribe/made-up", "/style.css")[:READERS]
    ]
    return threads


def _signing(load: Load, number: int, form: str, cookie: str) -> Callable[[], None]:
    """Return an attempt to sign in; each is for another editor, and they move on to networks without attempts.

    One address or network alone would soon be over its limit, and nothing more would be hashed for it.
    """
    made = itertools.count()

    def attempt() -> None:
        nth = next(made)
        body = {"form": form, "address": f"ed{number}.{nth}@courier.example", "password": _WRONG}
        client = f"127.{1 + nth // NETWORK_ATTEMPTS % 250}.{number}.1"
        load.ask("sign-ins", client, "POST", "/desk/login", urlencode(body).encode(), cookie)

    return attempt


def copy_large(folder: Path) -> None:
    """Copy sixteen large pictures; print the peak memory of this process in MB, and how many were copied."""
    with Website() as site:
        app = Application(load_settings(folder / "config.toml"))
        contents = [(folder / f"{size}.png").read_bytes() for size in SIZES]
        for number in range(PICTURES):
            site.pages[f"/{number}.png"] = page(contents[number % 2], Content_Type="image/png")
            url = f"{site.url}/{number}"
            row = Article(source="wire", canonical_url=url, url=url, content_hash=str(number), title=url,
                          image_url=f"{url}.png", first_seen_at=utc_now())  # fmt: skip
            with app.database.write() as session:
                session.add(row)
        failed = copy_pictures(app.database, app.settings, utc_now(), private_hosts=frozenset({"127.0.0.1"}))
        app.close()
    sys.stdout.write(f"{peak_of('self')} {PICTURES - len(failed)}\n")


def monitor(port: int, seconds: float) -> None:
    """Ask for /health four times a second, in a process that does nothing else; print the longest answer."""
    longest = read = 0.0
    asked = refused = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        is_well, arrived, seen = ask_health(port)
        asked, refused = asked + 1, refused + (not is_well)
        longest, read = max(longest, arrived), max(read, seen)
        time.sleep(0.25)
    sys.stdout.write(f"{longest:.2f} {read:.2f} {asked} {refused}\n")


def ask_health(port: int) -> tuple[bool, float, float]:
    """Return whether /health answered 200, after how many seconds that had arrived, and when we read it.

    The kernel says when the last byte had arrived (SO_TIMESTAMPNS, socket(7)): from then on this process waited
    for the processor, not for the pages. Connecting and sending count in full.
    """
    began, arrived, text = time.time(), 0.0, b""
    with socket.socket() as connection:
        connection.settimeout(30)
        connection.setsockopt(socket.SOL_SOCKET, _STAMPED, 1)
        connection.bind(("127.0.0.8", 0))
        connection.connect(("127.0.0.1", port))
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: courier.example\r\nConnection: close\r\n\r\n")
        while True:
            part, stamps, _, _ = connection.recvmsg(4096, 128)
            if not part:
                break
            text, arrived = text + part, time.time()
            for _, _, stamp in stamps:  # the kernel stamps nothing in its first moments
                seconds, nanoseconds = struct.unpack("qq", stamp)
                arrived = seconds + nanoseconds / 1e9
    return text.startswith(b"HTTP/1.1 200 "), arrived - began, time.time() - began


def peak_of(process: int | str) -> int:
    """Return the peak memory of a process in MB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) // 1024  # type: ignore[index]


def main(seconds: float) -> None:
    """Put the load on a server of its own, and print what it held."""
    # Imported here, so that the process of the pictures has what `digest fetch` has.
    from PIL import Image

    from digest.tasks.desk.editors import add_editor
    from tests.conftest import write_config

    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port(0)
        config = write_config(folder, f"sqlite:///{folder}/digest.db")
        text = config.read_text().replace("[web]", f"[web]\nport = {port}")
        config.write_text(text.replace("[site]", '[site]\nimages = "copy"'))
        app = Application(load_settings(config))
        for size in SIZES:
            Image.new("RGB", (size, size), (150, 42, 31)).save(folder / f"{size}.png")
        add_editor(app.desk, "mara@courier.example", Role.EDITOR, "four words make one", utc_now())
        app.close()
        command = [sys.executable, "-m", "digest", "web", "--config", str(config)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as web:
            assert web.stdout is not None
            sys.stdout.write(web.stdout.readline())
            load = Load(port)
            threads = start_all(load)
            own = [sys.executable, "-m", "tests.benchmarks.auditor"]
            copies = subprocess.Popen([*own, "pictures", name], stdout=subprocess.PIPE, text=True)
            asks = subprocess.Popen(
                [*own, "health", str(port), str(seconds)], stdout=subprocess.PIPE, text=True
            )
            with copies, asks:
                health, _ = asks.communicate(timeout=seconds + 120)
                peak = peak_of(web.pid)
                load.ended.set()
                copied, _ = copies.communicate(timeout=600)
            end = time.monotonic() + 30
            for thread in threads:
                thread.join(max(0.0, end - time.monotonic()))
            web.terminate()
    longest, read, asked, failed = health.split()
    sys.stdout.write(
        f"{'/health':<14} {asked} asked, {failed} not 200; longest {longest} s, {read} s until it was read\n"
    )
    report(load, peak, float(longest), *map(int, copied.split()))


def report(load: Load, peak: int, health: float, pictures_peak: int, copied: int) -> None:
    """Print the answers of each kind, and which of the promises hold."""
    for kind, answers in load.answers.items():
        counts = ", ".join(f"{count:,} {said}" for said, count in sorted(answers.items()))
        sys.stdout.write(f"{kind:<14} {counts}; longest {load.longest.get(kind, 0):.2f} s\n")
    refused = sum(count for said, count in load.answers["readers"].items() if said != "200")
    for holds, line in (
        (peak < MOST_MEMORY, f"memory of the pages {peak} MB, less than {MOST_MEMORY} is promised"),
        (
            pictures_peak < MOST_MEMORY,
            f"memory of copying pictures {pictures_peak} MB, {copied} of {PICTURES} decoded",
        ),
        (health < LONGEST_HEALTH, f"/health took {health:.2f} s at most, {LONGEST_HEALTH:g} is promised"),
        (refused == 0, f"{refused} readers' pages were refused"),
    ):
        sys.stdout.write(f"{'holds' if holds else 'FAILS'}  {line}\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["pictures"]:
        copy_large(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["health"]:
        monitor(int(sys.argv[2]), float(sys.argv[3]))
    else:
        main(float(sys.argv[1]) if sys.argv[1:] else 60)
