"""The editors' pages; each route says which role it needs.

Open routes.py first.
"""
