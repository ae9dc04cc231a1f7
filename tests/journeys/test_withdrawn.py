"""An article is withdrawn while its edition is being delivered: what has not left goes without it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.newsroom import Caught, Publication, run_command

READERS = 60


class Withdrawing(Caught):
    """A server that has an article withdrawn while it takes the n-th message, and answers only then."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.config = Path()
        self.at, self.facts = at, {"gone": 0}

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        answer = await super().handle_DATA(server, session, envelope)
        if len(self.messages) == self.at:
            self.facts = self._withdraw()
        return answer

    def _withdraw(self) -> dict[str, int]:
        out, _ = run_command(
            "articles", "withdraw", "https://courier.example/bridge-reopens", "--reason", "it did not",
            "--json", "--config", str(self.config),
        )  # fmt: skip
        facts: dict[str, int] = json.loads(out)
        return facts


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_no_message_that_was_not_in_flight_carries_a_withdrawn_article(
    tmp_path: Path, database_url: str, signed: bool
) -> None:
    server = Withdrawing(at=20)
    with server:
        publication = Publication(tmp_path, database_url, port=server.port, connections=3)
        server.config = publication.config
        if signed:
            publication.run("dkim", "--selector", "r1")
            publication.change_settings("[web]", '[dkim]\nselector = "r1"\nkey_file = "dkim-r1.pem"\n\n[web]')
        publication.begin(READERS)
        publication.run("send", "--now")

        with_it = {to for to, content in server.messages if b"Bridge reopens" in content}
        assert len(server.messages) == READERS
        assert len(set(server.recipients)) == READERS
        assert 20 <= len(with_it) <= 20 + 3
        assert server.facts["gone"] == len(with_it)
        assert server.facts["changed"] == READERS - len(with_it)
    assert publication.facts("audit")["ok"] is True
    assert publication.edition()["accepted"] == READERS
    for reader in range(0, READERS, 7):
        address = f"r{reader}@readers.example"
        told = publication.facts("why", address, "https://courier.example/bridge-reopens")
        assert told["included"] is (address in with_it)
        assert "withdrawn" in told["reason"]
