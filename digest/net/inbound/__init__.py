"""Where mail comes in: a spool that all ways write to, and the ways themselves.

Open spool.py first.
"""
