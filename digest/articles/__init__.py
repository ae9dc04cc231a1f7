"""Bytes to articles: every format ends in a ParsedArticle.

Open parsed.py first, then feeds/feeds.py.
"""
