"""Write the first config.toml of a publication from its site; every guess is marked as one."""

import re
import unicodedata

from digest.articles.feeds.front_page import SiteSection
from digest.settings.look import contrast
from digest.settings.toml_text import toml_string
from digest.tasks.sources.site import SiteFound

IGNORED = (
    "config.toml\nconfig.state\nconfig*.idle\ndigest.db*\n*.pem\n*.log\nlook/\nmail/\ninbox/\nreaders*.csv\n"
)
"""The lines of a .gitignore beside the settings: secrets, keys, readers and their mail."""

_PAPER = "#fffdf9"
_LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3
_CONFIG = """\
# Written by `digest init {url}`. What is marked "guess" was read from that site: check each.
# config.example.toml has every setting.
[site]
name = {name}  # guess: what the site calls itself
# Where readers reach this program's pages: your own https address, once it is served there.
base_url = "http://localhost:8000"
from = {sender}  # guess: an address that you own
# Every message must carry it: the law asks for it in most countries.
postal_address = {postal}  # write yours
language = {language}  # {language_why}
timezone = "UTC"  # write yours, such as "Europe/Paris": deadlines are in it

[database]
url = "sqlite:///digest.db"

[smtp]
# Your relay. `digest catch --dir mail` runs one that keeps all mail on this machine.
host = "127.0.0.1"
port = 2525

[web]
port = 8000
secret = {secret}  # signs readers' links: keep it

[look]
{look}
[[sources]]
name = {source}
url = {feed}  # {feed_why}
every = "15m"
{private}{more}
{topics}[[digests]]
name = "news"
title = {name}
# Empty: all articles. With names of [[topics]] readers choose among them.
topics = [{offered}]

[digests.cadences]
daily = "07:00"
weekly = "Mon 07:00"
"""


def write_config(found: SiteFound, secret: str) -> str:
    """Return the settings of a publication whose articles come from a site."""
    feed, *others = found.feeds or (found.url,)
    language = found.page.language or "en"
    host = found.host if "." in found.host else "localhost"
    return _CONFIG.format(
        url=found.url,
        name=toml_string(found.name),
        sender=toml_string(f"{_words_only(found.name)} <news@{host}>"),
        postal=toml_string(f"{found.name}, street and town"),
        language=toml_string(language),
        language_why="guess: its front page's" if found.page.language else "its page names none",
        secret=toml_string(secret),
        look=_look(found),
        source=toml_string(_slug(found.host)),
        feed=toml_string(feed),
        feed_why="the feed that its page names" if found.feeds else "its page names no feed, so it is sought",
        private="allow_private = true  # it is on your own machine or network\n" if found.is_private else "",
        more="".join(f"# It also has the feed {toml_string(other)}\n" for other in others[:5]),
        topics="".join(map(_topic, found.page.sections)),
        offered="",
    )  # fmt: skip


def say_found(found: SiteFound) -> list[str]:
    """Return lines that say what was found, and what was not."""
    page = found.page
    lines = [
        f"name:      {found.name}" + ("" if page.name else " (its host: the page names none)"),
        f"language:  {page.language or 'en (the page names none)'}",
        f"feed:      {found.feeds[0] if found.feeds else 'none named; the usual places are tried'}",
    ]
    if len(found.feeds) > 1:
        lines.append(f"           and {len(found.feeds) - 1} more, noted in the settings")
    if page.sections:
        lines.append(f"sections:  {', '.join(one.title for one in page.sections)}")
    if page.colour:
        fits = contrast(page.colour, _PAPER) >= _LEAST_CONTRAST
        lines.append(f"colour:    {page.colour}" + ("" if fits else " (too pale for text: not used)"))
    if page.icon:
        lines.append(f"icon:      {page.icon}")
    return lines


def _topic(section: SiteSection) -> str:
    return (
        f"# guess: the section {toml_string(section.title)} of its navigation\n[[topics]]\n"
        f"name = {toml_string(section.name)}\nurl = [{toml_string(section.path + '/*')}]\n\n"
    )


def _look(found: SiteFound) -> str:
    colour, icon, lines = found.page.colour, found.page.icon, []
    if colour and contrast(colour, _PAPER) >= _LEAST_CONTRAST:
        lines.append(f"accent = {toml_string(colour)}  # guess: the site's own theme colour")
    if icon.startswith("https://"):
        lines += ["# A picture in place of the name; the site's icon is:", f"# logo = {toml_string(icon)}",
                  f"# logo_alt = {toml_string(found.name)}"]  # fmt: skip
    return "".join(f"{line}\n" for line in lines)


def _words_only(name: str) -> str:
    return " ".join(re.sub(r"[^\w .'&-]", " ", name).split()) or "News"


def _slug(host: str) -> str:
    plain = unicodedata.normalize("NFKD", host).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "site"
