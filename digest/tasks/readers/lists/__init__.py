"""Lists of readers: files that come in from other tools, and the one that goes out.

Open csv_import.py first; tools.toml and list_words.toml say how each tool's export is read.
"""
