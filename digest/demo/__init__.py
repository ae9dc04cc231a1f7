"""The sample newsroom and the mail catcher of `digest demo`.

Open loader.py first.
"""
