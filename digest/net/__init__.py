"""The only sockets and files: HTTP, DNS, local files; SMTP is in smtp/.

Open http.py first: how a page is fetched without reaching private addresses.
"""
