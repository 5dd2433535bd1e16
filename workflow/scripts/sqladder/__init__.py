"""SQLadder: compare ways of adapting a small language model to text-to-SQL."""

__version__ = "0.1.0"
