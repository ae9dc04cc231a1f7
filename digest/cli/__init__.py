"""The command line: `digest COMMAND`."""

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from digest import __version__
from digest.cli.output import warn
from digest.errors import DigestError

_USAGE = 2


_COMMANDS = (
    (
        "demo",
        "setup:demo",
        "Show it all on sample data: a newsroom, its readers, a first edition.",
    ),
    ("init", "setup:init", "Write config.toml and create the database; what stands is kept."),
    ("fetch", "send:fetch", "Fetch the sources that are due."),
    ("preview", "preview:preview", "Write the next edition as .html, .txt and .eml, and change nothing."),
    (
        "preflight",
        "preview:preflight",
        "Look the next edition over before it goes; exit 1 where a check fails.",
    ),
    ("send", "send:send", "Fetch, compile what is due, deliver what is due, and stop: what cron calls."),
    ("run", "serve:run", "Be the daemon: scheduler, pages and delivery in one process."),
    ("web", "serve:web", "Serve the pages alone."),
    ("status", "audit:status", "Show how far each edition is."),
    ("audit", "audit:audit", "Prove that every delivery is accounted for; exit 1 where one is not."),
    ("why", "audit:why", "Explain why a reader has an article, or why not."),
    ("resume", "resume:resume", "Let paused editions go on, or decide what a restored database may send."),
    ("schedule", "audit:schedule", "Show when the next edition of each cadence is due."),
    ("doctor", "doctor:doctor", "Look whether everything is set up as it should be; exit 1 where it is not."),
    ("dkim", "dkim:dkim", "Make a key to sign messages with, or show the DNS records of those that are set."),
    ("catch", "setup:catch", "Run the mail catcher alone: SMTP in, pages out, messages as files."),
)
_ARTICLES = (
    ("add", "articles:add", "Add web pages, saved pages, Markdown or plain text."),
    ("list", "articles:list_", "List articles, newest first."),
    ("show", "articles:show", "Show an article with its text."),
    ("hide", "articles:hide", "Keep an article out of coming editions."),
    ("unhide", "articles:unhide", "Let an article that is hidden or held back into coming editions."),
    ("pin", "articles:pin", "Put an article first in coming editions."),
    ("unpin", "articles:unpin", "Put a pinned article back into its place."),
    (
        "withdraw",
        "corrections:withdraw",
        "Take an article out of the archive, the feeds, and every message that has not left.",
    ),
    (
        "correct",
        "corrections:correct",
        "Tell those who have an article what was wrong with it, by a short notice.",
    ),
    ("split", "articles:split", "Part an article from the one that it is folded into, for good."),
    ("related", "articles:related", "List the articles that are nearest to one, among the latest 10,000."),
    (
        "prune",
        "articles:prune",
        "Remove old articles that no edition holds; those that one holds lose their text.",
    ),
)
_SUBSCRIBERS = (
    ("import", "subscribers:import_", "Import readers from a CSV file."),
    ("add", "subscribers:add", "Add one reader."),
    ("show", "subscribers:show", "Show all that is kept of a reader."),
    ("erase", "subscribers:erase", "Forget a reader; a keyed hash keeps imports from bringing them back."),
    ("list", "subscribers:list_", "List the readers of a digest, or of all."),
    ("export", "subscribers:export", "Write the readers as CSV that an import reads back."),
)
_EDITORS = (
    ("add", "editors:add", "Let somebody open the desk, or give a known editor another role and password."),
    (
        "remove",
        "editors:remove",
        "Let an editor in no more: their sessions end at once, what they did stays recorded.",
    ),
    ("list", "editors:list_", "List who may open the desk."),
)
_SOURCES = (
    ("list", "sources:list_", "List the sources with their health."),
    ("import", "sources:import_", "Add the feeds of an OPML file to config.toml."),
    ("export", "sources:export", "Write the sources as OPML, for other feed readers."),
)


def build() -> App:
    """Build the tree of commands; each is imported only when it is called, so that a command starts fast."""
    app = App(
        name="digest",
        help="Articles go in, each reader's own digest comes out by e-mail, on time, once, and proven.",
        version=__version__,
        version_flags=["--version"],
    )
    _add(app, _COMMANDS)
    articles = App(name="articles", help="The article store: add, list, show, hide, pin, prune.")
    subscribers = App(name="subscribers", help="The readers: import, add, show, erase, list, export.")
    app.command(_add(articles, _ARTICLES))
    app.command(_add(subscribers, _SUBSCRIBERS))
    app.command(_add(App(name="editors", help="The editors: add, remove, list."), _EDITORS))
    sources = App(name="sources", help="The sources: list them with their health, import, export.")
    app.command(_add(sources, _SOURCES))
    return app


def _add(app: App, commands: Sequence[tuple[str, str, str]]) -> App:
    for name, place, summary in commands:
        app.command(f"digest.cli.{place}", name=name, help=summary)
    return app


def _with_list(given: list[str]) -> list[str]:
    """Let `digest sources` alone, or with options only, list them."""
    rest = given[1:2]
    alone = not rest or (rest[0].startswith("-") and rest[0] not in ("--help", "-h", "--version"))
    return ["sources", "list", *given[1:]] if given[:1] == ["sources"] and alone else given


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command: exit 0 done or nothing to do, 1 failed, 2 bad usage or settings."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app = build()
        app(_with_list(given), exit_on_error=False, print_error=False)
    except CycloptsError as error:
        warn(f"{' '.join(str(error).split())}; see `digest --help`")
        sys.exit(_USAGE)
    except DigestError as error:
        warn(str(error))
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
