"""The desk's pages on what the publication lives from: its readers, sources, articles and figures.

Open routes.py first.
"""
