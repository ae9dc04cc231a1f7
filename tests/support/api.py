"""Programs that call the API in tests: with a token of some scopes, or of a person at the desk."""

from collections.abc import Iterable
from itertools import count
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response

from digest.models import ApiScope, Editor
from digest.tasks.api.tokens import make_token
from tests.support.desks import BASE, Newsdesk

API = "/api/v1"
EVERYTHING = tuple(ApiScope)
_NUMBERS = count(1)


class Program:
    """A program with a token, or without one."""

    def __init__(
        self, newsdesk: Newsdesk, scopes: Iterable[str] | None, editor: Editor | None = None
    ) -> None:
        self.token = ""
        if scopes is not None:
            made = make_token(
                newsdesk.app.database, lambda: f"token-{next(_NUMBERS)}-of-tests", "test", scopes,
                newsdesk.clock(), editor,
            )  # fmt: skip
            self.token, self.id = made.token, made.row.id or 0
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        self.client = TestClient(
            newsdesk.web,
            base_url=BASE,
            headers=headers,
            raise_server_exceptions=False,
            follow_redirects=False,
        )

    def get(self, path: str, **query: Any) -> Response:
        """Send a GET request."""
        return self.client.get(f"{API}{path}", params=query)

    def send(self, method: str, path: str, body: Any = None, key: str | None = None) -> Response:
        """Change something."""
        headers = {"idempotency-key": key} if key is not None else {}
        if body is None:
            return self.client.request(method, f"{API}{path}", headers=headers)
        return self.client.request(method, f"{API}{path}", json=body, headers=headers)

    def post(self, path: str, body: Any = None, key: str | None = None) -> Response:
        """Send something in."""
        return self.send("POST", path, body, key)


def kind_of(answer: Response) -> str:
    """Return which problem an answer is: `rate-limit`."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told = answer.json()
    assert told["status"] == answer.status_code
    assert told["detail"]
    return str(told["type"]).rpartition("#")[2]
