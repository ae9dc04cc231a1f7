"""Messages as machines judge them: mail programs' features, HTML, access for everyone, and a spam filter."""

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from digest.mail.rendering.client_support import Clients
from tests.conftest import skip_unless_ci
from tests.support.browser import launched, new_context
from tests.support.clients import FILE
from tests.support.editions import EDITIONS, ENGLISH, LOOKS, html_of, written

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NODE = Path(__file__).parents[1] / "node"
DEPRECATED = {
    # Outlook for Windows lays tables out by attributes.
    'Attribute "width" is deprecated on <table> element',
    'Attribute "cellpadding" is deprecated on <table> element',
    'Attribute "cellspacing" is deprecated on <table> element',
    'Attribute "border" is deprecated on <table> element',
    'Attribute "width" is deprecated on <td> element',
    'Attribute "align" is deprecated on <td> element',
}
SAMPLES = {
    f"{look} {name}": replace(content, look=look) for look in LOOKS for name, content in EDITIONS.items()
}


@pytest.fixture(scope="module")
def judged() -> dict[str, Any]:
    """Return the findings of caniemail and html-validate for all samples."""
    if shutil.which("node") is None or not (NODE / "node_modules").is_dir():
        skip_unless_ci("no Node.js tools here: run `npm install --no-package-lock` in tests/node")
    asked = json.dumps({name: html_of(content) for name, content in SAMPLES.items()})
    done = subprocess.run(
        ["node", "check.mjs"], cwd=NODE, input=asked, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_the_features_that_mail_programs_lack_are_those_that_are_found_and_explained(
    judged: dict[str, Any],
) -> None:
    clients = Clients(FILE)
    for name, content in SAMPLES.items():
        found = {one.title: sorted(one.lacking) for one in clients.find(html_of(content)) if one.reason}
        assert found == judged[name]["unsupported"], name
    used = {feature for said in judged.values() for feature in said["unsupported"]}
    assert used == {feature.title for feature in clients.features if feature.reason}


def test_who_lacks_a_feature_is_said_as_the_published_figures_have_it() -> None:
    path = NODE / "node_modules" / "caniemail" / "data" / "caniemail.json"
    if not path.is_file():
        skip_unless_ci("no caniemail here: run `npm install --no-package-lock` in tests/node")
    published = {one["title"]: one["stats"] for one in json.loads(path.read_text())["data"]}
    stated = tomllib.loads(FILE.read_text())
    known = [client for members in stated["clients"].values() for client in members]
    for feature in stated["features"]:
        stats = published[feature["title"]]
        lacking = [client for client in known if _latest(stats, *client.split(".")).startswith("n")]
        assert sorted(feature["lacking"]) == sorted(lacking), feature["title"]


def _latest(stats: dict[str, Any], family: str, system: str) -> str:
    """Return the support in the newest version tested: y, n, a (in part) or u."""
    versions: dict[str, str] = stats[family][system]
    newest = max(versions, key=lambda version: [int(part) for part in re.findall(r"\d+", version)])
    return versions[newest]


def test_no_html_is_wrong_but_attributes_that_outlook_needs(judged: dict[str, Any]) -> None:
    for name, said in judged.items():
        found = [one for one in said["invalid"] if one["message"] not in DEPRECATED]
        assert not found, name


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with launched() as browser:
        yield browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_serious_keeps_anybody_from_reading(browser: "Browser", name: str, scheme: str) -> None:
    axe = NODE / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.is_file():
        skip_unless_ci("no axe-core here: run `npm install --no-package-lock` in tests/node")
    context = new_context(browser, viewport={"width": 600, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.set_content(html_of(SAMPLES[name]), wait_until="domcontentloaded")
    page.add_script_tag(path=str(axe))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then((all) => all.violations)")
    context.close()
    serious = [
        (one["id"], node["html"], node["failureSummary"])
        for one in found
        for node in one["nodes"]
        if one["impact"] in ("serious", "critical")
    ]
    assert not serious


@pytest.mark.parametrize("look", LOOKS)
def test_a_spam_filter_sees_nothing_in_a_digest(look: str, tmp_path: Path) -> None:
    if shutil.which("spamassassin") is None:
        skip_unless_ci("no SpamAssassin here: install Debian's spamassassin")
    received = (
        b"Received: from mail.courier.example (mail.courier.example [93.184.216.34])\r\n"
        b"\tby mx.readers.example with ESMTPS id 4F2A1; Mon, 23 Nov 2026 06:05:00 +0000\r\n"
    )
    done = subprocess.run(
        ["spamassassin", "-L", "-t", "-x", f"--prefspath={tmp_path}/none", "--siteconfigpath=/etc/spamassassin"],
        input=received + written(replace(ENGLISH, look=look)), capture_output=True, timeout=120,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    report = done.stdout.decode("utf-8", "replace")
    score = re.search(r"X-Spam-Status:.*?score=(-?[\d.]+)", report, re.S)
    assert score is not None, report[:2000] + done.stderr.decode()
    assert float(score[1]) < 1.0, report[-2000:]
