"""Deliveries as rows; claims.py is the SQL of one turn of the delivery loop.

Open deliveries.py first.
"""
