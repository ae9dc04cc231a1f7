"""Which articles an edition has and which are too old for it, when it is due, and its preflight.

Open selection.py first.
"""
