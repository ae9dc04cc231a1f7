"""How webhooks are signed, and when one that failed is tried again. Open signing.py first."""
