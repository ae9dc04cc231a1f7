"""What is kept of programs that use the publication: tokens, kept answers. Open tokens.py first."""
