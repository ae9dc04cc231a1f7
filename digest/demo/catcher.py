"""The bundled mail catcher: a real SMTP server on loopback, and pages that show its mail."""

import email
import itertools
import os
import re
import socket
import threading
from email import policy
from email.message import EmailMessage
from html import escape
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse, Response

from digest.private_files import write_private

_MAX_BYTES = 50_000_000
_NAME = re.compile(r"\d{4,9}\.eml")
_LISTED = 500
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:; frame-src 'self';"
    " base-uri 'none'; form-action 'none'"
)
_STYLE = """
:root { color-scheme: light dark;
  --ink: #1d1b18; --soft: #5c574f; --paper: #f7f4ee; --line: #d9d3c7; --mark: #8c1c1c }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ece7dd; --soft: #b0a99c; --paper: #1c1a18; --line: #45403a; --mark: #f0857c } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 2rem 1.25rem; max-width: 62rem;
  color: var(--ink); background: var(--paper) }
h1 { font: bold 2rem/1.2 Georgia, serif; border-bottom: 3px double var(--ink); padding-bottom: .75rem }
h2 { font: bold 1.25rem/1.3 Georgia, serif; margin-top: 2rem }
a { color: var(--mark) }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; vertical-align: top; padding: .5rem 1rem .5rem 0;
  border-bottom: 1px solid var(--line) }
th { font-weight: 600; white-space: nowrap }
td { overflow-wrap: anywhere }
td + td { color: var(--soft) }
img { max-width: 100%; height: auto }
time { white-space: nowrap }
iframe { width: 100%; height: 60rem; border: 1px solid var(--line); background: #fff }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: 14px/1.5 ui-monospace, monospace }
@media (max-width: 40rem) { td, th { display: block; border: 0; padding: .1rem 0 } tr { display: block;
  border-bottom: 1px solid var(--line); padding: .6rem 0 } thead { display: none } }
"""
_LINKS_OPEN_OUTSIDE = "allow-popups allow-popups-to-escape-sandbox"
_HEAD = (
    '<!doctype html><html lang="{language}"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width">'
)


class Catcher:
    """Catches mail on loopback; each message is kept byte for byte as NNNN.eml."""

    def __init__(self, outbox: Path, port: int = 0) -> None:
        self.outbox = outbox
        outbox.mkdir(parents=True, exist_ok=True)
        self._controller = _Controller(_Keeper(outbox), hostname="127.0.0.1", port=port)

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        return listening_port(self._controller)

    def start(self) -> None:
        """Begin to listen."""
        self._controller.start()

    def stop(self) -> None:
        """Stop listening."""
        self._controller.stop()


class _Controller(Controller):
    def factory(self) -> SMTP:
        """Make the protocol of one connection."""
        return SMTP(
            self.handler, data_size_limit=_MAX_BYTES, enable_SMTPUTF8=True, hostname="catcher.localhost"
        )

    def _trigger_server(self) -> None:
        """Connect to the actual port: with port 0 the base class would try 0."""
        with socket.create_connection(("127.0.0.1", listening_port(self)), 5) as trial:
            trial.recv(1024)


def listening_port(controller: Controller) -> int:
    """Return the port that a started controller listens on."""
    return int(controller.server.sockets[0].getsockname()[1])  # type: ignore[union-attr]


class _Keeper:
    """Stores messages under rising numbers; a name appears only when its message is complete."""

    def __init__(self, outbox: Path) -> None:
        self._outbox = outbox
        taken = [int(path.stem) for path in outbox.glob("*.eml") if path.stem.isdigit()]
        self._numbers = itertools.count(max(taken, default=0) + 1)
        self._lock = threading.Lock()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        with self._lock:
            number = next(self._numbers)
        path = self._outbox / f"{number:04d}.eml"
        partial = path.with_suffix(".part")
        write_private(partial, envelope.original_content)
        os.replace(partial, path)
        return f"250 2.0.0 kept as {path.name}"


def create_pages(outbox: Path) -> FastAPI:
    """Return pages that list the caught mail and show one message, its HTML in a sandbox."""
    app = FastAPI(title="Caught mail", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/", response_class=HTMLResponse)
    def index() -> Response:
        paths = sorted(outbox.glob("*.eml"), reverse=True)[:_LISTED]
        rows = "".join(_row(path) for path in paths)
        heading = f"<h1>Caught mail</h1><p>{len(paths)} messages, the latest first.</p>"
        table = f"<table><thead><tr><th>Message<th>To<th>Date</tr></thead>{rows}</table>"
        return show_page("Caught mail", heading + table)

    @app.get("/{name}", response_class=HTMLResponse)
    def show(name: str) -> Response:
        message = _message(outbox, name)
        head = "".join(f"<tr><th>{escape(k)}<td>{escape(str(v))}</tr>" for k, v in message.items())
        text = message.get_body(("plain",))
        plain = escape(text.get_content()) if text else ""
        body = (
            f'<p><a href="/">All mail</a> · <a href="/{name}/raw">Source</a></p>'
            f"<h1>{escape(str(message['subject']))}</h1>"
            f'<iframe sandbox="{_LINKS_OPEN_OUTSIDE}" src="/{name}/html" title="HTML part"></iframe>'
            f"<h2>Text part</h2><pre>{plain}</pre>"
            f"<h2>Headers</h2><table>{head}</table>"
        )
        return show_page(str(message["subject"]), body)

    @app.get("/{name}/html", response_class=HTMLResponse)
    def html(name: str) -> Response:
        part = _message(outbox, name).get_body(("html",))
        return HTMLResponse(
            part.get_content().replace("<head>", '<head><base target="_blank">', 1) if part else "",
            headers={
                "Content-Security-Policy": f"{_POLICY}; sandbox {_LINKS_OPEN_OUTSIDE}",
                "Referrer-Policy": "no-referrer",
            },
        )

    @app.get("/{name}/raw")
    def raw(name: str) -> Response:
        return Response(_path(outbox, name).read_bytes(), media_type="text/plain; charset=utf-8")

    return app


def show_page(title: str, body: str, status: int = 200, *, language: str | None = None) -> Response:
    """Return a page in the demo's own plain style, on which nothing is active."""
    headers = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
    head = _HEAD.format(language=escape(language or "en"))
    page = f"{head}<title>{escape(title)}</title><style>{_STYLE}</style>{body}</html>"
    return HTMLResponse(page, status, headers=headers)


def _row(path: Path) -> str:
    message = _parsed(path.read_bytes())
    at = message["date"].datetime if message["date"] else None
    when = f"<time>{at:%Y-%m-%d %H:%M:%S}</time>" if at else ""
    cells = f"<td>{escape(str(message['to']))}<td>{when}"
    return f'<tr><td><a href="/{path.name}">{escape(str(message["subject"]))}</a>{cells}</tr>'


def _message(outbox: Path, name: str) -> EmailMessage:
    return _parsed(_path(outbox, name).read_bytes())


def _path(outbox: Path, name: str) -> Path:
    path = outbox / name
    if not _NAME.fullmatch(name) or not path.is_file():
        raise HTTPException(404, "there is no such message")
    return path


def _parsed(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)  # noqa: S101 - policy.default makes nothing else
    return message
