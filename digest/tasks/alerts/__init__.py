"""Telling editors and operators what is wrong, once each, and when it is over.

Open alerts.py first.
"""
