"""Commands about readers: import, add, show, erase, list, export."""

import sys
from pathlib import Path

from digest.cli.readers.choices import check_details, digest_name, private_csv, read_topics
from digest.cli.terminal.common import DEFAULT, AsJson, Common, application, layout_of
from digest.cli.terminal.output import say, show_json, warn
from digest.cli.terminal.tables import show_table
from digest.rules.readers.address import normalise, tidy_name
from digest.tasks.readers import on_request, privacy
from digest.tasks.readers.enrolment import Enrolled, NewReader, Terms, enrol_one
from digest.tasks.readers.lists import csv_export
from digest.tasks.readers.sign_up import Choices, check_choices

_TAKEN = (Enrolled.ADDED, Enrolled.ASKED, Enrolled.CHANGED, Enrolled.UNCHANGED)
_TOLD = {
    Enrolled.ADDED: "added",
    Enrolled.ASKED: "asked: the next run mails the confirmation",
    Enrolled.CHANGED: "confirmed",
    Enrolled.UNCHANGED: "known already; nothing to change",
    Enrolled.KEPT: "not changed",
    Enrolled.LIMITED: "not asked",
    Enrolled.LEFT: "not added",
    Enrolled.SUPPRESSED: "not added",
}


def add(
    address: str,
    *,
    digest: str | None = None,
    name: str | None = None,
    cadence: str = "",
    topics: tuple[str, ...] = (),
    language: str | None = None,
    timezone: str | None = None,
    confirmed: str | None = None,
    common: Common = DEFAULT,
) -> None:
    """Add one reader.

    If an earlier act of the reader forbids it, say which and exit 1.

    Parameters
    ----------
    address:
        The reader's address.
    digest:
        The digest to subscribe to; may be omitted if there is only one.
    name:
        How to greet them.
    cadence:
        One of the digest's cadences; else its first.
    topics:
        Only these of the digest's topics, such as science,culture; may be repeated; else all.
    language:
        A language tag such as fr.
    timezone:
        A zone such as Europe/Paris.
    confirmed:
        The wording that they agreed to; without it the address is asked first.
    """
    with application(common) as app:
        chosen = app.settings.digest(digest_name(app, digest))
        check_details(app, language, timezone)
        wanted = check_choices(chosen, Choices(cadence, read_topics(topics) or ()))
        newcomer = NewReader(
            normalise(address),
            None if name is None else tidy_name(name),
            language or None,
            timezone or None,
            wanted.cadence,
            wanted.topics or None,
        )
        remedy = f"`digest subscribers set {newcomer.address.address}` changes them"
        terms = Terms(chosen, confirmed, {"command": "subscribers add"}, app.clock(), remedy=remedy)
        done = enrol_one(app.readers, newcomer, terms)
    said = f"{newcomer.address.address}: {_TOLD[done.result]}"
    if done.result in _TAKEN:
        say(said, quiet=common.quiet)
        return
    warn(f"{said}: {done.why}")
    sys.exit(1)


def show(address: str, *, json: AsJson = False, common: Common = DEFAULT) -> None:
    """Show everything that is stored about a reader.

    Parameters
    ----------
    address:
        The reader's address.
    """
    with application(common) as app:
        facts = privacy.show(app.readers, address)
        layout = layout_of(app)
    if json:
        show_json(facts)
        return
    for key in ("address", "name", "language", "timezone", "suppressed"):
        say(f"{key}: {facts[key] or '-'}")
    for key in ("subscriptions", "consent"):
        rows = facts[key]
        assert isinstance(rows, list)  # noqa: S101 - as records.show builds it
        if rows:
            say("")
            show_table(list(rows[0]), rows, layout)


def erase(address: str, *, common: Common = DEFAULT) -> None:
    """Erase a reader; a keyed hash keeps imports out.

    Parameters
    ----------
    address:
        The reader's address.
    """
    with application(common) as app:
        privacy.erase(app.readers, address, app.clock())
    say("erased", quiet=common.quiet)


def list_(
    *, digest: str | None = None, search: str = "", json: AsJson = False, common: Common = DEFAULT
) -> None:
    """List the readers of one digest, or of all.

    Parameters
    ----------
    digest:
        Only this digest.
    search:
        Only those whose address or name contains this text.
    """
    with application(common) as app:
        rows = [
            {
                "address": subscriber.address,
                "name": subscriber.name,
                "digest": row.digest,
                "state": row.state,
                "cadence": row.cadence,
                "topics": list(row.topics),
            }
            for subscriber, row in on_request.find(app.readers, digest, search)
        ]
        layout = layout_of(app)
        if digest is not None and not rows:
            digest_name(app, digest)  # which refuses an unknown one: one of the past may have had readers
    if json:
        show_json(rows)
    else:
        show_table(["address", "name", "digest", "state", "cadence", "topics"], rows, layout)


def export(file: Path | None = None, *, digest: str | None = None, common: Common = DEFAULT) -> None:
    """Write the readers as CSV that `import` reads back.

    Parameters
    ----------
    file:
        The file to write; else standard output. It is a backup, as secret as the database.
    digest:
        Only this digest, without the suppressions of others.
    """
    with application(common) as app:
        if file is None:
            csv_export.export_subscribers(app.readers, sys.stdout, digest)
            return
        with private_csv(file) as target:
            count = csv_export.export_subscribers(app.readers, target, digest)
    say(f"{count} subscriptions written to {file}", quiet=common.quiet)
