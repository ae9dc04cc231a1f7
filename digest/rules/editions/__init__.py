"""Which articles an edition has, when it is due, and what is checked before it is sent.

Open selection.py first.
"""
