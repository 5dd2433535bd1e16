"""The report's charts, one look for a variant in all of them, each with its content in words.

In comes the comparison of a run; out go figures as SVG and PNG with alternative texts.
"""
