"""The report of one run: verdicts in, ranking, tables, observations and charts out."""
