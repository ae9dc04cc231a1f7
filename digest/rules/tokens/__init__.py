"""The signed values in links: what each allows, and how it is checked.

Open tokens.py first.
"""
