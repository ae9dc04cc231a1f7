"""The only SQL. Functions take a session and never commit; transactions belong to tasks.

Open database.py first.
"""
