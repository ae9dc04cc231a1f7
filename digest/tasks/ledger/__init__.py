"""Proof that every delivery is accounted for, and databases restored from a backup.

Open audit.py first.
"""
