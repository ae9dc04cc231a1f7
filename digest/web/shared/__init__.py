"""What every page stands on: templates, security headers, limits, conditional answers.

Open security.py first.
"""
