"""Receiving mail: a spool, and the ways that write to it.

Open spool.py first.
"""
