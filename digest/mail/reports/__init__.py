"""Mail that comes in, told apart: bounces, complaints, automatic answers, readers' own words.

Nothing here reads a clock, a file or the network. Open reading.py first.
"""
