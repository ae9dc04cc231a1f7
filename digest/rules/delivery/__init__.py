"""What a reply means, how fast to send, where bounces return to.

Open reply_verdicts.py first.
"""
