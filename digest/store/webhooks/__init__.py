"""Receivers of webhooks and the outbox. Open outbox.py first."""
