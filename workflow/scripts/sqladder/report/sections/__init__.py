"""The sections of report.md, one module each, and the document that puts them together.

In come the comparison of a run and its facts; out goes Markdown that reads on GitHub.
"""
