"""Settings: each mistake is one line that names key, value and remedy; the environment wins over the file."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_origin

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from digest.errors import SettingsError
from digest.settings import Settings, load_settings
from digest.settings.error_messages import LISTED
from digest.settings.loading import _explain, table_of
from digest.settings.settings import RESERVED
from digest.settings.smtp import RelaySettings
from tests.conftest import write_config

BAD = sorted((Path(__file__).parent / "bad_settings").glob("*.toml"))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_each_mistake_is_one_line_with_its_remedy(path: Path) -> None:
    says = path.read_text().splitlines()[0].removeprefix("# says: ")

    with pytest.raises(SettingsError) as error:
        load_settings(path)

    assert len(str(error.value).splitlines()) == 1, str(error.value)
    assert str(error.value).startswith(f"{path}")
    assert says in str(error.value)
    assert error.value.exit_code == 2
    assert not any(secret in str(error.value) for secret in ("hush", "tell nobody", "tell-nobody"))


def test_several_mistakes_are_told_at_once_a_line_each(tmp_path: Path) -> None:
    path = write_config(tmp_path, "sqlite:///digest.db")
    text = (
        path.read_text().replace("Europe/Paris", "Mars/Base").replace("max_articles = 5", "max_articles = 0")
    )
    path.write_text(text)

    with pytest.raises(SettingsError) as error:
        load_settings(path)

    first, second = str(error.value).splitlines()
    assert "[site] timezone" in first
    assert '[[digests]] "world", max_articles = "0"' in second


def test_a_secret_may_come_from_the_environment_which_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_SMTP__PASSWORD", "from the environment")
    monkeypatch.setenv("DIGEST_SMTP__PORT", "2526")
    settings = load_settings(write_config(tmp_path, "sqlite:///digest.db"))

    assert settings.smtp.password.get_secret_value() == "from the environment"
    assert (settings.smtp.host, settings.smtp.port) == ("127.0.0.1", 2526)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DIGEST_SMTP__PORT", "abc", '= "abc": must be a whole number such as 587'),
        ("DIGEST_SITE__TIMEZONE", "Mars", '= "Mars": is not a time zone'),
        ("DIGEST_WEB__SECRET", "hush", ": secret must have 16 characters or more"),
        ("DIGEST_DATABASE__URL", "foo://ann:hush@db/x", ": url must start with"),
        ("DIGEST_SMTP__PROT", "25", ': unknown key; did you mean "port"?'),
        ("DIGEST_SMPT__PORT", "25", " has no table [smpt]; did you mean DIGEST_SMTP__PORT?"),
        ("DIGEST_SMTP", "hush", " must be JSON, or name one key: DIGEST_SMTP__KEY"),
        ("DIGEST_DIGESTS", '[{"name": "x"}]', ": title is missing"),
    ],
)
def test_a_mistake_in_the_environment_is_told_by_its_variable_and_not_by_the_file(
    name: str, value: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_config(tmp_path, "sqlite:///digest.db")
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as error:
        load_settings(path)

    line = str(error.value).splitlines()[0]
    assert line.startswith(f"the environment variable {name}")
    assert says in line
    assert "hush" not in str(error.value)


def test_no_secret_is_in_the_settings_own_words(tmp_path: Path) -> None:
    settings = load_settings(write_config(tmp_path, "sqlite:///digest.db"))
    assert "a secret of the tests" not in repr(settings)


def test_a_relative_database_is_beside_the_settings_not_where_the_command_was_called(tmp_path: Path) -> None:
    settings = load_settings(write_config(tmp_path, "sqlite:///digest.db"))
    assert settings.database_url == f"sqlite:///{tmp_path}/digest.db"


_FOREIGN = re.compile(
    r"Input should|valid (?:string|integer|number|boolean|tuple|list|dict)|unable to|pattern '|equal to"
)


def _keys() -> list[tuple[str, str]]:
    tables = {name: field.annotation for name, field in Settings.model_fields.items()}
    return [
        (table, field.alias or name)
        for table, model in tables.items()
        if isinstance(model, type) and issubclass(model, BaseModel)
        for name, field in model.model_fields.items()
    ]


@pytest.mark.parametrize(
    "value", ["[[1]]", "{ a = 1 }", "-1", "1e400", "true", '"\\u0001"', '""', "1979-05-27"]
)
@pytest.mark.parametrize("key", _keys(), ids=".".join)
def test_whatever_a_key_is_set_to_its_error_is_in_our_words(
    tmp_path: Path, key: tuple[str, str], value: str
) -> None:
    table, name = key
    written = tomllib.loads(write_config(tmp_path, "sqlite:///digest.db").read_text())
    written.setdefault(table, {})[name] = tomllib.loads(f"value = {value}")["value"]
    try:
        Settings(**written)
    except ValidationError as error:
        for item in error.errors():
            said = _explain(item, written)
            assert not _FOREIGN.search(said), said
            assert "\n" not in said


@pytest.mark.parametrize(
    ("host", "stated", "most"),
    [("localhost", 0, 24), ("127.0.0.1", 0, 24), ("relay.example", 0, 10), ("relay.example", 3, 3)],
)
def test_a_relay_on_this_machine_gets_more_connections_unless_a_number_is_stated(
    host: str, stated: int, most: int
) -> None:
    assert RelaySettings(host=host, connections=stated).most_connections == most


def _tables(model: type[BaseModel], *keys: str) -> Iterator[tuple[tuple[str, ...], type[BaseModel]]]:
    """Yield the keys and the model of each table of the settings, at any depth; "*" for a name or a number."""
    yield keys, model
    for name, field in model.model_fields.items():
        inner = table_of(*keys, name, *(["x"] if get_origin(field.annotation) in (dict, tuple) else []))
        if inner is not None and inner is not model and name not in RESERVED:
            is_named = get_origin(field.annotation) in (dict, tuple)
            yield from _tables(inner, *keys, field.alias or name, *(["*"] if is_named else []))


TABLES = dict(_tables(Settings))


def test_tables_are_found_at_any_depth() -> None:
    assert {("site",), ("inbound", "imap"), ("smtp", "relays", "*"), ("topics", "*")} <= set(TABLES)


@pytest.mark.parametrize("keys", TABLES, ids=".".join)
def test_an_unknown_key_names_the_near_miss_or_the_keys_there_are(
    keys: tuple[str, ...], tmp_path: Path
) -> None:
    known = [field.alias or name for name, field in TABLES[keys].model_fields.items()]
    known = [name for name in known if keys or name not in RESERVED]
    name = ".".join(keys).replace("*", "x")
    header = f"[[{keys[0]}]]" if keys[1:] == ("*",) and keys[0] in LISTED else f"[{name}]" if keys else ""
    path = tmp_path / "config.toml"
    for typed, said in ((f"{known[0]}x", f'did you mean "{known[0]}"?'), ("qqqq", f"known are {known[0]}")):
        path.write_text(f"{header}\n{typed} = 1\n")
        with pytest.raises(SettingsError) as caught:
            load_settings(path)

        assert f"unknown key; {said}" in str(caught.value)


def secret_keys(table: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the keys that hold secrets, by the names of tables and key."""
    for name, field in table.model_fields.items():
        path = (*above, field.alias or name)
        for one in (field.annotation, *get_args(field.annotation)):
            for inner in (one, *get_args(one)):
                if isinstance(inner, type) and issubclass(inner, SecretStr):
                    yield path
                elif isinstance(inner, type) and issubclass(inner, BaseModel):
                    yield from secret_keys(inner, path)


def test_no_error_shows_a_secret_whichever_key_holds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, found = write_config(tmp_path, "sqlite:///digest.db"), set(secret_keys(Settings))
    assert {("web", "metrics_token"), ("smtp", "password"), ("traces", "headers")} <= found
    told = []
    for key in found:
        for value in ("hush hush", "x", '["hush hush"', '{"hush hush": 1'):
            with monkeypatch.context() as given:
                given.setenv(f"DIGEST_{'__'.join(key).upper()}", value)
                try:
                    load_settings(path)
                except SettingsError as error:
                    told.append(str(error))
    assert len(told) > len(found)
    assert [line for line in told if "hush" in line] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('base_url = "https://courier.example"', 'base_url = "https://me:hush@courier.example"'),
        ("[web]\n", '[web]\nmetrics_token = "hush"\n'),
        ("[web]\n", '[traces]\nendpoint = "https://me:hush@traces.example/v1"\n[web]\n'),
        ("[web]\n", '[fetch]\nprivate_sources = ["http://me:hush@10.0.0.1/feed"]\n[web]\n'),
    ],
)
def test_no_error_shows_a_login_that_stands_in_an_address(tmp_path: Path, old: str, new: str) -> None:
    path = write_config(tmp_path, "sqlite:///digest.db")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(SettingsError) as error:
        load_settings(path)
    assert "hush" not in str(error.value)


@pytest.mark.parametrize("url", ["https://news.example:99999", "https://[::1", "https://news.example:0"])
def test_a_base_url_that_no_browser_opens_is_refused(tmp_path: Path, url: str) -> None:
    path = write_config(tmp_path, "sqlite:///digest.db")
    path.write_text(path.read_text().replace("https://courier.example", url, 1))
    with pytest.raises(SettingsError, match=r"must be an address such as"):
        load_settings(path)


def test_a_long_value_is_shown_by_its_beginning(tmp_path: Path) -> None:
    path = write_config(tmp_path, "sqlite:///digest.db")
    path.write_text(path.read_text().replace("https://courier.example", "x" * 3_000, 1))
    with pytest.raises(SettingsError, match=r'"x{100}…": must be') as error:
        load_settings(path)
    assert len(str(error.value)) < len(str(path)) + 250


@pytest.mark.parametrize("subject", ["{title", "News: lead}", "{date}: {title today"])
def test_a_subject_whose_placeholder_lacks_a_brace_is_refused(tmp_path: Path, subject: str) -> None:
    path = write_config(tmp_path, "sqlite:///digest.db")
    path.write_text(path.read_text().replace("[[digests]]\n", f'[[digests]]\nsubject = "{subject}"\n', 1))
    with pytest.raises(SettingsError, match=r'subject lacks a brace: write "\{(title|lead)\}"'):
        load_settings(path)


@pytest.mark.parametrize(
    ("url", "fetched"),
    [
        ("HTTPS://News.example/Feed", "https://News.example/Feed"),
        ("feed://news.example/feed", "http://news.example/feed"),
        ("feed:https://news.example/feed", "https://news.example/feed"),
        ("articles/2026", "articles/2026"),
        ("a:b.md", "a:b.md"),
    ],
)
def test_a_source_is_fetched_however_its_scheme_is_spelled(tmp_path: Path, url: str, fetched: str) -> None:
    path = write_config(tmp_path, "sqlite:///digest.db")
    path.write_text(f'{path.read_text()}\n[[sources]]\nname = "added"\nurl = "{url}"\n')

    assert load_settings(path).sources[-1].url == fetched


@pytest.mark.parametrize("scheme", ["ftp", "file", "gopher", "FTPS"])
def test_a_source_whose_scheme_is_not_fetched_is_refused_and_not_taken_for_a_path(
    tmp_path: Path, scheme: str
) -> None:
    path = write_config(tmp_path, "sqlite:///digest.db")
    path.write_text(
        f'{path.read_text()}\n[[sources]]\nname = "added"\nurl = "{scheme}://me:hush@news.example/feed"\n'
    )

    with pytest.raises(
        SettingsError, match=f'"{scheme.lower()}://" is not fetched: write an address with'
    ) as error:
        load_settings(path)
    assert "hush" not in str(error.value)
