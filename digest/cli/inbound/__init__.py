"""Commands about received mail. Open receive.py first."""
