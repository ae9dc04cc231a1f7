"""The signed values in links: what each allows, and how it is verified.

Open tokens.py first.
"""
