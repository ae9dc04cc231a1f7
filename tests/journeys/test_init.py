"""`digest init`: from a site's address to a preview of its first edition, with every guess marked."""

import io
import shlex
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.articles.feeds.front_page import read_front_page
from digest.cli.systemd import crontab_line, find_program
from digest.demo.loader import free_port
from digest.settings import load_settings
from tests.support.newsroom import Caught, Publication, run_command
from tests.support.websites import Website, page

FRONT = """<!doctype html><html lang="sv"><head><title>Hem | The Harbour Courier</title>
<meta property="og:site_name" content="The Harbour Courier"><meta name="theme-color" content="#962A1F">
<link rel="icon" href="/favicon.ico"><link rel="apple-touch-icon" href="/touch.png">
<link rel="alternate" type="application/rss+xml" href="/rss.xml" title="News">
<link rel="alternate" type="application/rss+xml" href="/comments.xml" title="Comments"></head>
<body><nav><a href="/business">Business</a><a href="/culture/">Culture</a><a href="/about">About</a>
<a href="https://elsewhere.example/sport">Sport</a></nav></body></html>"""
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>The Harbour Courier</title>{}</channel></rss>"""
ITEM = (
    "<item><title>Bridge reopens {0}</title><link>{1}/business/{0}</link>"
    "<description>The old bridge turns.</description></item>"
)


@pytest.fixture
def site() -> Iterator[Website]:
    with Website() as site:
        items = "".join(ITEM.format(number, site.url) for number in range(3))
        site.pages |= {
            "/": page(FRONT.encode(), Content_Type="text/html"),
            "/rss.xml": page(FEED.format(items).encode(), Content_Type="application/rss+xml"),
        }
        yield site


def test_a_sites_address_becomes_settings_articles_and_a_preview(site: Website, tmp_path: Path) -> None:
    out, err = run_command("init", f"{site.url}/", str(tmp_path))

    settings = load_settings(tmp_path / "config.toml")
    assert err == ""
    assert (settings.site.name, settings.site.language) == ("The Harbour Courier", "sv")
    assert settings.look.accent == "#962a1f"
    assert [source.url for source in settings.sources] == [f"{site.url}/rss.xml"]
    assert [topic.name for topic in settings.topics] == ["business", "culture"]
    assert "3 articles fetched" in out
    assert "Bridge reopens" in (tmp_path / "look" / "first-edition.html").read_text()
    assert out.splitlines()[-1].endswith((tmp_path / "look" / "first-edition.html").as_uri())
    written = (tmp_path / "config.toml").read_text()
    assert written.count("guess") >= 6
    assert {"config.toml", "digest.db*", "*.pem", "mail/"} <= set(
        (tmp_path / ".gitignore").read_text().split()
    )


def prepare_mail(config: Path, relay: Caught) -> None:
    """Edit the settings as a reader of README does: a relay, and a port that is free here."""
    text = config.read_text().replace("port = 2525", f"port = {relay.port}")
    config.write_text(text.replace("port = 8000", f"port = {free_port(0)}"))


def type_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("four words make one\n"))


def end_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `digest run` end as soon as it serves."""
    ended = threading.Event()
    ended.set()
    monkeypatch.setattr("digest.cli.serve.listen_for_end", lambda: ended)


def test_each_next_step_works_as_it_is_printed_and_in_that_order(
    site: Website, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    type_password(monkeypatch)
    end_at_once(monkeypatch)
    out, _ = run_command("init", f"{site.url}/")
    printed = out.partition("next:\n")[2].partition("or let cron")[0].splitlines()
    steps = [shlex.split(line, comments=True) for line in printed]

    assert steps[:2] == [["${EDITOR:-vi}", "config.toml"], ["digest", "catch", "--dir", "mail"]]
    with Caught() as relay:
        prepare_mail(tmp_path / "config.toml", relay)
        for program, *arguments in steps[2:]:
            assert program == "digest"
            # Nothing is published about a site on loopback, which `digest doctor` says.
            run_command(*arguments, code=1 if arguments == ["doctor"] else 0)
    assert [step[1] for step in steps[2:]] == ["doctor", "subscribers", "editors", "send", "run"]
    assert relay.recipients == ["you@example.org"]


def test_what_readme_says_to_type_works_in_a_clean_folder(
    site: Website, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = Path(__file__).parents[2].joinpath("README.md").read_text(encoding="utf-8")
    block = readme.partition("## Use it")[2].partition("\n## ")[0]
    lines = [shlex.split(line, comments=True) for line in block.splitlines() if line.startswith("    ")]
    monkeypatch.chdir(tmp_path)
    type_password(monkeypatch)
    end_at_once(monkeypatch)
    (tmp_path / "readers.csv").write_text("email\nann@readers.example\n")

    with Caught() as relay:
        for line in lines:
            if line[0] == "$EDITOR":
                prepare_mail(tmp_path / line[1], relay)
                continue
            assert line[:3] == ["uv", "run", "digest"]
            arguments = [f"{site.url}/" if "://" in part else part for part in line[3:]]
            run_command(*arguments, code=1 if arguments == ["doctor"] else 0)
    assert len(lines) == 7
    shown = {path.suffix for path in (tmp_path / "look").iterdir() if not path.name.startswith("first")}
    assert shown == {".eml", ".html", ".txt"}


def test_cron_runs_the_line_that_is_printed_for_it(publication: Publication) -> None:
    out = publication.run("init")
    line = next(one.strip() for one in out.splitlines() if "* * * * *" in one)
    command = line.split(None, 5)[5]

    # As cron does: another folder, and next to no environment.
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd="/", env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_module_that_is_run_names_the_program_beside_its_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "digest").touch()
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(sys, "argv", ["/srv/digest/__main__.py", "init"])
    assert find_program() == str(tmp_path / "digest")


def test_a_path_with_what_cron_and_a_shell_read_otherwise_is_quoted() -> None:
    config = Path("/srv/50% of it's/config.toml")
    line = crontab_line("/opt/digest", config)

    assert "%" not in line.replace(r"\%", "")
    command = line.removeprefix("* * * * * ").replace(r"\%", "%")
    assert shlex.split(command) == ["/opt/digest", "send", "--quiet", "--config", str(config)]


def test_settings_that_stand_are_kept(site: Website, tmp_path: Path) -> None:
    run_command("init", f"{site.url}/", str(tmp_path))
    before = (tmp_path / "config.toml").read_text()
    out, _ = run_command("init", f"{site.url}/", str(tmp_path))

    assert "exists and is kept" in out
    assert (tmp_path / "config.toml").read_text() == before


def test_the_settings_file_that_the_environment_names_is_the_one_that_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with every command; a folder that is named takes precedence."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGEST_CONFIG", str(tmp_path / "named" / "courier.toml"))
    run_command("init")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["named"]
    assert (tmp_path / "named" / "courier.toml").exists()

    run_command("init", "other")
    assert (tmp_path / "other" / "config.toml").exists()


def test_a_site_that_cannot_be_had_writes_nothing(tmp_path: Path) -> None:
    with Website() as gone:
        url = gone.url
    _, err = run_command("init", url, str(tmp_path), code=1)

    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_site_without_a_feed_is_set_up_and_says_so(tmp_path: Path) -> None:
    with Website() as site:
        site.pages["/"] = page(b"<html><head><title>Plain</title></head></html>", Content_Type="text/html")
        out, err = run_command("init", f"{site.url}/", str(tmp_path))

    assert "none named; the usual places are tried" in out
    assert "no preview yet" in err
    assert load_settings(tmp_path / "config.toml").site.name == "Plain"


def test_without_a_site_the_first_send_has_nothing_to_complain_about(tmp_path: Path) -> None:
    run_command("init", str(tmp_path))
    _, err = run_command("send", "--config", str(tmp_path / "config.toml"))

    assert err == ""


HOSTILE = [
    '<title>"; [smtp]\nhost = "evil.example"</title>', "<title>{secret} {0} {url}</title>",
    '<meta property="og:site_name" content="a\x00b\x1b[31m\u202e"><title>x</title>', "<title></title>",
    '<html lang="en;DROP"><meta name="theme-color" content="red;}"><nav><a href="/a%22b">&quot;]</a></nav>',
    '<nav><a href="/x-y">' + "\\" * 20 + '"</a></nav><title>' + "q" * 500 + "</title>",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_front_pages_change_no_setting_but_their_own(text: str, tmp_path: Path) -> None:
    with Website() as site:
        site.pages["/"] = page(f"<html>{text}".encode(), Content_Type="text/html")
        run_command("init", f"{site.url}/", str(tmp_path))

    written = tomllib.loads((tmp_path / "config.toml").read_text())
    assert written["smtp"] == {"host": "127.0.0.1", "port": 2525}
    load_settings(tmp_path / "config.toml")


def test_the_shortest_part_of_a_title_is_the_name() -> None:
    found = read_front_page(
        b"<title>News from all the coast - The Courier</title>", "https://courier.example/"
    )

    assert found.name == "The Courier"


def test_a_preview_before_any_fetch_says_to_fetch(tmp_path: Path) -> None:
    run_command("init", str(tmp_path))
    _, err = run_command("preview", "world", "--config", str(tmp_path / "config.toml"), code=1)

    assert err == "there are no articles yet: `digest fetch` reads the sources\n"
