"""The embedded demonstration: its databases, its questions and their splits, its toy base model.

In come the schemas of resources/demo;
out go databases with variations, examples, and a small model trained from nothing.
"""
