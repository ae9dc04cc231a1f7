"""The web pages: public/ for readers, desk/ for editors, shared/ for both.

Open app.py first.
"""
