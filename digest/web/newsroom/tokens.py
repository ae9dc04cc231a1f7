"""API tokens at the desk: created and shown once, listed with their last use, revoked."""

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.errors import InputError
from digest.models import ApiScope, Role
from digest.rules.api.access import PURPOSES, role_for
from digest.tasks.api.tokens import MadeToken, list_tokens, make_token, revoke_token
from digest.web.desk.access import HOME
from digest.web.desk.pages import DeskPages, sentence

TOKENS = f"{HOME}/api"


class TokenPages:
    """API tokens: each editor's own; all of them for operators."""

    def __init__(self, front: DeskPages) -> None:
        self._front = front

    def list(self, request: Request) -> Response:
        """Show the tokens, and the form that creates one."""
        return self._show(request)

    def make(self, request: Request) -> Response:
        """Create a token and show it this once."""
        front = self._front
        name, scopes = front.get(request, "name"), request.state.form.getlist("scope")
        editor = front.visit(request).editor
        try:
            made = make_token(
                front.desk.database, front.desk.new_token, name, map(str, scopes), front.now(), editor
            )
        except InputError as error:
            return self._show(request, 400, error=sentence(error), typed=name, chosen=scopes)
        return self._show(request, made=made)

    def revoke(self, request: Request, number: str) -> Response:
        """Revoke a token at once."""
        front = self._front
        try:
            revoke_token(front.desk.database, read_number(number), front.now(), front.visit(request).editor)
        except InputError:
            raise HTTPException(404) from None
        return front.go(TOKENS, "token-revoked", f"token-{number}")

    def _show(
        self, request: Request, status: int = 200, *, made: MadeToken | None = None, **values: object
    ) -> Response:
        front = self._front
        editor = front.visit(request).editor
        role = Role(editor.role)
        return front.show(
            request,
            "tokens",
            status,
            title="API",
            tokens=list_tokens(front.desk.database, editor),
            made=made,
            offered=[(scope, PURPOSES[scope]) for scope in ApiScope if role.includes(role_for(scope))],
            api=front.desk.settings.api,
            base_url=front.desk.settings.site.base_url,
            **{"error": "", "typed": "", "chosen": (), **values},
        )


def read_number(written: str) -> int:
    """Return the number in a path; 404 for anything else."""
    if not (written.isascii() and written.isdigit() and len(written) < 10):
        raise HTTPException(404)
    return int(written)
