"""Gold and predictions judged in the engine where the data live, instead of on a SQLite copy.

See docs/engines.md.
"""
