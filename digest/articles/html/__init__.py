"""Cleaning of HTML: allowed markup, images, plain text.

Open cleaning.py first.
"""
