"""From a deadline to a frozen edition, and how it looks before.

Open compiling.py first.
"""
