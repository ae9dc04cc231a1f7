"""Pure decisions: functions of values and `now`, without input or output.

The rooms are articles, editions, readers, delivery and tokens; open editions/selection.py first.
"""
