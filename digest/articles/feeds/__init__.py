"""Feed formats: RSS, Atom, RDF, JSON Feed, WordPress's API, OPML.

Open feeds.py first; fast_path.py reads well-formed feeds without feedparser.
"""
