"""Readers from sign-up to erasure.

Open sign_up.py first.
"""
