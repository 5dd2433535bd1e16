"""The only place where a prompt is rendered: schema forms, values, linking, templates, token ids.

In come an example, its database and a context of the config;
out go chat messages, and their token ids for training and inference alike.
"""
