"""Commands about mail that comes in. Open receive.py first."""
