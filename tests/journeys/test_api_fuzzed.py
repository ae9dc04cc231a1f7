"""The API against its own description, by Schemathesis: no server error, and nothing that is not described."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.models import ApiScope
from digest.settings import load_settings
from digest.tasks.api.tokens import make_token
from digest.web.server import Server
from tests.conftest import skip_unless_ci, write_config
from tests.support.desks import Clock, Newsdesk

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,negative_data_rejection,ignored_auth,unsupported_method"
)


@pytest.fixture
def newsdesk(tmp_path: Path) -> Iterator[Newsdesk]:
    config = write_config(tmp_path, f"sqlite:///{tmp_path}/digest.db")
    text = config.read_text().replace("https://courier.example", "http://127.0.0.1:8000")
    config.write_text(text + "\n[api]\nrequests_per_minute = 1_000_000\n")
    newsdesk = Newsdesk(load_settings(config), Clock())
    yield newsdesk
    newsdesk.close()


def test_whatever_is_sent_is_answered_as_the_description_says(newsdesk: Newsdesk, tmp_path: Path) -> None:
    if importlib.util.find_spec("schemathesis") is None:
        skip_unless_ci("no Schemathesis here: run `uv sync --group ci`")
    for hours, (title, topic) in enumerate([("Alps", "world"), ("Baltic", "science")], 1):
        newsdesk.publish(title, topic, hours=hours)
    newsdesk.subscribe("anna@readers.example", name="Anna")
    newsdesk.compile()
    made = make_token(newsdesk.app.database, lambda: "t" * 40, "fuzz", list(ApiScope), newsdesk.clock(), None)
    server = Server(newsdesk.web, "127.0.0.1", 0)
    server.start()

    command = [
        sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run",
        f"{server.url}/api/v1/openapi.json", "--header", f"Authorization: Bearer {made.token}",
        "--checks", CHECKS, "--phases", "coverage,fuzzing", "--continue-on-failure", "--request-timeout", "30",
        "--max-examples", "8", "--max-time", "30", "--generation-deterministic", "--no-shrink", "--no-color",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    server.stop()

    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]
    assert "Tested: 18" in done.stdout
