"""Commands about readers.

Open subscribers.py first.
"""
