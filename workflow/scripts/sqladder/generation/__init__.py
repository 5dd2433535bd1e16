"""Generation of completions for prompts, by one of several engines with one contract."""
