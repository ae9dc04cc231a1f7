"""The desk's pages about editions, and signing in; each route says which role it needs.

Its other pages, such as readers and sources, are in web/newsroom.

Open routes.py first.
"""
