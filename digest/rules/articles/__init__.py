"""Which articles are one story, which are new, their topics and pictures.

Open duplicates.py first.
"""
