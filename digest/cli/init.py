"""The first command: init."""

import re
import secrets
import shlex
import sys
from pathlib import Path

from digest.bootstrap import Application
from digest.cli.systemd import crontab_line, find_program, write_units
from digest.cli.terminal.common import DEFAULT, Common, application
from digest.cli.terminal.output import say, warn
from digest.config_path import find_config
from digest.errors import DigestError
from digest.private_files import write_private
from digest.resources import bundled
from digest.tasks.sources.first_config import IGNORED, say_found, write_config
from digest.tasks.sources.site import check_address, look_at_site


def init(
    place: str = "", directory: Path | None = None, *, systemd: bool = False, common: Common = DEFAULT
) -> None:
    """Write config.toml, from your site if you name it; create the database.

    A config.toml that exists is kept.

    Parameters
    ----------
    place:
        A site's address, such as https://news.example.org: its feed, name, language, colour and sections are
        found, its articles fetched, and a preview of the first edition written. Or a folder; else this one.
    directory:
        The folder to write into, where a site is named.
    systemd:
        Write systemd units beside the settings as well: a daemon, and a timer that sends each minute.
    """
    is_site = "://" in place
    folder = directory or Path() if is_site else Path(place)
    names_folder = bool(directory or (place and not is_site))
    path = common.config or folder / "config.toml" if names_folder else find_config(common.config)
    site = check_address(place) if is_site else ""
    if path.exists():
        say(f"{path} exists and is kept", quiet=common.quiet)
    else:
        _write(path, site or _ask(common), common)
    with application(Common(path, common.quiet)) as app:
        assert app.keys  # noqa: S101 - made with the database
        shown = _preview(app, common) if app.settings.digests[0].name == "news" and site else None
        has_catcher = (app.settings.smtp.host, app.settings.smtp.port) == ("127.0.0.1", 2525)
        name = app.settings.digests[0].name
    if systemd:
        write_units(path, quiet=common.quiet)
    for line in _list_steps(path, name, has_catcher=has_catcher):
        say(line, quiet=common.quiet)
    if shown is not None:
        say("open your first edition in the browser:", quiet=common.quiet)
        say(f"  {shlex.quote(sys.executable)} -m webbrowser {shown.as_uri()}", quiet=common.quiet)


def _ask(common: Common) -> str:
    """Ask for the site on a terminal; otherwise ask nothing."""
    if common.quiet or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return ""
    say("The address of your site or its feed? Leave it empty for sample settings.")
    answer = input("> ").strip()
    return check_address(answer) if answer else ""


def _write(path: Path, site: str, common: Common) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if site:
        found = look_at_site(site)
        say(f"{found.url} answers; it says:", quiet=common.quiet)
        for line in say_found(found):
            say(f"  {line}", quiet=common.quiet)
        text = write_config(found, secrets.token_urlsafe(32))
    else:
        fresh = f'secret = "{secrets.token_urlsafe(32)}"'
        example = bundled("config.example.toml").read_text(encoding="utf-8")
        text = re.sub(r'^secret = ".*"$', fresh, example, flags=re.MULTILINE)
        (path.parent / "articles").mkdir(exist_ok=True)
    write_private(path, text.encode())
    ignore = path.parent / ".gitignore"
    if not ignore.exists():
        ignore.write_text(IGNORED, encoding="utf-8")
    say(f"{path} written, for its owner alone to read", quiet=common.quiet)


def _preview(app: Application, common: Common) -> Path | None:
    """Fetch the articles and write the first edition as a page; report problems, and continue."""
    from digest.tasks.articles.fetching import fetch_due
    from digest.tasks.editions.preview import Viewer
    from digest.tasks.editions.preview import preview as make_preview

    try:
        for report in fetch_due(app.database, app.settings, app.clock()):
            if report.error:
                warn(f"source {report.source}: {report.error}")
            say(f"{report.added} articles fetched from {report.source}", quiet=common.quiet)
        digest = app.settings.digests[0]
        shown = make_preview(
            app.database, app.settings, app.composer, digest, cadence=None, view=Viewer(), at=app.clock()
        )
    except DigestError as error:
        warn(f"no preview yet: {error}")
        return None
    html, text = shown.parts(inert=True)
    look = app.settings.path("look")
    look.mkdir(exist_ok=True)
    for suffix, content in ((".html", html.encode()), (".txt", text.encode()), (".eml", shown.message)):
        write_private(look / f"first-edition{suffix}", content)
    say(f"first edition: {shown.rendering.subject}", quiet=common.quiet)
    return (look / "first-edition.html").resolve()


def _list_steps(path: Path, name: str, *, has_catcher: bool) -> list[str]:
    """Return the next steps, each as a command that can be pasted."""
    config = "" if path == Path("config.toml") else f" --config {shlex.quote(str(path))}"
    caught = "in another terminal: keeps all mail here, until [smtp] names your relay"
    steps = [
        (f"${{EDITOR:-vi}} {shlex.quote(str(path))}", "your address, your relay, your hours"),
        *([("digest catch --dir mail", caught)] if has_catcher else []),
        (f"digest doctor{config}", "what is not set up yet"),
        (f"digest subscribers add you@example.org --digest {name} --confirmed 'my own address'{config}",
         "a first reader"),
        (f"digest editors add you@example.org --role operator{config}", "opens the desk, by a password"),
        (f"digest send --now{config}", "the first edition"),
        (f"digest run{config}", "all that follow, sign-up and desk"),
    ]  # fmt: skip
    return [
        "next:",
        *(f"  {command}  # {why}" for command, why in steps),
        "or let cron send what is due, in place of `digest run`, by this line in `crontab -e`:",
        f"  {crontab_line(find_program(), path.resolve())}",
    ]
