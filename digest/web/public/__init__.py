"""The pages that readers and anybody may open.

Open readers.py first.
"""
