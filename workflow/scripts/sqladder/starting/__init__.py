"""The first minute: a config for what a user has, and the workflow run from where it is installed."""
