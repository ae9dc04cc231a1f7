"""A page saved as plain text: which lines are the story, its dateline and byline.

Open saved_text.py first.
"""
