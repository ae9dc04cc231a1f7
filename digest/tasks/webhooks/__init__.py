"""Telling other programs what happens: receivers, the outbox, posting. Open outbox.py first."""
