"""From a deadline to a frozen edition, and previews of it.

Open compiling.py first.
"""
