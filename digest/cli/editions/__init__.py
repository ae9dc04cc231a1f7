"""Commands about editions: preview, send, status, audit, resume.

Open send.py first.
"""
