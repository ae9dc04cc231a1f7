"""Know an article again: its canonical URL, and a hash of what it says."""

import hashlib
import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_DECORATION = re.compile(
    r"(utm_\w+|fbclid|gclid|dclid|msclkid|mc_[ce]id|igshid|yclid|_hs\w+|ref_src|cmpid)", re.I
)
_PORTS = {"http": 80, "https": 443}


def undecorated(url: str) -> str:
    """Give a URL without the parameters that only follow readers around."""
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return url
    kept = [(name, value) for name, value in pairs if not _DECORATION.fullmatch(name)]
    return url if len(kept) == len(pairs) else urlunsplit(parts._replace(query=urlencode(kept)))


def canonical_url(url: str) -> str:
    """Give a URL's form for comparison: https, no www, no default port, fragment, decoration or end slash."""
    try:
        parts = urlsplit(undecorated(url))
        port = parts.port
    except ValueError:
        return url
    if parts.scheme.lower() not in _PORTS:
        return url
    host = (parts.hostname or "").removeprefix("www.")
    if port and port != _PORTS[parts.scheme.lower()]:
        host = f"{host}:{port}"
    path = re.sub(r"/{2,}", "/", parts.path).rstrip("/")
    query = urlencode(sorted(parse_qsl(parts.query, keep_blank_values=True)))
    return urlunsplit(("https", host, path, query, ""))


def content_hash(title: str, text: str) -> str:
    """Hash what an article says, blanks and case aside."""
    folded = " ".join(f"{title} {text}".casefold().split())
    return hashlib.sha256(folded.encode()).hexdigest()[:32]


def slug(text: str) -> str:
    """Give a topic or file name as a-z, 0-9 and -."""
    return re.sub(r"[^\w]+", "-", text.casefold(), flags=re.UNICODE).strip("-_")[:40]
