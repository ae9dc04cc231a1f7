"""Checks run side by side; none that breaks or waits keeps the others from being told."""

import re
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from digest.errors import SettingsError
from digest.net.hosts import is_public
from digest.net.smtp import Relay
from digest.settings import load_settings
from digest.tasks.doctor.examination import CHECKS, Check, examine, is_healthy
from digest.tasks.doctor.findings import Finding, ok, warn
from digest.tasks.doctor.scope import Scope, find_senders
from tests.conftest import write_config

ROOT = Path(__file__).parents[4]


def scope(tmp_path: Path, **changed: Any) -> Scope:
    settings = load_settings(write_config(tmp_path, "sqlite:///digest.db"))
    known: dict[str, Any] = {
        "settings": settings,
        "relay": Relay("127.0.0.1", 25),
        "renderer": lambda: None,
        "clock": lambda: datetime(2026, 11, 23, tzinfo=UTC),
        "seconds": 0.05,
    }
    return Scope(**(known | changed))


def well(_: Scope) -> list[Finding]:
    return [ok("well", "as it should be")]


def breaks(_: Scope) -> list[Finding]:
    raise RuntimeError("hush: a secret")


def refuses(_: Scope) -> list[Finding]:
    raise SettingsError("template x is missing")


def test_a_check_that_breaks_is_a_line_that_tells_no_secret(tmp_path: Path) -> None:
    found = examine(
        scope(tmp_path), checks=(Check("breaks", breaks), Check("refuses", refuses), Check("well", well))
    )
    assert [(one.check, one.status) for one in found] == [
        ("breaks", "fail"),
        ("refuses", "fail"),
        ("well", "ok"),
    ]
    assert found[0].found == "the check itself broke: RuntimeError"
    assert found[1].found == "template x is missing"
    assert not is_healthy(found)


def test_a_check_that_does_not_end_is_a_line_and_the_others_are_told(tmp_path: Path) -> None:
    ended = threading.Event()

    def waits(_: Scope) -> list[Finding]:
        ended.wait(30)
        return []

    found = examine(scope(tmp_path), checks=(Check("waits", waits), Check("well", well)))
    ended.set()
    assert [one.check for one in found] == ["waits", "well"]
    assert found[0].found == "did not end within 0.2 seconds"


def test_a_warning_is_no_failure(tmp_path: Path) -> None:
    assert is_healthy([ok("a", "b"), warn("a", "b", "c")])
    assert examine(scope(tmp_path), offline=True, checks=(Check("x", breaks, outside=True),)) == []


def test_the_sending_address_is_what_the_operator_says_else_the_relays(tmp_path: Path) -> None:
    said = find_senders(scope(tmp_path, sends_from=("192.0.2.7",)))
    assert (said.addresses, said.certain) == (("192.0.2.7",), True)
    relays = find_senders(scope(tmp_path, relay=Relay("192.0.2.8", 587)))
    assert (relays.addresses, relays.certain, relays.ours) == (("192.0.2.8",), False, False)
    here = find_senders(scope(tmp_path))
    assert (here.certain, here.ours) == (False, True)
    assert all(is_public(address) for address in here.addresses)


def test_every_check_is_documented() -> None:
    documented = set(re.findall(r"^\| `([a-z-]+)` \|", (ROOT / "docs" / "operators.md").read_text(), re.M))
    code = "".join(path.read_text() for path in (ROOT / "digest/tasks/doctor").glob("*.py"))
    said = set(re.findall(r'\b(?:ok|warn|fail)\(\s*"([a-z-]+)"', code)) | {check.name for check in CHECKS}
    assert len(said) > 15
    assert said <= documented, said - documented
