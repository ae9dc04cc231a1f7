"""The versions of the schema, one a file; each is final once it has been released."""
