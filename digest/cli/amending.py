"""Commands for what was wrong: withdraw an article."""

from dataclasses import asdict

from digest.cli.common import DEFAULT, AsJson, Common, application
from digest.cli.output import say, show_json
from digest.tasks.withdrawing import withdraw as take_back


def withdraw(article: str, *, reason: str = "", json: AsJson = False, common: Common = DEFAULT) -> None:
    """Take an article out of the archive, the feeds, and every message that has not left.

    Parameters
    ----------
    article:
        Its id, as `digest articles list` shows it, or its URL.
    reason:
        Why; it is kept with the act, and shown to nobody else.
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


def _count(messages: int) -> str:
    return "1 message" if messages == 1 else f"{messages} messages"
