"""One page or file: HTML, Markdown with front matter, plain text.

Open detect.py first: it finds out which of them a document is.
"""
