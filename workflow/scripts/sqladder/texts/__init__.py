"""Texts folded so that two of them meet, in one way: words without case and forms, stems, parts of names.

In come questions, names and values as people write them; out go lists of folded words to be compared.
"""
