"""Mail that comes in: taken from the spool once, told apart, acted on.

Open intake.py first.
"""
