"""The same edition through real Postfix, Exim and OpenSMTPD to a mailbox: is what arrives what was sent?

    uv run python -m tests.faults.relays [postfix] [exim] [opensmtpd] [--messages 200]

Debian's packages exclude each other, so each is unpacked into a root folder of its own and runs in it, on loopback,
until its mailbox is full; that needs root, and a Debian that has the packages. Bodies must be those that a sink
got from the same edition, both signatures must verify, each return path must be the delivery's own.
"""

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dkim

from tests.faults.killing import Newsstand
from tests.support.newsroom import run_command

DOMAIN = "readers.example"
BOX = "/var/mail/all"
_SECONDS = 120
_PROGRAMS = ("/bin/sh",)
_POSTFIX_QUEUES = (
    "active bounce corrupt defer deferred flush hold incoming maildrop private public pid saved trace"
)

POSTFIX_MAIN = f"""
compatibility_level = 3.6
queue_directory = /var/spool/postfix
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
data_directory = /var/lib/postfix
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.{DOMAIN}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
smtpd_peername_lookup = no
smtpd_recipient_restrictions = permit_mynetworks, reject
virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_base = {BOX}
virtual_mailbox_maps = static:/
virtual_uid_maps = static:2000
virtual_gid_maps = static:2000
virtual_minimum_uid = 100
maillog_file = /var/log/postfix.log
"""
POSTFIX_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
EXIM = f"""
primary_hostname = mx.{DOMAIN}
local_interfaces = 127.0.0.1
daemon_smtp_ports = {{port}}
spool_directory = /var/spool/exim4
log_file_path = /var/log/exim4/%slog
acl_smtp_rcpt = take
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_max = 0
smtp_accept_queue_per_connection = 0
keep_environment =
begin acl
take:
  accept domains = {DOMAIN}
  deny
begin routers
all:
  driver = accept
  transport = box
begin transports
box:
  driver = appendfile
  maildir_format
  directory = {BOX}
  create_directory
  return_path_add
  user = vmail
  group = vmail
"""
OPENSMTPD = f"""
table all {{{{ "@{DOMAIN}" = vmail }}}}
listen on 127.0.0.1 port {{port}}
action "box" maildir "{BOX}" virtual <all>
match from any for domain "{DOMAIN}" action "box"
"""
ACCOUNTS = (
    ("root", 0), ("postfix", 2001), ("postdrop", 2002), ("Debian-exim", 2003), ("opensmtpd", 2004),
    ("opensmtpq", 2005), ("vmail", 2000), ("nobody", 65534),
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A mail server: its packages, its settings by file, the folders it wants, and how it is run."""

    packages: tuple[str, ...]
    files: dict[str, str]
    folders: dict[str, str]
    command: tuple[str, ...]
    programs: tuple[str, ...]


KINDS = {
    "postfix": Kind(
        ("postfix",),
        {"/etc/postfix/main.cf": POSTFIX_MAIN, "/etc/postfix/master.cf": POSTFIX_MASTER},
        {"/var/lib/postfix": "postfix", "/var/spool/postfix": "root"}
        | {f"/var/spool/postfix/{name}": "postfix" for name in _POSTFIX_QUEUES.split()},
        ("/usr/lib/postfix/sbin/master", "-d"),
        ("/usr/lib/postfix/sbin", "/usr/sbin"),
    ),
    "exim": Kind(
        ("exim4-daemon-light", "exim4-base", "exim4-config"),
        {"/etc/exim4/exim4.conf": EXIM},
        {"/var/spool/exim4": "Debian-exim", "/var/log/exim4": "Debian-exim"},
        ("/usr/sbin/exim4", "-bdf", "-q1m"),
        ("/usr/sbin",),
    ),
    "opensmtpd": Kind(
        ("opensmtpd",),
        {"/etc/smtpd.conf": OPENSMTPD, "/etc/mailname": f"mx.{DOMAIN}\n"},
        {"/var/lib/opensmtpd/empty": "root", "/var/spool": "root"},
        ("/usr/sbin/smtpd", "-d", "-f", "/etc/smtpd.conf"),
        ("/usr/sbin", "/usr/libexec/opensmtpd"),
    ),
}


def unpack(kind: Kind, root: Path, port: int) -> None:
    """Fill a root folder: the packages, the libraries that they need, settings, accounts, devices."""
    packages = [*kind.packages]
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        download(packages, folder)
        depends = "".join(
            subprocess.run(
                ["dpkg-deb", "-f", str(path), "Depends"], check=True, capture_output=True, text=True
            ).stdout
            for path in Path(folder).glob("*.deb")
        )
        download(sorted(set(re.findall(r"\blib[a-z0-9.+-]+", depends)) - {"libc6"}), folder)
        for path in Path(folder).glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(path), str(root)], check=True)
    for name in ("/dev", "/etc", "/tmp", "/var/log", "/var/run", "/run", "/usr/bin", "/bin"):
        (root / name[1:]).mkdir(parents=True, exist_ok=True)
    for program in [Path(name) for name in _PROGRAMS]:
        shutil.copy(program, root / str(program)[1:])
    for folder_name in (*kind.programs, "/bin"):
        for program in (root / folder_name[1:]).iterdir():
            copy_libraries(program, root)
    (root / "etc/passwd").write_text("".join(f"{name}:x:{n}:{n}::{BOX}:/bin/sh\n" for name, n in ACCOUNTS))
    (root / "etc/group").write_text("".join(f"{name}:x:{n}:\n" for name, n in ACCOUNTS))
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    (root / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")
    (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
    for name in ("null", "urandom", "random", "zero"):
        subprocess.run(["cp", "-a", f"/dev/{name}", str(root / "dev" / name)], check=True)
    numbers = dict(ACCOUNTS)
    for name, owner in {BOX: "vmail", **kind.folders}.items():
        (root / name[1:]).mkdir(parents=True, exist_ok=True)
        os.chown(root / name[1:], numbers[owner], numbers[owner])
    for name, content in kind.files.items():
        (root / name[1:]).parent.mkdir(parents=True, exist_ok=True)
        (root / name[1:]).write_text(content.format(port=port) if "{port}" in content else content)
        (root / name[1:]).chmod(0o644)


def download(packages: list[str], folder: str) -> None:
    """Download packages, without their being installed; those that are virtual are left out."""
    for package in packages:
        done = subprocess.run(["apt-get", "download", package], cwd=folder, capture_output=True, text=True)
        if done.returncode and not package.startswith("lib"):
            raise SystemExit(f"Debian's package {package} cannot be had here: {done.stderr.strip()}")


def copy_libraries(program: Path, root: Path) -> None:
    """Copy the libraries of a program that its packages did not bring from this machine."""
    places = [
        str(root / name) for name in ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib/postfix")
    ]
    done = subprocess.run(
        ["ldd", str(program)],
        capture_output=True,
        text=True,
        env={"LD_LIBRARY_PATH": ":".join(places), **os.environ},
    )
    for library in re.findall(r"(/\S+\.so[.\w]*) \(", done.stdout):
        target = root / library[1:]
        if not library.startswith(str(root)) and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, target)


@contextmanager
def running(kind: Kind, root: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server in its root until it is not needed any more."""
    with (root / "output").open("wb") as output:
        process = subprocess.Popen(
            ["chroot", str(root), *kind.command], stdout=output, stderr=output, start_new_session=True
        )
        try:
            for _ in range(200):
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def arrived(root: Path) -> list[bytes]:
    """Return the messages of the mailbox, with the line endings that they had in transit."""
    return [path.read_bytes().replace(b"\n", b"\r\n") for path in sorted((root / BOX[1:] / "new").glob("*"))]


def recipient(raw: bytes) -> str:
    """Return the recipient of a message."""
    match = re.search(rb"^To: .*?([\w.]+@[\w.]+)", raw, re.M)
    assert match is not None
    return match[1].decode()


def carry(
    name: str, stand: Newsstand, ours: dict[str, tuple[str, bytes]], records: dict[bytes, bytes]
) -> list[str]:
    """Carry the edition over a server; give what is wrong with what arrived."""
    kind = KINDS[name]
    root = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    root.chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    unpack(kind, root, port)
    began = time.monotonic()
    with running(kind, root, port), stand.edition(4) as edition:
        edition.environment["DIGEST_SMTP__PORT"] = str(port)
        for _ in range(3):
            edition.start("send", "world", "--now", "--quiet").join(_SECONDS)
        end = time.monotonic() + _SECONDS
        while len(arrived(root)) < stand.readers and time.monotonic() < end:
            time.sleep(0.2)
        took = time.monotonic() - began
        found = arrived(root)
        edition.judge()
        books, said = edition.found.audit, edition.found.output
        edition.is_well = True
    wrong = judge(found, ours, records)
    wrong += [] if books.get("ok") else [f"the audit says {books}"]
    print(  # noqa: T201
        f"{name}: {len(found)} messages arrived for {len({recipient(raw) for raw in found})} readers of"
        f" {stand.readers} in {took:.1f} s; {'; '.join(wrong) or 'bodies identical, both signatures of each valid'}",
        flush=True,
    )
    if wrong:
        print(said[-1000:], (root / "output").read_text(errors="replace")[-3000:], root)  # noqa: T201
    else:
        shutil.rmtree(root)
    return wrong


def judge(found: list[bytes], ours: dict[str, tuple[str, bytes]], records: dict[bytes, bytes]) -> list[str]:
    """Describe what is wrong with the messages that arrived."""
    wrong = []
    if sorted(map(recipient, found)) != sorted(ours):
        wrong.append(f"{len(found)} messages for {len(set(map(recipient, found)))} of {len(ours)} readers")
    bodies = [
        raw.partition(b"\r\n\r\n")[2] == ours[recipient(raw)][1].partition(b"\r\n\r\n")[2] for raw in found
    ]
    if not all(bodies):
        wrong.append(f"{bodies.count(False)} bodies differ")
    valid = [
        dkim.DKIM(raw).verify(idx, dnsfunc=lambda name, timeout=5: records.get(name))
        for raw in found
        for idx in (0, 1)
    ]
    if not all(valid):
        wrong.append(f"{valid.count(False)} signatures are broken")
    paths = [
        f"return-path: <{ours[recipient(raw)][0]}>".encode() in raw.partition(b"\r\n\r\n")[0].lower()
        for raw in found
    ]
    if not all(paths):
        wrong.append(f"{paths.count(False)} return paths are other ones")
    return wrong


def prepare(folder: Path, messages: int) -> tuple[Newsstand, dict[bytes, bytes]]:
    """Make a publication that signs twice and has an inbox; give it and its records in DNS."""
    stand = Newsstand(folder, messages)
    config = stand.folder / "config.toml"
    records: dict[bytes, bytes] = {}
    for kind in ((), ("--ed25519",)):
        selector = "e1" if kind else "r1"
        out, _ = run_command(
            "dkim", *kind, "--selector", selector, "--out", str(stand.folder / f"{selector}.pem"), "--json",
            "--config", str(config),
        )  # fmt: skip
        records |= {f"{record['name']}.".encode(): record["value"].encode() for record in json.loads(out)}
    config.write_text(
        config.read_text()
        + '\n[inbound]\naddress = "news@courier.example"\n[dkim]\nselector = "r1"\nkey_file = "r1.pem"\n'
        'ed25519_selector = "e1"\ned25519_key_file = "e1.pem"\n'
    )
    return stand, records


def main() -> None:
    """Carry the edition over each server that is named; exit 1 where something is wrong."""
    parser = argparse.ArgumentParser(description="carry an edition over real mail servers")
    parser.add_argument("names", nargs="*", choices=[*KINDS, []], default=[])
    parser.add_argument("--messages", type=int, default=200)
    options = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("run it as root: the servers run in root folders of their own")
    stand, records = prepare(Path(tempfile.mkdtemp(prefix="relays-")), options.messages)
    with stand.edition(4) as edition:
        edition.start("send", "world", "--now", "--quiet").join(_SECONDS)
        ours = {one.rcpt_to: (one.mail_from, one.content) for one in edition.recording.transactions}
        edition.is_well = True
    assert len(ours) == options.messages
    wrong = [carry(name, stand, ours, records) for name in options.names or KINDS]
    stand.close()
    sys.exit(1 if any(wrong) else 0)


if __name__ == "__main__":
    main()
