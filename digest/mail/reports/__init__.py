"""Classify received mail: bounces, complaints, automatic replies, readers' own messages.

Nothing here reads a clock, a file or the network. Open classification.py first.
"""
