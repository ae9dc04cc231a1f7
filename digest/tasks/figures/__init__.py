"""Figures of the publication, counted once a day so that looking at them costs nothing.

Open daily.py first.
"""
