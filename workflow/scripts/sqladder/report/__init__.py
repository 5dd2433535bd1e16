"""The report of one run: results read once, compared, and told in Markdown, charts, a page and a CSV export.

In come verdicts, predictions and the facts of each stage;
out go report.md, report.html, charts, metrics.csv and model cards.
"""
