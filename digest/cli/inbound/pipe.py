"""`digest receive` for a mail server's pipe: one process for each message, so it imports next to nothing.

Exit 0 only after the message is stored; 75 (EX_TEMPFAIL) makes the server keep it and try again, and 65
(EX_DATAERR) makes it return the message: nothing at all is no message, now or later.
"""

import os
import sys
import tomllib
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from digest.config_path import find_config
from digest.net.inbound.spool import Spool, read_chunks

EX_DATAERR, EX_TEMPFAIL = 65, 75
MOST_EXPLAINED = 50_000_000
_OPTIONS = ("--config", "--return-path", "--recipient")


def receive_quickly(given: Sequence[str]) -> int | None:
    """Store the message on standard input; None if there are options that a pipe does not use."""
    options = dict(zip(given[::2], given[1::2], strict=False))
    if len(given) % 2 or len(options) * 2 != len(given) or set(options) - set(_OPTIONS):
        return None
    try:
        spool = find_spool(find_config(Path(options["--config"]) if options.get("--config") else None))
        chunks = read_chunks(sys.stdin.fileno())
        first = next(chunks, b"")
        if not first:
            sys.stderr.write("digest receive: standard input is empty: it has to be one message\n")
            return EX_DATAERR
        spool.deliver(
            chain((first,), chunks),
            return_path=options.get("--return-path"),
            recipient=options.get("--recipient", ""),
        )
    except (OSError, ValueError) as error:
        sys.stderr.write(f"digest receive: the message is not stored: {error}\n")
        return EX_TEMPFAIL
    return 0


def find_spool(config: Path) -> Spool:
    """Find the spool that the settings name, without validating the rest of them."""
    written = tomllib.loads(config.read_text(encoding="utf-8-sig"))
    inbound = written.get("inbound", {})
    named = os.environ.get("DIGEST_INBOUND__SPOOL") or inbound.get("spool", "inbox")
    return Spool(config.resolve().parent / str(named))
