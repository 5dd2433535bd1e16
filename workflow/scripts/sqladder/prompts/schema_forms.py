"""The written forms of a schema, for prompts: ddl, ddl_values, compact, prose, m_schema.

Every form is written from what the database file says; a name stands in quotes where SQL needs them.
`Notes` carry what some forms add: example values, values that a question mentions, descriptions.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sqladder.databases.sample_values import ColumnName, ColumnValues, Value
from sqladder.databases.schema import Column, Database, Table, Write, definition_lines
from sqladder.databases.shown import SQLITE_SPELLING, Spelling


@dataclass(frozen=True)
class Notes:
    """What is known of a database beside its schema, and how it is written; columns are named (table, column)."""

    name: str = ""
    examples: ColumnValues = field(default_factory=dict)
    mentioned: ColumnValues = field(default_factory=dict)
    descriptions: Mapping[ColumnName, str] = field(default_factory=dict)
    spelling: Spelling = SQLITE_SPELLING


class Form(NamedTuple):
    """How to write a schema, and whether the form shows example values."""

    write: Callable[[Database, Notes], str]
    shows_examples: bool


def literal(value: Value) -> str:
    """Write a value as SQL does: 'it''s', 42."""
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def one_line(text: str) -> str:
    """Put a text from outside on one line: it then cannot end the comment that it stands in."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def ddl(database: Database, notes: Notes) -> str:
    """CREATE TABLE statements; mentioned values, if any, as comments."""
    return _commented_ddl(database, notes, {})


def ddl_values(database: Database, notes: Notes) -> str:
    """CREATE TABLE statements with example values of each column as comments."""
    return _commented_ddl(database, notes, notes.examples)


def _commented_ddl(database: Database, notes: Notes, examples: ColumnValues) -> str:
    return "\n".join(_commented_table(table, notes, examples) for table in database.tables)


def _commented_table(table: Table, notes: Notes, examples: ColumnValues) -> str:
    lines = definition_lines(table, notes.spelling.name, notes.spelling.type)
    comments = [_comment((table.name, column.name), notes, examples) for column in table.columns]
    comments += [""] * (len(lines) - len(comments))
    commas = [","] * (len(lines) - 1) + [""]
    body = "\n".join(
        f"  {line}{comma}{comment}"
        for line, comma, comment in zip(lines, commas, comments, strict=True)
    )
    # As a table it loads back, and its columns have types and comments.
    view = " -- a view" if table.is_view else ""
    return f"CREATE TABLE {notes.spelling.name(table.name)} (\n{body}\n);{view}"


def _comment(column: ColumnName, notes: Notes, examples: ColumnValues) -> str:
    parts = [one_line(notes.descriptions.get(column, ""))]
    for title, values in (("examples", examples), ("in the question", notes.mentioned)):
        if values.get(column):
            parts.append(f"{title}: " + ", ".join(map(literal, values[column])))
    text = "; ".join(filter(None, parts))
    return f" -- {text}" if text else ""


def compact(database: Database, notes: Notes) -> str:
    """One line a table, one a foreign key, one a column that the question mentions values of."""
    quoted = notes.spelling.name
    lines = [
        f"{quoted(table.name)}({', '.join(quoted(column.name) for column in table.columns)})"
        for table in database.tables
    ]
    lines += [
        f"{quoted(table)}.{quoted(column)} = {quoted(parent)}.{quoted(parent_column)}"
        for table, column, parent, parent_column in _foreign_key_pairs(database)
    ]
    return "\n".join(
        [*lines, *filter(None, [values_block(database, notes.mentioned, notes.spelling)])]
    )


def values_block(
    database: Database, mentioned: ColumnValues, spelling: Spelling = SQLITE_SPELLING
) -> str:
    """Write mentioned values of a database's tables, one column a line: table.column: 'a', 'b'."""
    quoted = spelling.name
    tables = {table.name for table in database.tables}
    return "\n".join(
        f"{quoted(table)}.{quoted(column)}: {', '.join(map(literal, values))}"
        for (table, column), values in mentioned.items()
        if table in tables
    )


def prose(database: Database, notes: Notes) -> str:
    """Sentences in the form of DB-GPT-Hub's dev_sql.json, on which the published experiment rests.

    Form: github.com/eosphoros-ai/DB-GPT-Hub, README, "data preprocessing".
    """
    quoted = notes.spelling.name
    names = ", ".join(quoted(table.name) for table in database.tables)
    tables = "\n".join(_table_prose(table, notes) for table in database.tables)
    text = f"{quoted(notes.name)} contains tables such as {names}. {tables}"
    return "\n".join([text, *(_key_prose(quoted, *key) for key in _foreign_key_pairs(database))])


def _table_prose(table: Table, notes: Notes) -> str:
    quoted = notes.spelling.name
    columns = ", ".join(quoted(column.name) for column in table.columns)
    text = f"Table {quoted(table.name)} has columns such as {columns}."
    if table.primary_key:
        text += f" {', '.join(map(quoted, table.primary_key))} is the primary key."
    for column in table.columns:
        if values := notes.mentioned.get((table.name, column.name)):
            shown = ", ".join(map(str, values))
            text += f" {quoted(column.name)} contains values such as {shown}."
    return text


def _key_prose(quoted: Write, table: str, column: str, parent: str, parent_column: str) -> str:
    here = f"The {quoted(column)} of {quoted(table)}"
    return f"{here} is the foreign key of {quoted(parent_column)} of {quoted(parent)}."


def m_schema(database: Database, notes: Notes) -> str:
    """M-Schema: a line a column with type, description, key and values; then the foreign keys.

    Form: github.com/XGenerationLab/M-Schema; Gao et al., XiYan-SQL, arXiv:2411.08599.
    """
    quoted = notes.spelling.name
    lines = [f"【DB_ID】 {one_line(notes.name)}", "【Schema】"]
    for table in database.tables:
        columns = ",\n".join(_m_schema_column(table, column, notes) for column in table.columns)
        kind = "View" if table.is_view else "Table"
        lines += [f"# {kind}: {quoted(table.name)}", "[", columns, "]"]
    keys = [
        f"{quoted(table)}.{quoted(column)}={quoted(parent)}.{quoted(parent_column)}"
        for table, column, parent, parent_column in _foreign_key_pairs(database)
    ]
    return "\n".join(lines + (["【Foreign keys】", *keys] if keys else []))


def _m_schema_column(table: Table, column: Column, notes: Notes) -> str:
    name = table.name, column.name
    kind = one_line(column.type).split("(")[0].strip().upper()
    parts = [f"{notes.spelling.name(column.name)}:{kind}"]
    if notes.descriptions.get(name):
        parts.append(one_line(notes.descriptions[name]))
    if column.name in table.primary_key:
        parts.append("Primary Key")
    # What the question mentions goes first, and is not said twice.
    values = dict.fromkeys((*notes.mentioned.get(name, ()), *notes.examples.get(name, ())))
    if values:
        parts.append(f"Examples: [{', '.join(map(str, values))}]")
    return f"({', '.join(parts)})"


def _foreign_key_pairs(database: Database) -> Iterator[tuple[str, str, str, str]]:
    """Table, column, parent table, parent column of each column of each foreign key."""
    for table in database.tables:
        for key in table.foreign_keys:
            # References can be empty: a key may name a parent that does not exist.
            for column, reference in zip(key.columns, key.references, strict=False):
                yield table.name, column, key.table, reference


FORMS = {
    "ddl": Form(ddl, shows_examples=False),
    "ddl_values": Form(ddl_values, shows_examples=True),
    "compact": Form(compact, shows_examples=False),
    "prose": Form(prose, shows_examples=False),
    "m_schema": Form(m_schema, shows_examples=True),
}
