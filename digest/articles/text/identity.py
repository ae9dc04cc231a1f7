"""Recognise an article: its canonical URL, and a hash of its content."""

import contextlib
import hashlib
import re
from base64 import urlsafe_b64decode
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from digest.rules.articles.topics import slug

_DECORATION = re.compile(
    r"""utm_\w+ | (fb|g|d|y|tw|tt|ms)clk?id | gclsrc | [gw]braid | _g[al] | mc_[ce]id | igshi?d?
    | _hs\w+ | hsctatracking | mkt_tok | ref_(src|url) | cmpi?d? | wt\.\w+ | wt_\w+ | ns_\w+ | at_\w+ | xtor
    | smid | smtyp | ito | ocid | guccounter | guce_\w+ | __twitter_impression | soc_(src|trk) | sr_share
    | s_(kw)?cid | __s | _branch_\w+ | fb_(action_(ids|types)|source|ref)
    | li_fat_id | epik | vero_(id|conv) | oly_(anon|enc)_id | (pk|mtm|matomo|piwik|trk)_\w+
    | spm
    | (php|j)sessid | jsessionid | session_?id | aspsessionid\w* | cfid | cftoken""",
    re.I | re.X,
)
# Parameters that are significant elsewhere, with values that only say where a reader comes from.
_ORIGIN = re.compile(
    r"(?:ref|source|src|from|via|traffic_source|feature|share)="
    r"(?:rss(?:-[\w-]{1,40})?|feed|atom|newsletter|e-?mail|share|twitter|x|facebook|whatsapp|telegram|linkedin|reddit|app)|rss=(?:1|yes|true)",
    re.I,
)
_GOAL = re.compile(r"https?://[^\s/?#@\\\"'<>]+\.[^\s\"'<>\\]+")
# Hosts, paths and parameters of redirectors whose URLs contain the target.
_REDIRECTORS = tuple(
    (re.compile(hosts), re.compile(path), names)
    for hosts, path, names in (
        (
            r"(?:news\.|news\.url\.)?google\.[a-z.]{2,6}",
            r"/(?:url|imgres|news/url)",
            ("url", "q", "imgrefurl"),
        ),
        (r"bing\.com", r"/news/apiclick\.aspx|/ck/a", ("url",)),
        (r"(?:l|lm)\.(?:facebook|instagram|threads)\.(?:com|net)|facebook\.com", r"/l\.php|/?", ("u",)),
        (r"t\.umblr\.com", r"/redirect", ("z",)),
        (r"out\.reddit\.com", r"/.*", ("url",)),
        (r"youtube\.com", r"/redirect", ("q",)),
        (r"(?:m\.)?vk\.com", r"/away(?:\.php)?", ("to",)),
        (r"duckduckgo\.com", r"/l/?", ("uddg",)),
        (r"getpocket\.com", r"/redirect", ("url",)),
        (r"linkedin\.com", r"/(?:redir/redirect|safety/go)", ("url",)),
        (r"steamcommunity\.com", r"/linkfilter/?", ("url", "u")),
        (r"(?:[\w-]+\.)?safelinks\.protection\.outlook\.com", r"/.*", ("url",)),
        (r"(?:feedproxy\.google|feeds\.feedburner|feedproxy\.feedburner)\.com", r"/.*", ("url", "u")),
        (r"(?:go\.skimresources|go\.redirectingat)\.com", r"/?", ("url",)),
        (r"(?:link\.zhihu|link\.juejin)\.c(?:om|n)", r"/?", ("target",)),
        (r"exit\.sc", r"/?", ("url",)),
        (r"medium\.com", r"/r/?", ("url",)),
        (r"redirect\.viglink\.com", r"/?", ("u",)),
        (r"link\.csdn\.net", r"/?", ("target",)),
        (r"slack-redir\.net", r"/link", ("url",)),
        (r"cts\.businesswire\.com", r"/ct/CT", ("url",)),
        (r"c212\.net", r"/c/link/?", ("u",)),
        (r"l\.messenger\.com", r"/l\.php", ("u",)),
        (r"yandex\.[a-z.]{2,6}", r"/clck/.*", ("url",)),
        (r"curseforge\.com|(?:[\w-]+\.)?gamepedia\.com", r"/linkout", ("remoteurl", "remoteUrl")),
        (r"awin1\.com", r"/(?:cread|awclick)\.php", ("ued", "p")),
        (r"click\.linksynergy\.com", r"/(?:deeplink|fs-bin/click|link)", ("murl", "RD_PARM1")),
        (r"(?:clk|clkuk|clkde)\.tradedoubler\.com", r"/click.*", ("url",)),
        (r"(?:[\w-]+\.)?(?:mandrillapp|mailchi)\.(?:com|mp)", r"/track/click.*", ("url",)),
        (r"(?:track|click)\.webgains\.com", r"/click\.html", ("wgtarget",)),
        (r"shareasale\.com", r"/r\.cfm", ("urllink",)),
        (r"nytimes\.com", r"/redirect", ("url",)),
    )
)
# Those whose URLs have the target in their path, or as the whole query: the pattern's group is the target.
_CARRIERS = tuple(
    re.compile(rf"https?://(?:www\.)?{pattern}", re.I)
    for pattern in (
        r"(?:[\w-]+\.)*search\.yahoo\.[a-z.]{2,6}/[^?#]*/RU=([^/?#]+)(?:/.*)?",
        r"(?:[\w-]+\.)*rds?\.yahoo\.[a-z.]{2,6}/[^?#]*/\*{1,2}(https?(?::|%3a).+)",
        r"(?:href\.li|anonym\.to|nullrefer\.com|dereferer\.(?:me|org))/\?(https?(?::|%3a).+)",
        r"urldefense\.(?:com|us)/v3/__(https?:/[^*]+?)__;.*",
        r"disq\.us/url\?url=(https?%3a(?:(?!%3a)[^&])+)(?:%3a[\w-]+)?(?:&.*)?",
        r"deviantart\.com/users/outgoing\?(https?:.+)",
    )
)
# Google News' older links: the goal in a few bytes of protocol buffer, in base64.
_PACKED = re.compile(r"/(?:__i/)?(?:rss/)?articles/(CBM[A-Za-z0-9_-]{20,2000})=*")
_WITHIN = re.compile(rb"https?://[!-~]{4,1500}")
_SLASHES = re.compile(r"\A(https?):/(?=[^/])")  # a mail filter's path keeps one of two
_AMP_PARAMETER = re.compile(r"amp|amp_(js_v|gsa)|usqp", re.I)
_AMP_CACHE = re.compile(r"/(?:[a-z]{1,2}|amp)/(s/)?(?=[^/]+\.)")
_AMP_PATH = re.compile(r"\A/amp(?=/.)|(?<=[^/])/amp/?\Z|\.amp(?=\.html?\Z)|\.amp\Z", re.I)
_INDEX = re.compile(r"(?<=/)(?:index\.(?:html?|php|aspx?|jsp)|default\.(?:html?|aspx?))\Z", re.I)
_SESSION = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/]*", re.I)
_ENCODED = re.compile(r"%([0-9a-fA-F]{2})")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
# Most URLs: nothing in them that comparing could change.
_PLAIN_HOST = re.compile(r"(?:[a-z0-9-]{1,63}\.)*[a-z0-9-]{1,63}")
_PLAIN_PATH = re.compile(r"(?:/(?!amp(?:/|\Z))[\w-]+)*", re.A | re.I)
_PLAIN_PAGE = re.compile(rf"https?://({_PLAIN_HOST.pattern})((?:/(?!(?i:amp)(?:/|\Z))[\w-]+)*)", re.A)
_FRONT_DOORS = ("www.", "m.", "mobile.", "amp.")
_PORTS = {"http": 80, "https": 443}


def undecorated(url: str) -> str:
    """Return a URL without tracking: parameters, and a redirector in front of it."""
    if "http" not in url[5:] and "?" not in url and "/articles/CBM" not in url:
        return url
    if ("http" in url[5:] or "/articles/CBM" in url) and (goal := redirected(url)) is not None:
        return undecorated(goal)
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    pairs = parts.query.split("&")
    kept = [
        pair
        for pair in pairs
        if not _DECORATION.fullmatch(pair.partition("=")[0]) and not _ORIGIN.fullmatch(pair)
    ]
    return url if len(kept) == len(pairs) else urlunsplit(parts._replace(query="&".join(kept)))


def redirected(url: str) -> str | None:
    """Return the target in a known redirector's URL; None for any other URL. No request is made."""
    for carrier in _CARRIERS:
        if match := carrier.fullmatch(url):
            goal = _SLASHES.sub(r"\1://", unquote(match[1]) if "%" in match[1][:12] else match[1])
            return goal if _GOAL.fullmatch(goal) and goal.isprintable() else None
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower().removeprefix("www.")
    except ValueError:
        return None
    if host == "news.google.com" and (packed := _PACKED.fullmatch(parts.path)):
        return _unpacked(packed[1])
    for hosts, path, names in _REDIRECTORS:
        if hosts.fullmatch(host) and path.fullmatch(parts.path):
            given = dict(reversed(parse_qsl(parts.query)))
            goal = next((given[name] for name in names if name in given), "")
            if _GOAL.fullmatch(goal) and goal.isprintable() and len(goal) < len(url):
                return goal
    return None


def _unpacked(packed: str) -> str | None:
    """Return the URL in a link of Google News; None for its newer ones, which have only a key."""
    if len(packed) % 4 == 1:
        return None  # no bytes have a base64 of this length (RFC 4648, section 4)
    found = _WITHIN.search(urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    goal = found[0].decode() if found else ""
    return goal if _GOAL.fullmatch(goal) else None


def canonical_url(url: str) -> str:
    """Return a URL's canonical form, the same for all URLs that lead to one page.

    It is https without the usual host prefix (www, m, amp), default port, tracking, session, AMP form, index
    file, trailing slash and fragment, with its parameters sorted and its escapes normalised (RFC 3986 6.2.2).
    A fragment that names a page of its own (#! and #/) stays.
    """
    if plain := _PLAIN_PAGE.fullmatch(url):
        return f"https://{_door(plain[1])}{plain[2]}"
    try:
        parts = _out_of_cache(urlsplit(undecorated(url)))
        port = parts.port
    except ValueError:
        return url
    if parts.scheme.lower() not in _PORTS:
        return url
    host = _door(_ascii_host(parts.hostname or ""))
    if port and port != _PORTS[parts.scheme.lower()]:
        host = f"{host}:{port}"
    fragment = parts.fragment if parts.fragment.startswith(("!", "/")) else ""
    return urlunsplit(("https", host, _path(parts.path), _query(parts.query), fragment))


def is_home(url: str) -> bool:
    """Return whether a URL is a site's home page, which identifies no article."""
    if plain := _PLAIN_PAGE.fullmatch(url):
        return not plain[2]
    parts = urlsplit(canonical_url(url))
    return not parts.path and not parts.query and not parts.fragment


def content_hash(title: str, text: str) -> str:
    """Hash an article's content, ignoring white space and case."""
    folded = " ".join(f"{title} {text}".casefold().split())
    return hashlib.sha256(folded.encode()).hexdigest()[:32]


def path_slug(name: str) -> str:
    """Return a file's relative name as a URL path; two files of a folder never have the same."""
    stem = name.rpartition(".")[0] or name
    parts = [slug(part, 200) for part in stem.split("/")]
    if all(parts):
        return "/".join(parts)
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:16]


def _out_of_cache(parts: SplitResult) -> SplitResult:
    """Return the original URL of a page in an AMP cache."""
    while True:
        host = (parts.hostname or "").lower()
        cached = host == "cdn.ampproject.org" or host.endswith(".cdn.ampproject.org")
        google = host.removeprefix("www.").startswith("google.") and parts.path.startswith("/amp/")
        match = _AMP_CACHE.match(parts.path) if cached or google else None
        if match is None:
            return parts
        rest = f"//{parts.path[match.end() :]}" + (f"?{parts.query}" if parts.query else "")
        parts = urlsplit(f"http{'s' if match[1] else ''}:{undecorated(rest)}")


def _door(host: str) -> str:
    """Remove a usual host prefix; a name of two labels is the site itself."""
    for door in _FRONT_DOORS:
        if host.startswith(door) and "." in host[len(door) :]:
            return _door(host[len(door) :])
    return host


def _path(path: str) -> str:
    if _PLAIN_PATH.fullmatch(path):
        return path
    path = _SESSION.sub("", _ENCODED.sub(_decoded, path))
    path = quote(_without_dots(path), safe="/%:@!$&'()*+,;=~", errors="replace")
    while True:
        shorter = _AMP_PATH.sub("", _INDEX.sub("", path)).rstrip("/")
        if shorter == path:
            return path
        path = shorter


def _decoded(match: re.Match[str]) -> str:
    char = chr(int(match[1], 16))
    return char if char in _PLAIN else match[0].upper()


def _without_dots(path: str) -> str:
    """Remove empty, "." and ".." segments (RFC 3986 5.2.4)."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    end = "/" if path.endswith("/") and kept else ""
    return "".join(f"/{segment}" for segment in kept) + end


def _query(query: str) -> str:
    if not query:
        return ""
    pairs = parse_qsl(query, keep_blank_values=True)
    kept = (pair for pair in pairs if not _is_amp(*pair) and not _DECORATION.fullmatch(pair[0]))
    return urlencode(sorted(kept))


def _is_amp(name: str, value: str) -> bool:
    return bool(_AMP_PARAMETER.fullmatch(name)) or (name.lower(), value.lower()) == ("outputtype", "amp")


def _ascii_host(host: str) -> str:
    if _PLAIN_HOST.fullmatch(host):
        return host
    with contextlib.suppress(UnicodeError):
        encoded = host.rstrip(".").encode("idna").decode("ascii")
        host = encoded if encoded.isprintable() and " " not in encoded else host
    return f"[{host}]" if ":" in host else host
