"""From a stored variant to a message, for preview, preflight, the desk and delivery alike.

Open composer.py first.
"""
