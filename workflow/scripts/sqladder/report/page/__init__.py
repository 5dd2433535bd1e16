"""The report as one HTML page that needs nothing but itself; template, style and script stand beside the module.

In come the Markdown, the charts and the answers; out goes report.html, with a browser of all questions.
"""
