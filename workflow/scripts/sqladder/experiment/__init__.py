"""What a config means: read strictly, checked, and cut into the slice that each rule gets.

In come the YAML files of an experiment;
out go errors before any job, or names of files, flags and code digests for the rules.
"""
