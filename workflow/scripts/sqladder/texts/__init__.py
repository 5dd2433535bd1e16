"""Texts: words folded so that two of them meet, stems and parts of names; numbers and Markdown as reports print them.

In come questions, names, values and numbers; out go lists of folded words, and text in which nothing acts as markup.
"""
