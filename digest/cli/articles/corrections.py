"""Commands for mistakes: withdraw an article, or correct it."""

from dataclasses import asdict
from pathlib import Path

from digest.cli.terminal.common import DEFAULT, AsJson, Common, application
from digest.cli.terminal.output import say, show_json
from digest.errors import InputError, UsageError
from digest.tasks.articles.withdrawing import withdraw as take_back
from digest.tasks.editions.correcting import correct as tell


def withdraw(article: str, *, reason: str = "", json: AsJson = False, common: Common = DEFAULT) -> None:
    """Remove an article from the archive, the feeds and all unsent messages.

    Parameters
    ----------
    article:
        Its id, as `digest articles list` shows it, or its URL.
    reason:
        The reason; it is recorded, and not shown to readers.
    """
    with application(common) as app:
        done = take_back(app.database, article, reason, app.clock)
    if json:
        show_json(asdict(done))
        return
    say(f"article {done.article_id} is withdrawn: {done.title}", quiet=common.quiet)
    say(
        f"{_count(done.changed)} that had not left lost it"
        + (f"; {done.withheld} of them are withheld, they held nothing else" if done.withheld else ""),
        quiet=common.quiet,
    )
    if done.gone:
        say(
            f"{_count(done.gone)} left with it;"
            f" `digest articles correct {done.article_id} --text ...` tells their readers",
            quiet=common.quiet,
        )


def correct(
    article: str,
    *,
    text: str = "",
    file: Path | None = None,
    json: AsJson = False,
    common: Common = DEFAULT,
) -> None:
    """Send a correction to everyone who has an article.

    It is sent by the next `digest send`, or at once if `digest run` is running.

    Parameters
    ----------
    article:
        Its id, as `digest articles list` shows it, or its URL.
    text:
        What was wrong and what is right, in Markdown.
    file:
        A file that contains the text.
    """
    written = _read(text, file)
    with application(common) as app:
        app.require_undoubted()  # of a restored copy nobody knows who has the article
        done = tell(app.database, app.settings, article, written, app.clock(), speaks=app.renderer.speaks)
    if json:
        show_json(asdict(done))
        return
    if not done.is_new:
        say(f"article {done.article_id}: this correction is planned already", quiet=common.quiet)
        return
    say(
        f"article {done.article_id}: {_count(done.told)} planned"
        + (f"; {done.withheld} readers who have it left or paused, and get none" if done.withheld else ""),
        quiet=common.quiet,
    )
    for edition in done.editions:
        say(f"digest status {edition} shows how far it is", quiet=common.quiet)


def _read(text: str, file: Path | None) -> str:
    if bool(text) == (file is not None):
        raise UsageError("give the correction with --text or with --file, not both")
    if file is None:
        return text
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{file} is not UTF-8: save it as UTF-8") from None
    except OSError as error:
        raise InputError(f"{file} cannot be read: {(error.strerror or 'unknown').lower()}") from None


def _count(messages: int) -> str:
    return "1 message" if messages == 1 else f"{messages} messages"
