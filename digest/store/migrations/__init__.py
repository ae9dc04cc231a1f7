"""Alembic's environment and the versions of the schema.

Open versions/0001_create_the_tables.py first.
"""
