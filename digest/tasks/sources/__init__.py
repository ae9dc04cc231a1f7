"""Sources: found on a site, read, added at the desk, and their health.

Open health.py first; which sources there are says store/articles/sources.py.
"""
