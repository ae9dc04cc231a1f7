"""Messages as bytes: those that are sent, in rendering/ and dkim/, and those received, in reports/.

Nothing here reads a clock or a socket.

Open message.py first; headers.py decides what is in the header of a message.
"""
