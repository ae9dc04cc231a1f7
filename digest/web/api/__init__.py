"""The API for programs, below /api/v1: JSON in and out, problems for errors. Open routes.py first."""
