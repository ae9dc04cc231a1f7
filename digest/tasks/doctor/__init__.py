"""The checks of `digest doctor`, one module for each subject.

Open examination.py first: the list of checks and how they run.
"""
