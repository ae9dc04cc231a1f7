"""A newsletter digest mailer: articles in, each reader's own digest out, every delivery accounted for."""

__version__ = "0.1.0"
