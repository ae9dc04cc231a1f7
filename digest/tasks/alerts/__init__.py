"""Alerts: mail to editors and operators about what is wrong, once each, and an all-clear when it is over.

Open alerts.py first.
"""
