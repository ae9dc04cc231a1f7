"""Which articles an edition has, when it is due, and what is checked before it leaves.

Open selection.py first.
"""
