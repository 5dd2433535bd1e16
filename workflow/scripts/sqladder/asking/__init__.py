"""A variant of a finished run in use: any question on any database, answered as the run's own were.

What a variant was asked with stands in its results/<variant>/asking.json. Prompts are rendered, and answers generated,
chosen and asked again, by the code of the run.
"""
