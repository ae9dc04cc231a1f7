"""Which articles are duplicates, which are new, their topics and images.

Open duplicates.py first.
"""
