"""Articles in, corrected, withdrawn and pruned.

Open fetching.py first.
"""
