"""What those who watch the program ask the database: its state, its counts, the queues of workers.

Open gauges.py first.
"""
