"""Connections to other machines: HTTP, DNS and local files here, smtp/, and received mail in inbound/.

Open http.py first: how a page is fetched without reaching private addresses.
"""
