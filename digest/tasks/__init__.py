"""The use cases: each owns its transaction and joins rules, store and net.

Open editions/compiling.py first, then delivery/run.py.
"""
