"""Articles: fetched, corrected, withdrawn and pruned.

Open fetching.py first.
"""
