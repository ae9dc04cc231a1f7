"""From a claim to a recorded reply.

Open loop.py first: one thread drives all connections, one commit a turn.
"""
