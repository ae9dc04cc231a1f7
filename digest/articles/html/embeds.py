"""Replace what mail cannot play by a link with a name: videos, audio, posts, documents."""

import re
from urllib.parse import parse_qs, urlsplit

from digest.articles.html.trees import Element, all_of, element, remove, replace, unwrap, words_of

_FRAMES = ("iframe", "embed", "object", "frame", "amp-iframe", "video", "audio", "amp-video", "amp-audio")
_SOURCES = ("src", "data-src", "data-lazy-src", "data-litespeed-src", "data", "data-url")
_NAMES = (
    (re.compile(r"(?:^|\.)(?:youtube(?:-nocookie)?\.com|youtu\.be)$"), "Video on YouTube"),
    (re.compile(r"(?:^|\.)vimeo\.com$"), "Video on Vimeo"),
    (re.compile(r"(?:^|\.)dailymotion\.com$"), "Video on Dailymotion"),
    (re.compile(r"(?:^|\.)(?:twitter\.com|x\.com)$"), "Post on X"),
    (re.compile(r"(?:^|\.)instagram\.com$"), "Post on Instagram"),
    (re.compile(r"(?:^|\.)facebook\.com$"), "Post on Facebook"),
    (re.compile(r"(?:^|\.)tiktok\.com$"), "Video on TikTok"),
    (re.compile(r"(?:^|\.)(?:t\.me|telegram\.org)$"), "Post on Telegram"),
    (re.compile(r"(?:^|\.)soundcloud\.com$"), "Audio on SoundCloud"),
    (re.compile(r"(?:^|\.)spotify\.com$"), "Audio on Spotify"),
    (re.compile(r"(?:^|\.)bsky\.app$"), "Post on Bluesky"),
    (re.compile(r"(?:^|\.)rutube\.ru$"), "Video on Rutube"),
)
_AMP = {
    "amp-youtube": ("data-videoid", "https://www.youtube.com/watch?v={}"),
    "amp-vimeo": ("data-videoid", "https://vimeo.com/{}"),
    "amp-dailymotion": ("data-videoid", "https://www.dailymotion.com/video/{}"),
    "amp-twitter": ("data-tweetid", "https://x.com/i/status/{}"),
    "amp-instagram": ("data-shortcode", "https://www.instagram.com/p/{}/"),
    "amp-facebook": ("data-href", "{}"),
    "amp-soundcloud": (
        "data-trackid",
        "https://w.soundcloud.com/player/?url=https://api.soundcloud.com/tracks/{}",
    ),
}
_QUOTES = re.compile(
    r"twitter-(?:tweet|video)|instagram-media|tiktok-embed|fb-(?:post|video)|telegram-post|bluesky-embed|mastodon-embed",
    re.I,
)
# "To watch this film you need a newer browser."
_MOST_FALLBACK = 20
_KEY = re.compile(r"[\w-]{3,40}")
_COUNTS = re.compile(
    r"googletagmanager|doubleclick|google\.com/recaptcha|facebook\.com/tr|/ads?[/.?]|amazon-adsystem|list-manage",
    re.I,
)


def link_embeds(tree: Element, tags: frozenset[str]) -> None:
    """Replace each embed by a link; one without a URL is removed."""
    for quote in all_of(tree, *tags.intersection(("blockquote", "div"))):
        if _QUOTES.search(quote.get("class") or ""):
            _link_quote(quote)
    for tag, (attribute, form) in _AMP.items():
        for embed in all_of(tree, *tags.intersection((tag,))):
            key = embed.get(attribute) or ""
            is_whole = form == "{}" or _KEY.fullmatch(key) is not None
            _put(embed, form.format(key) if key and is_whole else None)
    for embed in all_of(tree, *tags.intersection(_FRAMES)):
        if embed.getparent() is not None:
            _show_still(embed)
            _put(embed, _address(embed), is_kept=_holds_the_text(embed))


def _show_still(embed: Element) -> None:
    """Put a video's still picture in front of it, as a link to it."""
    still, address = (embed.get("poster") or "").strip(), _address(embed)
    if not still or still.startswith("data:") or not address or _leads_nowhere(address):
        return
    paragraph, link = element("p"), element("a", href=address)
    link.append(element("img", src=still, alt=""))
    paragraph.append(link)
    embed.addprevious(paragraph)


def _leads_nowhere(address: str) -> bool:
    return (
        address.startswith(("about:", "data:", "blob:", "javascript:")) or _COUNTS.search(address) is not None
    )


def _holds_the_text(embed: Element) -> bool:
    """Return whether an embed's content is text of the article.

    `embed` and `frame` have no content (HTML 13.1.2): what a parser puts there follows them. An `object` has
    what is shown in its place (HTML 4.8.7), or, left open, the rest of the article.
    """
    if embed.tag == "object":
        return _address(embed) is None or len(words_of(embed).split()) > _MOST_FALLBACK
    return embed.tag in ("embed", "frame")


def _put(embed: Element, address: str | None, *, is_kept: bool = False) -> None:
    if not address or _leads_nowhere(address):
        unwrap(embed) if is_kept else remove(embed)
        return
    address = _watched(f"https:{address}" if address.startswith("//") else address)
    title = " ".join((embed.get("title") or embed.get("aria-label") or "").split())[:120]
    paragraph = element("p")
    paragraph.append(element("a", title if len(title) > 3 else _name(address, str(embed.tag)), href=address))
    if not is_kept:
        replace(embed, paragraph)
        return
    paragraph.tail, embed.text = embed.text, None
    embed.insert(0, paragraph)
    unwrap(embed)


def _link_quote(quote: Element) -> None:
    """Keep the text of a quoted post; if it has none, replace it by a link."""
    if len(" ".join(words_of(quote).split())) > 20:
        quote.tag = "blockquote"
        return
    address = next(
        (value for name in ("data-instgrm-permalink", "cite", "data-href") if (value := quote.get(name))),
        None,
    ) or next((link.get("href") for link in quote.iter("a") if link.get("href")), None)
    _put(quote, address)


def _address(embed: Element) -> str | None:
    for holder in (embed, *embed.iter("source", "embed", "iframe")):
        for name in _SOURCES:
            if (value := (holder.get(name) or "").strip()) and not value.startswith(("about:", "data:")):
                return value
    param = next(
        (one for one in embed.iter("param") if (one.get("name") or "").lower() in ("movie", "src", "url")),
        None,
    )
    return (param.get("value") if param is not None else None) or None


def _watched(address: str) -> str:
    """Return the page of a video instead of its player."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    host = (parts.hostname or "").removeprefix("www.")
    last = parts.path.rstrip("/").rpartition("/")[2]
    if (
        host in ("youtube.com", "youtube-nocookie.com")
        and parts.path.startswith(("/embed/", "/v/"))
        and _KEY.fullmatch(last)
    ):
        playlist = parse_qs(parts.query).get("list", [""])[0]
        if last == "videoseries" and _KEY.fullmatch(playlist):
            return f"https://www.youtube.com/playlist?list={playlist}"
        return f"https://www.youtube.com/watch?v={last}"
    if host == "player.vimeo.com" and last.isdigit():
        return f"https://vimeo.com/{last}"
    if host == "dailymotion.com" and parts.path.startswith("/embed/video/") and _KEY.fullmatch(last):
        return f"https://www.dailymotion.com/video/{last}"
    return address


def _name(address: str, tag: str) -> str:
    try:
        host = (urlsplit(address).hostname or "").removeprefix("www.")
    except ValueError:
        host = ""
    named = next((name for pattern, name in _NAMES if pattern.search(host)), None)
    kind = "Video" if "video" in tag else "Audio" if "audio" in tag else "Embedded page"
    return named or (f"{kind} on {host}" if host else kind)
