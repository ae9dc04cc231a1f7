"""What programs do through the API: tokens, articles in, editions and readers. Open tokens.py first."""
