"""Addresses and consent.

Open consent.py first.
"""
