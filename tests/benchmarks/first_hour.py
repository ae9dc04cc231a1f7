"""Print how long `digest init URL` takes from a site's address to the preview of its first edition.

Run `uv run python -m tests.benchmarks.first_hour`. The site is served on loopback by this process: a front page
that names a feed of thirty articles, sections, a colour and a language. All that the command prints is shown,
with the second at which each line came.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.websites import Website, page

PROMISED = 60
FRONT = """<!doctype html><html lang="en"><head><title>The Harbour Courier</title>
<meta property="og:site_name" content="The Harbour Courier"><meta name="theme-color" content="#962A1F">
<link rel="alternate" type="application/rss+xml" href="/rss.xml" title="News"></head>
<body><nav><a href="/business">Business</a><a href="/culture/">Culture</a></nav></body></html>"""
FEED = '<?xml version="1.0"?><rss version="2.0"><channel><title>The Harbour Courier</title>{}</channel></rss>'
ITEM = (
    "<item><title>The bridge of quay {0} reopens</title><link>{1}/business/{0}</link>"
    "<description>The old bridge of quay {0} turns again, after eleven months.</description></item>"
)


def main() -> None:
    """Run the command in an empty folder, and print its lines and its time."""
    with Website() as site, tempfile.TemporaryDirectory() as folder:
        items = "".join(ITEM.format(number, site.url) for number in range(30))
        site.pages |= {
            "/": page(FRONT.encode(), Content_Type="text/html"),
            "/rss.xml": page(FEED.format(items).encode(), Content_Type="application/rss+xml"),
        }
        began = time.monotonic()
        command = [sys.executable, "-m", "digest", "init", f"{site.url}/"]
        with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as run:
            assert run.stdout is not None
            for line in run.stdout:
                sys.stdout.write(f"{time.monotonic() - began:5.1f} s  {line}")
        took, preview = time.monotonic() - began, Path(folder) / "look" / "first-edition.html"
        shown = preview.is_file() and "The bridge of quay" in preview.read_text(encoding="utf-8")
        holds = run.returncode == 0 and shown and took < PROMISED
        said = "a preview" if shown else "NO preview"
        sys.stdout.write(
            f"{'holds' if holds else 'FAILS'}  {said} after {took:.1f} s; {PROMISED} are promised\n"
        )


if __name__ == "__main__":
    main()
