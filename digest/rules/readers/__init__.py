"""Addresses, consent, commands by mail, limits on sign-ups, and the lists of other tools.

Open consent.py first.
"""
