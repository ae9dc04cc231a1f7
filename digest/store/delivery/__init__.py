"""Deliveries as rows; hot_path.py is the SQL of one turn of the delivery loop.

Open deliveries.py first.
"""
