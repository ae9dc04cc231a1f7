"""Tokens of the API and kept answers. Open tokens.py first."""
