"""Values parsed from words: dates, character sets, identities, sentences.

Open dates.py first.
"""
