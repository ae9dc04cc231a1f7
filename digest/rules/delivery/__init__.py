"""What a reply means, how fast to send, where bounces return to.

Open verdicts.py first.
"""
