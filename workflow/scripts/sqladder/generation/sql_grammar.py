"""The grammar of the answers that may be written: one SELECT of SQLite, with any names or with a database's own."""

from collections.abc import Iterable, Mapping, Sequence

from sqladder.databases.schema import Table, quoted
from sqladder.generation.spacing import Terminals, in_any_case, in_characters

# What follows a clause stands in a rule of its own (after_...), so that one that is left out costs nothing.
_SELECT: Mapping[str, str] = {
    "answer": "query | query ;",
    "query": "SELECT items FROM source joins | SELECT DISTINCT items FROM source joins",
    "items": "item | item , items",
    "item": "* | table . * | alias . * | value | value AS output",
    "source": (
        "table | table alias | table AS called | subquery | subquery alias | subquery AS called"
    ),
    "subquery": "( query )",
    "joins": (
        "join source ON condition joins | join source USING ( columns ) joins | join source joins "
        "| , source joins | after_from"
    ),
    "join": "JOIN | INNER JOIN | LEFT JOIN | LEFT OUTER JOIN | CROSS JOIN | NATURAL JOIN",
    "columns": "column | column , columns",
    "after_from": "WHERE condition after_where | after_where",
    "after_where": "GROUP BY values after_group | after_having",
    "after_group": "HAVING condition after_having | after_having",
    "after_having": (
        "UNION query | UNION ALL query | INTERSECT query | EXCEPT query | ORDER BY order "
        "after_order | after_order"
    ),
    "order": "key | key direction | key , order | key direction , order",
    "key": "value | value relation value",
    "direction": "ASC | DESC",
    "after_order": (
        "LIMIT integer | LIMIT integer OFFSET integer | LIMIT integer , integer | nothing"
    ),
    "condition": "test | test AND condition | test OR condition",
    "test": "value comparison | NOT test | EXISTS subquery | ( condition )",
    "comparison": (
        "relation operand | LIKE operand | IN among | BETWEEN operand AND operand | NOT LIKE "
        "operand | NOT IN among | NOT BETWEEN operand AND operand | IS NULL | IS NOT NULL"
    ),
    "relation": "= | == | != | <> | < | <= | > | >=",
    "among": "subquery | ( operands )",
    "operands": "operand | operand , operands",
    "operand": "value | double_quoted",
    "values": "value | value , values",
    # One sign at most, since two would begin a comment.
    "value": "terms | - terms",
    "terms": "term | term operator terms",
    "operator": "+ | - | * | / | % | ||",
    "term": (
        "column | qualified | number | single_quoted | NULL | subquery | ( value ) | aggregate ( "
        "value ) | aggregate ( DISTINCT value ) | COUNT ( * ) | function ( operands ) | CAST ( "
        "value AS type ) | IIF ( condition , operand , operand ) | CASE cases END | CASE value "
        "choices END"
    ),
    "cases": (
        "WHEN condition THEN operand | WHEN condition THEN operand ELSE operand | WHEN condition "
        "THEN operand cases"
    ),
    "choices": (
        "WHEN operand THEN operand | WHEN operand THEN operand ELSE operand | WHEN operand THEN "
        "operand choices"
    ),
    "nothing": "",
}

_AGGREGATES = "avg count group_concat max min sum total"
# Each takes any operands, one at least: how many it wants, SQLite says.
_FUNCTIONS = (
    "abs coalesce date datetime ifnull instr julianday length lower ltrim nullif replace round rtrim strftime substr "
    "time trim upper"
)
_TYPES = "date datetime double float int integer numeric real text varchar"


def _any_of(texts: Iterable[str]) -> list[str]:
    return [in_any_case(text) for text in sorted(texts)]


_WORDS: Mapping[str, Sequence[str]] = {
    "aggregate": _any_of(_AGGREGATES.split()),
    "function": _any_of(_FUNCTIONS.split()),
    "type": _any_of(_TYPES.split()),
    "integer": ["[0-9] [0-9]*"],
    "number": ["[0-9] [0-9]*", '[0-9] [0-9]* "." [0-9] [0-9]*'],
    # Short, so that none is read where the next clause begins.
    "alias": ["[a-zA-Z] [0-9]*"],
}
# Of these a text in quotes has the tab alone: SQLite reads none with NUL, and what prints answers not all others.
_CONTROL = r"\u0000-\u0008\u000a-\u001f"
_SIGNS: Mapping[str, Sequence[str]] = {
    "single_quoted": [rf"""['] [^'{_CONTROL}]* (['] ['] [^'{_CONTROL}]*)* [']"""],
    "double_quoted": [rf"""["] [^"{_CONTROL}]* (["] ["] [^"{_CONTROL}]*)* ["]"""],
}
_NAME = "bare_name | quoted_name"


def any_names() -> str:
    """One SELECT with whatever names: it can be read, and may ask for what the database does not hold.

    A grammar of characters cannot leave out single words at a price that is worth it, so a keyword may stand where a
    name does.
    """
    rules = {
        **_SELECT,
        "item": "* | table . * | value | value AS output",
        **dict.fromkeys(("table", "column", "output", "called"), _NAME),
        "qualified": "table . column",
    }
    words = {**_WORDS, "bare_name": ["[a-zA-Z_] [a-zA-Z0-9_$]*"]}
    quoted_name = [*_SIGNS["double_quoted"], rf"[`] [^`{_CONTROL}] [^`{_CONTROL}]* [`]"]
    return in_characters(rules, Terminals(words, {**_SIGNS, "quoted_name": quoted_name}), "answer")


def own_names(tables: Sequence[Table]) -> str:
    """One SELECT with the names of a database alone, in quotes where they must be.

    A column may follow a table that has it, or an alias: a letter, and digits; which table it stands for, a grammar
    cannot know. What a query calls a column of its result (AS) is the name of a column of the database too, so that it
    can be asked for.

    Args:
        tables: the database's tables and views.
    """
    names = _Names()
    rules = {
        **_SELECT,
        "column": names.any_of("column", [each.name for table in tables for each in table.columns]),
        "table": names.any_of("table", [table.name for table in tables]),
        "output": "column",
        "called": "alias",
    }
    qualified = ["alias . column"]
    for number, table in enumerate(tables):
        rules[f"table_{number}"] = names.any_of(f"table_{number}", [table.name])
        own = [column.name for column in table.columns]
        rules[f"column_{number}"] = names.any_of(f"column_{number}", own)
        qualified.append(f"table_{number} . column_{number}")
    rules["qualified"] = " | ".join(qualified)
    terminals = Terminals({**_WORDS, **names.words}, {**_SIGNS, **names.signs})
    return in_characters(rules, terminals, "answer")


class _Names:
    """Terminals of names: one that may stand bare is a word, one that needs quotation marks is none."""

    def __init__(self) -> None:
        self.words: dict[str, list[str]] = {}
        self.signs: dict[str, list[str]] = {}

    def any_of(self, kind: str, names: Iterable[str]) -> str:
        """The alternatives of a rule for any of some names."""
        written = {name: quoted(name) for name in names}
        bare = {name for name, text in written.items() if text == name}
        in_quotes = {text for name, text in written.items() if text != name}
        alternatives = []
        if bare:
            self.words[f"bare_{kind}"] = _any_of({_folded(name) for name in bare})
            alternatives.append(f"bare_{kind}")
        if in_quotes:
            self.signs[f"quoted_{kind}"] = _any_of({_folded(text) for text in in_quotes})
            alternatives.append(f"quoted_{kind}")
        return " | ".join(alternatives)


def _folded(name: str) -> str:
    """A name as SQLite compares it: capital letters of ASCII are small ones."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in name)
