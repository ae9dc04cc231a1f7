"""What the ledger says: audit, status, metrics and `why`; databases that were restored or are moved.

Open audit.py first: proof that every delivery is accounted for.
"""
