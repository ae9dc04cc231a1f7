"""Which images may be shown: readers' mail clients load none from third parties."""

import ipaddress
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlsplit

from digest.models import Article

UPLOADED = "upload:"
"""What the URL of an uploaded picture begins with; the name of its copy follows."""
_IMAGE = re.compile(r'<img(?:\s+[\w-]+(?:="[^"]*")?)*\s*/?>')
_SOURCE = re.compile(r'\ssrc="([^"]*)"')
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class ImagePolicy:
    """Decides which image an article is shown with: linked, copied, or none; never a third party's.

    `images` is that setting of `[site]`; `hosts` may show images besides the article's own host.
    """

    images: str
    base_url: str
    hosts: frozenset[str]

    def image_of(self, article: Article, copy_name: str | None) -> str:
        """Return the URL of an article's image; "" if none may be shown.

        `copy_name` is the name of our own copy, if there is one.
        """
        if not article.image_url or self.images == "none":
            return ""
        if article.image_url.startswith(UPLOADED):
            return f"{self.base_url}/images/{article.image_url.removeprefix(UPLOADED)}.jpg"
        if self.images == "copy":
            return f"{self.base_url}/images/{copy_name}.jpg" if copy_name is not None else ""
        return article.image_url if is_own(article.image_url, self._homes(article)) else ""

    def keep_in_text(self, article: Article, html: str) -> str:
        """Return an article's text with the images that may be linked; images in texts are never copied."""
        if "<img" not in html:
            return html
        homes = self._homes(article)
        return keep_pictures(html, lambda url: self.images == "link" and is_own(url, homes))

    def _homes(self, article: Article) -> frozenset[str]:
        return self.hosts | {host_of(article.url)}


def host_of(url: str | None) -> str:
    """Return the host of an http URL in lower case; "" if it has none in plain ASCII."""
    try:
        parts = urlsplit(url or "")
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return ""
    return host if parts.scheme in ("http", "https") and _NAME.fullmatch(host) else ""


def is_own(picture: str | None, homes: Collection[str]) -> bool:
    """Return whether an image is on an allowed host, or on one above or below it.

    A third party's server would learn who opens a message and when, whatever the image shows.
    """
    host = _bare(host_of(picture))
    return bool(host) and any(_are_one(host, _bare(home)) for home in homes if home)


def keep_pictures(html: str, may_stand: Callable[[str], bool]) -> str:
    """Remove those images from cleaned HTML that may not be shown; the HTML must be as nh3 writes it."""

    def shown(tag: re.Match[str]) -> str:
        found = _SOURCE.search(tag[0])
        return tag[0] if found and may_stand(unescape(found[1])) else ""

    return _IMAGE.sub(shown, html)


def _are_one(one: str, other: str) -> bool:
    if one == other:
        return True
    if _is_address(one) or _is_address(other) or min(one.count("."), other.count(".")) == 0:
        return False
    return one.endswith("." + other) or other.endswith("." + one)


def _bare(host: str) -> str:
    return host.removeprefix("www.") if host.count(".") > 1 else host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
