"""Cleaning of HTML: what may stay, its pictures, its text.

Open cleaning.py first.
"""
