"""Read documents that are made to break their reader, each in a process of its own: `python -m tests.support.measured`.

Each line it prints is JSON: the name, the seconds of CPU and the megabytes that reading took, and what came of it.
"""

import gzip
import json
import os
import resource
import sys
import time
import zlib
from collections.abc import Callable, Iterator

import brotli

from digest.articles.documents.detect import parse_document
from digest.articles.feeds.feeds import parse_feed
from digest.articles.feeds.opml import parse_opml
from digest.errors import DigestError
from digest.net.http import fetch
from tests.support.websites import Website, page

URL = "https://quay.example/feed"
MANY = 4_000
LAUGHS = b'<!ENTITY a "ha">' + b"".join(
    b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12)
)
LAUGHING = b"<rss version='2.0'><channel><title>&m;</title><item><title>&m;</title><link>https://quay.example/1</link></item></channel></rss>"
SQUARE = (
    b'<!DOCTYPE rss [<!ENTITY a "'
    + b"x" * 100_000
    + b'">]><rss><channel><title>'
    + b"&a;" * 20_000
    + b"</title></channel></rss>"
)


def _feed(content: bytes) -> Callable[[], object]:
    return lambda: parse_feed(content, url=URL)


def _list(content: bytes) -> Callable[[], object]:
    return lambda: parse_opml(content, name="list.opml")


def _laughing(before: bytes, subset: bytes = LAUGHS, after: bytes = b"") -> bytes:
    return before + b"[" + subset + after + b"]>" + LAUGHING


def _packed(content: bytes, packing: str) -> Callable[[], object]:
    def get() -> object:
        with Website(feed=page(content, Content_Encoding=packing)) as site:
            return fetch(f"{site.url}/feed", allow_private=True)

    return get


def _gzip_of_ten_megabytes() -> bytes:
    """Make what is 10 MB packed and 10 GB unpacked, without packing as much: one block again and again."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(10_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    return gzip.compress(b"")[:10] + block * (10_000_000 // len(block))


BOMBS: dict[str, Callable[[], Callable[[], object]]] = {
    "billion laughs": lambda: _feed(_laughing(b"<!DOCTYPE rss ")),
    "billion laughs behind a quoted element": lambda: _feed(_laughing(b'<!DOCTYPE rss SYSTEM "<a [" ')),
    "billion laughs behind a comment": lambda: _feed(_laughing(b"<!-- <a --><!DOCTYPE rss ")),
    "billion laughs between quoted comments": lambda: _feed(_laughing(b"<!DOCTYPE rss ", b'<!ATTLIST a b CDATA "<!--">' + LAUGHS, b'<!ATTLIST a c CDATA "-->">')),
    "billion laughs after much nothing": lambda: _feed(b'<?xml version="1.0"?>' + b" " * 300_000 + _laughing(b'<!DOCTYPE rss SYSTEM "<a" ')),
    "billion laughs with control characters": lambda: _feed(_laughing(b'<!DOCTYPE rss SYSTEM "<a" ', LAUGHS.replace(b"<!ENT", b"<!EN\x01T"))),
    "billion laughs in utf-16": lambda: _feed(_laughing(b'<!DOCTYPE rss SYSTEM "<a" ').decode().encode("utf-16")),
    "billion laughs in utf-32": lambda: _feed(_laughing(b'<!DOCTYPE rss SYSTEM "<a" ').decode().encode("utf-32")),
    "billion laughs in utf-7": lambda: _feed(b'<?xml version="1.0" encoding="utf-7"?>' + _laughing(b'<!DOCTYPE rss SYSTEM "<a" ').replace(b"<!", b"+ADw-!")),
    "billion laughs in ebcdic": lambda: _feed(("<?xml version='1.0' encoding='cp037'?>" + _laughing(b'<!DOCTYPE rss SYSTEM "<a" ').decode()).encode("cp037")),
    "quadratic": lambda: _feed(SQUARE),
    "external file": lambda: _feed(b'<!DOCTYPE rss [<!ENTITY m SYSTEM "file:///etc/passwd">]>' + LAUGHING),
    "external address": lambda: _feed(b'<!DOCTYPE rss [<!ENTITY % m SYSTEM "http://127.0.0.1:1/x"> %m;]>' + LAUGHING),
    "external dtd": lambda: _feed(b'<!DOCTYPE rss SYSTEM "http://127.0.0.1:1/x.dtd">' + LAUGHING),
    "a list that laughs": lambda: _list(_laughing(b"<!DOCTYPE opml ").replace(b"<rss", b"<opml")),
    "a list of nested outlines": lambda: _list(b"<opml><body>" + b"<outline text='a'>" * 500_000),
    "nested elements": lambda: _feed(b"<rss>" + b"<a>" * 1_000_000),
    "elements side by side": lambda: _feed(b"<rss><channel>" + b"<item><link>https://quay.example/1</link></item>" * 150_000),
    "attributes": lambda: _feed(b"<rss " + b" ".join(b'a%d="1"' % n for n in range(200_000)) + b"><channel/></rss>"),
    "comments": lambda: _feed(b"<!-- -->" * 100_000 + b"<rss"),
    "comments that never end": lambda: _feed(b"<rss><channel><title>" + b"<!--" * 200_000),
    "nested lists in JSON": lambda: _feed(b'{"items":' + b"[" * 3_000_000),
    "10 MB of gzip": lambda: _packed(_gzip_of_ten_megabytes(), "gzip"),
    "brotli": lambda: _packed(brotli.compress(bytes(300_000_000), quality=1), "br"),
}  # fmt: skip

SHAPES = {
    "tags": "<b>" * MANY, "links": "<a href=x>" * MANY, "tables": "<table><tr><td>" * MANY, "closed tags": "<b>" * MANY + "x" + "</b>" * MANY, "signs of less": "<" * MANY,
    "tags that never end": "<a" * MANY, "comments that never end": "<!--" * MANY, "empty comments": "<!-- -->" * MANY + "x", "quotes that never end": '<a href="' * MANY,
    "pictures": "<img src=x>" * MANY, "noscripts": "<noscript>" * MANY, "styles": "<style>" * MANY, "style": "<style" * MANY, "scripts": "<script>" * MANY, "drawings": "<svg>" * MANY,
    "attributes": "<a " + " ".join(f"a{n}=1" for n in range(MANY * 10)) + ">x</a>", "srcset": '<img srcset="' + "a 1w, " * MANY + '">', "blanks": " " * MANY * 20, "lines": "\n" * MANY * 20,
    "braces": "{{" * MANY, "liquid": "{% a " * MANY, "raw": "{% raw %}" * MANY, "liquid comments": "{#" * MANY, "hugo": "{{< x " * MANY, "ticks": "`a" * MANY, "fences": "~~~a\n" * MANY,
    "brackets": "[" * MANY, "rules": "---\n" * MANY, "notes": "[^a]: b\n" * MANY, "one word": "a" * MANY * 20, "dots": ". " * MANY, "dashes": "a - " * MANY, "crumbs": "Home > World > " * MANY,
    "capitals": "AAA " * MANY, "dates": "1/1/2020 " * MANY, "names": "A.B. " * MANY, "share": "share " * MANY, "ideographs": "中" * MANY * 4, "accents": "a" + "\u0301" * MANY * 10, "commas": "A, " * MANY,
}  # fmt: skip


def _of_rss(shape: str) -> object:
    item = f"<title><![CDATA[{shape}]]></title><description><![CDATA[{shape}]]></description><author><![CDATA[{shape}]]></author>"
    return parse_feed(
        f"<rss version='2.0'><channel><title>x</title><item>{item}<link>https://quay.example/1</link></item></channel></rss>".encode(),
        url=URL,
    )


def _of_page(shape: str) -> object:
    value = shape.replace('"', "")
    head = f'<title>{shape}</title><meta name="author" content="{value}"><meta property="og:title" content="{value}">'
    return _document(
        f"<!doctype html><html><head>{head}</head><body><article><p>One sentence.</p>{shape}</article></body></html>",
        "a.html",
    )


def _document(content: str, name: str) -> object:
    return parse_document(content.encode(), name=name, base_url="https://quay.example")


WAYS: dict[str, Callable[[str], object]] = {
    "feed": _of_rss, "raw feed": lambda shape: parse_feed(shape.encode(), url=URL), "page": _of_page, "raw page": lambda shape: _document(shape, "a.html"),
    "text": lambda shape: _document(shape, "a.txt"), "markdown": lambda shape: _document(f"---\ntitle: x\n---\n{shape}", "a.md"),
    "front matter": lambda shape: _document(f"---\ntitle: x\nsummary: |\n  {shape.replace(chr(10), ' ')}\n---\nx", "a.md"),
}  # fmt: skip


def _measured(name: str, read: Callable[[], object]) -> None:
    """Read in a process of its own: a peak of memory never comes down again."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        _tell(name, read)
    finally:  # whatever it was: the child must not go on as its parent; what it does not tell is missed
        os._exit(0)


def _tell(name: str, read: Callable[[], object]) -> None:
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    try:
        came = type(read()).__name__
    except DigestError as error:
        came = f"refused: {error}"
    taken = {"name": name, "seconds": round(time.process_time() - began, 2), "came": came}
    taken["megabytes"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    sys.stdout.write(json.dumps(taken) + "\n")
    sys.stdout.flush()


def _shapes() -> Iterator[tuple[str, Callable[[], object]]]:
    for way, read in WAYS.items():
        for name, shape in SHAPES.items():
            yield f"{way}: {name}", lambda read=read, shape=shape: read(shape)  # type: ignore[misc]


if __name__ == "__main__":
    if sys.argv[1:] == ["bombs"]:
        for name, made in BOMBS.items():
            _measured(name, made())
    else:
        _of_page(
            "<p>It is warm today, and it will be warm tomorrow as well.</p>"
        )  # the library that reads pages is loaded once, not in each child
        for name, read in _shapes():
            _measured(name, read)
