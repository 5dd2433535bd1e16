"""Databases of other engines behind one interface: schema, execution, rows."""
