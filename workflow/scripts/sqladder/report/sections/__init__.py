"""The sections of report.md, one module each with its text and its tables, and the document that puts them in order.

In come the comparison of a run and its facts; out goes Markdown that reads on GitHub.
"""
