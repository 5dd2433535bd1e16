"""Generation of completions for prompts by one of several engines with one contract, and the SQL in them.

In come a model folder and prompts; out go predictions and generation.json, what the generation took.
"""
