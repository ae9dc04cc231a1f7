"""The command that receives mail: receive."""

import json as json_module
import sys
from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from digest.cli.inbound.pipe import MOST_EXPLAINED, receive_quickly
from digest.cli.terminal.common import DEFAULT, Common, application
from digest.cli.terminal.output import say
from digest.mail.reports.classification import read
from digest.tasks.inbound.intake import take_in
from digest.tasks.inbound.mailbox import fetch_mail


def receive(
    *,
    return_path: str | None = None,
    recipient: str | None = None,
    explain: Annotated[bool, Parameter(negative="")] = False,
    now: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> None:
    """Store one message from standard input; the daemon or the next `digest send` acts on it.

    Parameters
    ----------
    return_path:
        The envelope's sender, empty for a bounce.
    recipient:
        The envelope's recipient.
    explain:
        Store nothing; print as JSON how the message is classified and whom it concerns.
    now:
        Store nothing; fetch new mail from the IMAP folder, and process all stored messages.
    """
    if explain:
        report = read(sys.stdin.buffer.read(MOST_EXPLAINED), return_path=return_path)
        facts = asdict(report)
        facts["original"] = dict(report.original.fields)
        sys.stdout.write(json_module.dumps(facts, ensure_ascii=False, indent=2) + "\n")
        return
    if now:
        with application(common) as app:
            app.require_undoubted()  # a message may ask for an edition
            fetch_mail(app.inbox)
            taken = take_in(app.inbox, app.clock(), sys.maxsize)
        told = ", ".join(f"{number} {kind}" for kind, number in sorted(taken.items()))
        say(told or "nothing waits", quiet=common.quiet)
        return
    options = {"--config": common.config, "--return-path": return_path, "--recipient": recipient}
    given = [str(part) for name, value in options.items() if value is not None for part in (name, value)]
    sys.exit(receive_quickly(given) or 0)
