"""Pure decisions: they are given `now` and values, and touch nothing.

The rooms are articles, editions, readers, delivery and tokens; open editions/selection.py first.
"""
