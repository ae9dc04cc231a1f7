"""What tokens of the API may do, and how often. Open access.py first."""
