"""Links that count: an article's address behind a signed one of ours, the same for every reader.

`https://news.example.org/to/world/daily/2026-11-23/7/SIGNATURE?u=https%3A//harbour.example/bridge` leads to
`https://harbour.example/bridge`. It names an edition, an article and a target, and no reader; whoever changes
one of these has no signature for it, so that it leads nowhere (CWE-601).
"""

import hmac
from collections.abc import Sequence
from urllib.parse import quote

from digest.models import EditionName
from digest.models.cadence import CORRECTION, REQUEST, WELCOME
from digest.rules.tokens.tokens import base32_mac

PATH = "/to"
_ACTION = "click"
_OF_ONE_READER = (REQUEST, WELCOME, CORRECTION)


def is_counted(name: EditionName) -> bool:
    """Return whether links of an edition count: not those of editions that a single reader may have got."""
    return name.cadence not in _OF_ONE_READER


def write_click_link(base_url: str, keys: Sequence[bytes], name: EditionName, article: int, url: str) -> str:
    """Return the address that counts and leads to `url`; the first key signs. Only web pages are counted."""
    if not url.startswith(("https://", "http://")):
        return url
    place = "/".join(quote(part, safe="") for part in name)
    signature = _signature(keys[0], name, article, url)
    return f"{base_url}{PATH}/{place}/{article}/{signature}?u={quote(url, safe=':/')}"


def is_ours(keys: Sequence[bytes], name: EditionName, article: int, signature: str, url: str) -> bool:
    """Return whether any key of the ring signed a link to `url` from this article of this edition."""
    if not signature.isascii():
        return False
    return any(hmac.compare_digest(signature, _signature(key, name, article, url)) for key in keys)


def _signature(key: bytes, name: EditionName, article: int, url: str) -> str:
    return base32_mac(key, _ACTION, "\0".join((*name, str(article), url)))
