"""A publication's look, tried before it is configured: on its own latest edition, in every look.

Open trial.py first.
"""
