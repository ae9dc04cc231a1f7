"""The editors' desk: sign in, shape the next edition, look at it, approve it, watch it go."""
