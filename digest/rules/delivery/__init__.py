"""What a reply means, how fast to send, where bounces return.

Open verdicts.py first.
"""
