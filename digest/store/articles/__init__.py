"""Articles, their duplicates, topics and images as rows.

Open articles.py first.
"""
