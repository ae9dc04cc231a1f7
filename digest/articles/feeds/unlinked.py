"""Titles and identifiers for items that have neither a title nor a link of their own."""

import hashlib
from datetime import datetime


def unnamed(source: str, published_at: datetime | None) -> str:
    """Return a title for a post without words: its feed and date (`Quay News, 2026-11-24`)."""
    day = published_at.date().isoformat() if published_at else ""
    return ", ".join(filter(None, (source, day))) or "Picture"


def own_fragment(mark: str) -> str:
    """Return the fragment that identifies an item whose link is its site's."""
    return hashlib.sha256(mark.encode("utf-8", "replace")).hexdigest()[:16]
