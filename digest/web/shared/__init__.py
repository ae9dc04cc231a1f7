"""What all pages share: templates, security headers, limits, conditional requests.

Open security.py first.
"""
