"""Editions, cohorts, variants and drafts as rows.

Open editions.py first.
"""
