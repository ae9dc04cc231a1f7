"""The use cases of editors: drafts, line-up, proofs, sessions.

Open drafts.py first.
"""
