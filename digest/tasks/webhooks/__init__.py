"""Webhooks: receivers, the outbox, posting.

Open outbox.py first."""
