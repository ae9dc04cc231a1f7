"""Lists of readers: imported from other tools, and exported.

Open csv_import.py first; tools.toml and list_words.toml say how each tool's export is read.
"""
