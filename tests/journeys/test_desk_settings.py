"""The settings at the desk: what stands, where it comes from, what it means; and no secret."""

import os
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from digest.models import LearnedLimit
from digest.settings import Settings, inventory, load_settings
from digest.settings.inventory import Setting, take_inventory
from digest.settings.meanings import meaning_of
from digest.tasks.sources.health import pause_source
from tests.conftest import write_config
from tests.support.desks import BEN, OLGA, Clock, Newsdesk

PAGE = "/desk/settings"
SECRETS = (
    "relay-password-7",
    "former-secret-of-long-ago",
    "bearer-of-the-metrics",
    "feed-login",
    "feed-token-9",
)


@pytest.fixture(scope="module")
def newsdesk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsdesk]:
    """Open a desk whose settings have secrets in the file, in the environment and in addresses."""
    folder = tmp_path_factory.mktemp("settings")
    path = write_config(folder, f"sqlite:///{folder}/digest.db")
    text = path.read_text().replace("[web]\n", f'[web]\nold_secrets = ["{SECRETS[1]}"]\n', 1)
    text += (
        f'\n[[sources]]\nname = "wire"\nurl = "https://me:{SECRETS[3]}@wire.example/feed?key={SECRETS[4]}"\n'
    )
    path.write_text(text)
    given = {
        "DIGEST_SMTP__PASSWORD": SECRETS[0], "DIGEST_SMTP__USERNAME": "relay-user",
        "DIGEST_WEB__METRICS_TOKEN": SECRETS[2], "DIGEST_SMTP__SECURITY": "tls",
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        newsdesk = Newsdesk(load_settings(path), Clock())
        yield newsdesk
        newsdesk.close()


def setting(settings: Settings, table: str, key: str) -> Setting:
    found = {one.name: {row.key: row for row in one.settings} for one in take_inventory(settings).tables}
    return found[table][key]


def test_each_value_says_where_it_comes_from(newsdesk: Newsdesk) -> None:
    settings = newsdesk.settings
    lines = settings.file.read_text().splitlines()
    written = setting(settings, "[site]", "name")
    assert written.origin == "file"
    number = int(re.fullmatch(r"config\.toml, line (\d+)", written.place)[1])  # type: ignore[index]
    assert lines[number - 1].startswith("name = ")
    brought = setting(settings, "[smtp]", "username")
    assert (brought.value, brought.origin, brought.place) == (
        '"relay-user"', "environment", "DIGEST_SMTP__USERNAME",
    )  # fmt: skip
    left = setting(settings, "[web]", "keep_origins")
    assert (left.value, left.origin, left.place) == ('"365d"', "default", "")
    wire = setting(settings, '[[sources]] "wire"', "name")
    assert lines[int(wire.place.rpartition(" ")[2]) - 1] == 'name = "wire"'


def test_every_setting_has_a_meaning(newsdesk: Newsdesk) -> None:
    for table in take_inventory(newsdesk.settings).tables:
        for one in table.settings:
            assert len(one.meaning) > 10, (table.name, one.key)
    assert meaning_of(("smtp", "relays", "second", "security")) == meaning_of(("smtp", "security"))


def test_the_page_shows_no_secret_and_is_the_operators(newsdesk: Newsdesk) -> None:
    assert newsdesk.sign_in(BEN).get(PAGE).status_code == 403
    page = newsdesk.sign_in(OLGA).get(PAGE).text

    own = newsdesk.settings.web.secret.get_secret_value()
    assert not [secret for secret in (*SECRETS, own) if secret in page]
    assert "(set, not shown)" in page
    assert "https://wire.example/feed?key=***" in page
    assert "DIGEST_SMTP__PASSWORD" in page


def test_a_database_password_is_never_shown(newsdesk: Newsdesk) -> None:
    database = newsdesk.settings.database.model_copy(
        update={"url": "postgresql+psycopg://press:p@ss/word@db.example/news"}
    )
    settings = newsdesk.settings.model_copy(update={"database": database})
    assert setting(settings, "[database]", "url").value == '"postgresql://press:***@db.example/news"'


def test_the_file_is_read_again_only_if_it_has_changed(
    newsdesk: Newsdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, olga, read = newsdesk.settings, newsdesk.sign_in(OLGA), list[Path]()

    def load(file: Path) -> Settings:
        read.append(file)
        return load_settings(file)

    monkeypatch.setattr(inventory, "load_settings", load)
    before = settings.file.read_text()
    settings.file.write_text(before + "\n# a remark\n")
    try:
        for path in (PAGE, "/desk/sources/wire", "/desk/sources/wire", PAGE):
            assert olga.get(path).status_code == 200
        assert read == [settings.file]
    finally:
        settings.file.write_text(before)


def test_a_page_of_one_source_looks_up_its_settings_alone(
    newsdesk: Newsdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[tuple[str, ...]]()

    def meaning(place: tuple[str, ...]) -> str:
        asked.append(place)
        return meaning_of(place)

    monkeypatch.setattr(inventory, "meaning_of", meaning)
    assert "wire.example" in newsdesk.sign_in(OLGA).get("/desk/sources/wire").text
    assert {place[0] for place in asked} == {"sources"}
    assert len(asked) == len(set(asked)), "each setting of one source, and of no other"


def test_what_was_changed_in_the_file_since_the_start_says_that_a_restart_applies_it(
    newsdesk: Newsdesk,
) -> None:
    settings, olga = newsdesk.settings, newsdesk.sign_in(OLGA)
    before = settings.file.read_text()
    assert take_inventory(settings).pending == 0
    settings.file.write_text(before.replace("name = ", 'name = "Renamed" #', 1))
    try:
        page = olga.get(PAGE).text
        assert "1 setting differs in the file since the start" in page
        assert "&#34;Renamed&#34;" in page
        settings.file.write_text(before + "\n[nonsense]\nx = 1\n")
        broken = olga.get(PAGE).text
        assert "cannot be loaded" in broken
        assert "nonsense" in broken
        os.remove(settings.file)
        assert "does not exist" in olga.get(PAGE).text
    finally:
        settings.file.write_text(before)


def test_what_the_database_holds_beside_the_file_is_said(newsdesk: Newsdesk) -> None:
    pause_source(newsdesk.app.database, newsdesk.settings, "newsroom", OLGA, newsdesk.clock())
    with newsdesk.app.database.write() as session:
        session.add(LearnedLimit(name="slow.example", rate=0.5, slowed_at=newsdesk.clock()))
    page = newsdesk.sign_in(OLGA).get(PAGE).text.partition("Kept in the database")[2]

    assert "Source &#34;newsroom&#34;" in page
    assert "0.5 messages a second at most" in page
    assert "Signs in as operator" in page


def test_settings_are_found_by_key_and_by_meaning(newsdesk: Newsdesk) -> None:
    page = newsdesk.sign_in(OLGA).get(f"{PAGE}?find=sign-ups+per+hour").text
    assert re.findall(r"<dt><code>(.*?)</code>", page) == ["sign_ups_per_network", "sign_ups_per_domain"]
    assert "No setting has" in newsdesk.sign_in(OLGA).get(f"{PAGE}?find=zzz").text


def test_of_many_sources_a_page_works_out_those_that_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_config(tmp_path, f"sqlite:///{tmp_path}/digest.db")
    names = [f"source-{number}" for number in range(250)]
    more = "".join(f'\n[[sources]]\nname = "{name}"\nurl = "https://{name}.example/"\n' for name in names)
    path.write_text(path.read_text() + more)
    newsdesk, built = Newsdesk(load_settings(path), Clock()), list[str]()

    def build(key: str, *rest: Any) -> Setting:
        built.append(key)
        return Setting(key, *rest)

    monkeypatch.setattr(inventory, "Setting", build)
    shown, following = list[str](), PAGE
    olga = newsdesk.sign_in(OLGA)
    while following:
        page = olga.get(following).text
        shown += re.findall(r"<h2 [^>]*><code>(.*?)</code></h2>", page)
        link = re.search(r'rel="next" href="(.*?)"', page)
        following = unescape(link[1]) if link else ""
        assert page.count("<h2 ") <= 101, "a hundred tables, and what the database holds"
    assert shown[-250:] == [f"[[sources]] &#34;{name}&#34;" for name in names]
    assert len(shown) == len(set(shown)) == len(take_inventory(newsdesk.settings).tables)

    built.clear()
    page = olga.get(f"{PAGE}?find=https%3A%2F%2F&only=set").text
    assert not built, "no key or meaning has it"
    page = olga.get(f"{PAGE}?find=source-24&only=set").text
    assert re.findall(r"<h2 [^>]*><code>(.*?)</code></h2>", page)[-1] == "[[sources]] &#34;source-249&#34;"
    assert len(built) == page.count("<dt><code>") == 2 * 11
    path.write_text(path.read_text().replace("https://source-249", "https://source-moved"))
    assert "1 setting differs in the file since the start" in olga.get(PAGE).text, "though it is not shown"
    newsdesk.close()
