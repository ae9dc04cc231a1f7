"""Content to encoded parts with placeholders for a reader's own values; the only user of Jinja2 for mail.

Open renderer.py first.
"""
