"""The checks of `digest doctor`, a module a subject.

Open examination.py first: the list of checks and how they run.
"""
