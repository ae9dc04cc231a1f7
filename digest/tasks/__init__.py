"""The use cases: each owns its transaction and combines rules, store and net.

Open editions/compiling.py first, then delivery/run.py.
"""
