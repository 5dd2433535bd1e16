"""Test suites for any SQLite database: other contents of its schema that tell wrong queries from gold.

After Zhong, Yu and Klein, "Semantic Evaluation for Text-to-SQL with Distilled Test Suites" (EMNLP 2020), written anew.
"""
