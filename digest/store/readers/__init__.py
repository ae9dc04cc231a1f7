"""Subscribers, subscriptions, consent, suppressions, letters and sign-up limits as rows.

Open subscribers.py first.
"""
