"""The web pages: public/ for readers, desk/ and newsroom/ for editors, api/ for programs.

Open app.py first: it puts them together. shared/ is what they have in common.
"""
