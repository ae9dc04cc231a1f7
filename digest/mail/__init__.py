"""Whole messages: headers, bodies, signatures. Pure: nothing here reads a clock or a socket.

Open message.py first.
"""
