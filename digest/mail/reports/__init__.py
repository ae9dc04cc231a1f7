"""Mail that comes in, read and told apart: bounces, complaints, automatic answers, readers' own words.

Start at `reading.read`: bytes in, a `Report` out. Nothing here reads a clock, a file or the network.
"""
