"""Commands about articles and their sources.

Open articles.py first.
"""
