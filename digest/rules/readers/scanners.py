"""Recognise programs that open links by themselves: virus scanners, previews, search engines."""

import re
from collections.abc import Mapping
from functools import lru_cache

_PROGRAMS = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|scan|monitor|fetch|validator|archiver|headless|phantom|"
    r"python|curl|wget|libwww|httpx|okhttp|go-http|java/|ruby|perl|node|axios|apache-httpclient|"
    r"barracuda|mimecast|proofpoint|urldefense|fireeye|trendmicro|trend micro|sophos|symantec|messagelabs|"
    r"forcepoint|zscaler|cisco|ironport|kaspersky|avast|bitdefender|safebrowsing|safelinks|"
    r"facebookexternalhit|whatsapp|telegram|slack|discord|skype|embedly|pinterest|vkshare|"
    r"googleimageproxy|google-safety|apis-google|mediapartners|feedfetcher|office365|ms-office|msoffice",
    re.I,
)
_AHEAD = re.compile(r"prefetch|preview|prerender", re.I)


def is_scanner(method: str, headers: Mapping[str, str]) -> bool:
    """Return whether a request for a link comes from a program and not from somebody who follows it.

    HEAD asks for no page (RFC 9110 9.3.2), a browser that loads ahead says so (Sec-Purpose), browsers have
    a name that begins with Mozilla or Opera, and the programs of the pattern name themselves. A program that
    poses as a browser cannot be recognised.
    """
    ahead = f"{headers.get('sec-purpose', '')} {headers.get('purpose', '')} {headers.get('x-moz', '')}"
    return method == "HEAD" or bool(_AHEAD.search(ahead)) or _is_program(headers.get("user-agent", ""))


@lru_cache(maxsize=1_024)
def _is_program(agent: str) -> bool:
    return not agent.startswith(("Mozilla/", "Opera/")) or bool(_PROGRAMS.search(agent))
