"""The pages that readers and anybody may open.

Open sign_up.py first.
"""
