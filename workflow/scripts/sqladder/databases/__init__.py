"""Databases of several engines behind one interface: schema, rows, values, execution, copies.

In come files and URLs that a config names;
out go schemas, rows, values that a question mentions, and copies in SQLite.
"""
