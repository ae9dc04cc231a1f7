"""Know an article again: its canonical URL, and a hash of what it says."""

import contextlib
import hashlib
import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

_DECORATION = re.compile(
    r"(utm_\w+|fbclid|gclid|dclid|msclkid|mc_[ce]id|igshid|yclid|_hs\w+|ref_src|cmpid)", re.I
)
_PORTS = {"http": 80, "https": 443}


def undecorated(url: str) -> str:
    """Give a URL without the parameters that only follow readers around."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    pairs = parts.query.split("&")
    kept = [pair for pair in pairs if not _DECORATION.fullmatch(pair.partition("=")[0])]
    return url if len(kept) == len(pairs) else urlunsplit(parts._replace(query="&".join(kept)))


def canonical_url(url: str) -> str:
    """Give a URL's form for comparison: https, no www, no default port, fragment, decoration or end slash."""
    try:
        parts = urlsplit(undecorated(url))
        port = parts.port
    except ValueError:
        return url
    if parts.scheme.lower() not in _PORTS:
        return url
    host = _ascii_host(parts.hostname or "").removeprefix("www.")
    if port and port != _PORTS[parts.scheme.lower()]:
        host = f"{host}:{port}"
    path = quote(re.sub(r"/{2,}", "/", parts.path).rstrip("/"), safe="/%:@!$&'()*+,;=~")
    query = urlencode(sorted(parse_qsl(parts.query, keep_blank_values=True)))
    return urlunsplit(("https", host, path, query, ""))


def content_hash(title: str, text: str) -> str:
    """Hash what an article says, blanks and case aside."""
    folded = " ".join(f"{title} {text}".casefold().split())
    return hashlib.sha256(folded.encode()).hexdigest()[:32]


def slug(text: str, limit: int = 40) -> str:
    """Give a topic or file name as lower-case letters and digits of any script, with - between."""
    return re.sub(r"[^\w]+", "-", text.casefold()).strip("-_")[:limit]


def path_slug(name: str) -> str:
    """Give a file's relative name as a URL path; two files of a folder never share one."""
    stem = name.rpartition(".")[0] or name
    parts = [slug(part, 200) for part in stem.split("/")]
    if all(parts):
        return "/".join(parts)
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:16]


def _ascii_host(host: str) -> str:
    with contextlib.suppress(UnicodeError):
        host = host.rstrip(".").encode("idna").decode("ascii")
    return f"[{host}]" if ":" in host else host
