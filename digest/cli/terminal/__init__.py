"""What all commands share on a terminal: options, tables, JSON, progress bars.

Open common.py first.
"""
