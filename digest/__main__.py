"""Run the command line by `python -m digest`."""

from digest.cli import main

main()
