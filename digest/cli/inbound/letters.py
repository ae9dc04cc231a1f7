"""Commands about letters to the editors: list, show, answer, done."""

import sys

from digest.cli.terminal.common import (
    DEFAULT,
    AsJson,
    AtLeastOne,
    Common,
    RowNumber,
    application,
    layout_of,
    user_name,
)
from digest.cli.terminal.output import say, show_json
from digest.cli.terminal.tables import show_table
from digest.models import LetterState
from digest.tasks.inbound import letters


def list_(
    *,
    all: bool = False,  # noqa: A002
    limit: AtLeastOne = 50,
    json: AsJson = False,
    common: Common = DEFAULT,
) -> None:
    """List letters to the editors, new ones first.

    Parameters
    ----------
    all:
        List answered and done ones too.
    limit:
        List at most this many.
    """
    states = () if all else (LetterState.NEW,)
    with application(common) as app:
        shown = letters.list_shown(app.database, states=states, limit=limit)
        layout = layout_of(app)
    rows = [
        {
            "id": one.letter.id,
            "at": one.letter.at.isoformat(),
            "from": one.letter.sender,
            "subject": one.letter.subject,
            "about": str(one.edition.name) if one.edition else None,
            "state": one.letter.state,
        }
        for one in shown
    ]
    if json:
        show_json(rows)
    elif rows:
        show_table(list(rows[0]), rows, layout)
    else:
        say("no letter waits", quiet=common.quiet)


def show(letter: RowNumber, *, quoted: bool = False, json: AsJson = False, common: Common = DEFAULT) -> None:
    """Show one letter.

    Parameters
    ----------
    letter:
        Its number, as `digest letters list` shows it.
    quoted:
        Show the quoted text too.
    """
    with application(common) as app:
        found = letters.find_letter(app.database, letter)
    row = found.letter
    if json:
        about = str(found.edition.name) if found.edition else None
        show_json(
            row.model_dump() | {"about": about, "article": found.article.title if found.article else None}
        )
        return
    say(f"From: {row.name} <{row.sender}>")
    say(f"Subject: {row.subject}")
    say(f"Date: {row.at.astimezone(app.settings.zone):%Y-%m-%d %H:%M}")
    say(f"State: {row.state}")
    if found.article:
        say(f"About: {found.article.title}")
    for part in (row.text, row.signature, row.quoted if quoted else ""):
        if part:
            say()
            for line in part.split("\n"):
                say(line)


def answer(letter: RowNumber, *, common: Common = DEFAULT) -> None:
    """Answer a letter with the text on standard input; the next run mails it.

    Parameters
    ----------
    letter:
        Its number.
    """
    text = sys.stdin.read()
    with application(common) as app:
        letters.answer_letter(app.database, letter, text, user_name(), app.clock())
    say(f"the answer to letter {letter} is planned", quiet=common.quiet)


def done(letter: RowNumber, *, common: Common = DEFAULT) -> None:
    """Mark a letter as done.

    Parameters
    ----------
    letter:
        Its number.
    """
    with application(common) as app:
        letters.mark_done(app.database, letter, user_name(), app.clock())
    say(f"letter {letter} is done", quiet=common.quiet)
