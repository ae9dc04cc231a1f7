"""Pure decisions: functions of values and `now`, without input or output.

Open editions/selection.py first: which articles a reader gets.
"""
