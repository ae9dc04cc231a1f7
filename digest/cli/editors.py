"""Commands about editors: add, remove, list."""

import sys
from getpass import getpass
from typing import Annotated

from cyclopts import Parameter

from digest.bootstrap import Application
from digest.cli.terminal.common import DEFAULT, AsJson, Common, application, layout_of
from digest.cli.terminal.output import say, show_json, warn
from digest.cli.terminal.tables import show_table
from digest.errors import DigestError, UsageError
from digest.models import Role
from digest.tasks.desk.editors import Added, add_editor, list_editors, remove_editor
from digest.tasks.desk.editors import invite as mail_link


def add(
    address: str,
    *,
    role: Role = Role.EDITOR,
    invite: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> None:
    """Give somebody access to the desk, or change their role or password.

    Parameters
    ----------
    address:
        Their mail address, with which they sign in.
    role:
        An editor shapes, proves and holds; a publisher also approves, pauses and resumes; an operator also
        looks after readers and sources.
    invite:
        Mail them a link, valid for an hour, to set their password; else it is asked for, or read from
        standard input.
    """
    password = None if invite else _read_password()
    with application(common) as app:
        added = add_editor(app.desk, address, role, password, app.clock())
        if invite:
            _invite(app, added)
    what = "added" if added.is_new else "changed; their sessions have ended"
    say(f"{added.editor.address}, {role.value}: {what}", quiet=common.quiet)
    if invite:
        say("a link that sets the password is on its way to them", quiet=common.quiet)


def remove(address: str, *, common: Common = DEFAULT) -> None:
    """End an editor's access at once; their activity stays recorded.

    Parameters
    ----------
    address:
        Their mail address.
    """
    with application(common) as app:
        remove_editor(app.desk, address)
    say("removed", quiet=common.quiet)


def list_(*, json: AsJson = False, common: Common = DEFAULT) -> None:
    """List everybody who has access to the desk."""
    with application(common) as app, app.database.read() as session:
        rows = [
            {
                "address": row.address,
                "role": row.role,
                "has_password": row.password_hash is not None,
                "created_at": row.created_at.isoformat(),
            }
            for row in list_editors(session)
        ]
        layout = layout_of(app)
    if json:
        show_json(rows)
    else:
        show_table(["address", "role", "has_password", "created_at"], rows, layout)


def _invite(app: Application, added: Added) -> None:
    try:
        mail_link(app.desk, added.editor, app.clock())
    except DigestError:
        warn(f"{added.editor.address} is an editor without a password; call this again to mail the link")
        raise


def _read_password() -> str:
    if not sys.stdin.isatty():
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise UsageError("standard input has no password in its first line; or mail a link with --invite")
        return password
    password = getpass("Password (12 characters or more): ")
    if getpass("The same again: ") != password:
        raise UsageError("the two passwords are not the same")
    return password
