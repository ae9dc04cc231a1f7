"""The desk's pages besides editions: readers, sources, articles, figures, settings. Open routes.py first."""
