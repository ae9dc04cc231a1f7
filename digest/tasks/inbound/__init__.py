"""Processing received mail: taken from the spool once, classified, acted on.

Open intake.py first.
"""
