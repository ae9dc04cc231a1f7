"""Subscribers, subscriptions, consent and suppressions as rows.

Open subscribers.py first.
"""
