"""Questions with their gold SQL: formats, pairing with databases, splits, check of gold, decontamination, lengths.

In come files as people keep them; out go examples as JSON Lines, joined by id, and what was left out of them and why.
"""
