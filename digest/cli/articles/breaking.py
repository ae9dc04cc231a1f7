"""The command for breaking news."""

from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from digest.cli.terminal.common import DEFAULT, AsJson, Common, application, by_command
from digest.cli.terminal.output import say, show_json
from digest.tasks.editions.breaking import BreakingNews


def breaking(
    article: str,
    *,
    yes: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
    common: Common = DEFAULT,
) -> None:
    """Send one article at once to everyone who chose breaking news.

    Without --yes it only says how many would get it. It is sent by the next `digest send`, or at once if
    `digest run` is running. Who gets it does not get it again in their next edition.

    Parameters
    ----------
    article:
        Its id, as `digest articles list` shows it, or its URL.
    yes:
        Send it.
    """
    with application(common) as app:
        if yes:
            app.require_undoubted()
        desk = app.breaking
        found = desk.send(article, by_command(), app.clock()) if yes else desk.count(article)
        if yes:
            app.save_state()
    if json:
        show_json(asdict(found) | {"count": found.count, "dry_run": not yes})
        return
    for line in describe(found, sent=yes):
        say(line, quiet=common.quiet)


def describe(found: BreakingNews, *, sent: bool) -> list[str]:
    """Return lines that say who gets an article, or would."""
    verb = "is planned for" if sent else "would go to"
    lines = [
        f"{digest}: “{found.title}” {verb} {count:,} {'reader' if count == 1 else 'readers'}"
        for digest, count in found.readers.items()
    ]
    lines += [f"{digest}: “{found.title}” was sent as breaking news before" for digest in found.before]
    if sent:
        lines += [
            f"`digest status {digest}/breaking/{found.article_id}` shows how far it is"
            for digest in found.readers
        ]
    elif found.count:
        lines.append("nothing was sent: --yes sends it")
    return lines
