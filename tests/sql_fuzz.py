"""Random SQL, sane and hostile, and an independent check of what the scorer calls correct."""

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

from sqladder.metric import normalise

TABLES = {"singer": ["name", "age"], "song": ["title", "singer", "year"]}
GOLDS = [
    "select name from singer",
    "select count(*) from singer",
    "select name, age from singer where age > 30 order by age",
    "select name from singer where age > 1000",
    "select age, count(*) from singer group by age",
    "select singer.name, song.title from singer join song on singer.name = song.singer",
    "select max(year), min(year), avg(year) from song",
    "select name from singer where name not in (select singer from song)",
    "select distinct age from singer union select year from song",
]
HOSTILE = [
    *("drop table singer", "delete from singer", "attach 'x' as y", "vacuum", "pragma a=1"),
    *("with recursive t(x) as (select 1 union all select x+1 from t) select x from t", "begin"),
    *("insert into song select 1,2,3 returning 1", "update singer set age=1", "create table q(a)"),
    *("'", '"', "`", "[", "]", "(", ")", ";", "--", "/*", "*/", "\0", "\t", "\n", "\r", "\\", "%s"),
    *(
        "\ud800",
        "\ufeff",
        "é",
        "\u2028",
        "(((((((((",
        "))))",
        "zeroblob(1e9)",
        "randomblob(99999999)",
    ),
    *("hex(zeroblob(300000))", "printf('%99999999d',1)", "9e999", "-9223372036854775808", "null"),
    *(
        "like '%%%%%%%%%'",
        "glob '*a*a*a*'",
        "collate nocase",
        "value",
        "distinct",
        "? ",
        ":x",
        "x''",
    ),
    *(
        "order by 1",
        "limit -1",
        "offset 9",
        "having 1",
        "over ()",
        "values(1)",
        "explain",
        "json('['",
    ),
]


def write_databases(folder: Path) -> None:
    """Two files of one database, with NULLs, numbers as text, blobs and text that is not UTF-8."""
    folder.mkdir(parents=True)
    for number, name in enumerate(("concert.sqlite", "concert_v1.sqlite")):
        with closing(sqlite3.connect(folder / name)) as connection:
            connection.execute("create table singer(name text, age integer)")
            connection.execute("create table song(title, singer, year)")
            for i in range(12):
                row = (f"singer {i % 9}", None if i == 5 else 20 + (7 * i + number) % 30)
                connection.execute("insert into singer values(?, ?)", row)
                song = (
                    "s" * (i % 3),
                    f"singer {i * 5 % 13}",
                    [i, float(i), str(i), b"\xff"][i % 4],
                )
                connection.execute("insert into song values(?, ?, ?)", song)
            connection.execute("insert into song values(cast(x'61ff62' as text), 'singer 1', 1)")
            connection.commit()


def random_query(rng: random.Random) -> str:
    """A gold query, a random one, or either with hostile pieces put in anywhere."""
    sql = rng.choice(GOLDS) if rng.random() < 0.4 else _select(rng, 3)
    for _ in range(rng.choice((0, 0, 1, 1, 2, 5))):
        at = rng.randint(0, len(sql))
        cut = at + rng.choice((0, 0, 0, rng.randint(0, 10)))
        blank = rng.choice(("", " "))
        sql = sql[:at] + blank + rng.choice(HOSTILE) + blank + sql[cut:]
    if rng.random() < 0.02:
        sql = sql.replace(" ", " " * rng.randint(1, 3000))
    if rng.random() < 0.02:
        sql = f"select {'(' * 50}{rng.choice(HOSTILE) * rng.randint(1, 2000)}"
    return sql


def random_pair(rng: random.Random) -> tuple[str, str]:
    """A gold query with a random one, or one with anything quoted and what only looks the same."""
    if rng.random() < 0.7:
        return rng.choice(GOLDS), random_query(rng)
    gold = quoted_query(rng)
    return gold, look_alike(rng, gold)


def quoted_query(rng: random.Random) -> str:
    """A query with literals, quoted names, blobs and comments that hold quotes, backslashes and keywords."""
    shapes = (
        "select {} from singer",
        "select name, {} from singer order by {}",
        "select name from singer where name like '%\\_%' escape '\\' or name < {} and 'B' > {}",
        "select '\\' as {name}, {}, 'B' from singer",
        "select a.{name} from (select {} as {name} from singer) as a where {} <> 'B'",
    )
    sql = rng.choice(shapes)
    while "{}" in sql:
        sql = sql.replace("{}", _between(rng, ("''", "''", '""', ("x'", "'"))), 1)
    sql = sql.replace("{name}", _between(rng, ('""', "``", "[]")))
    if rng.random() < 0.3:
        place = rng.choice([at for at, character in enumerate(sql) if character == " "])
        comment = _between(rng, (("/*", "*/"), ("--", "\n"), ("# ", "\n")))
        sql = f"{sql[:place]} {comment} {sql[place:]}"
    return sql


def look_alike(rng: random.Random, sql: str) -> str:
    """A text with other case and blanks in some places, as if nothing in it were quoted."""
    changes = (str.upper, str.lower, str.swapcase)
    at = sorted(rng.randint(0, len(sql)) for _ in range(2))
    sql = sql[: at[0]] + rng.choice(changes)(sql[at[0] : at[1]]) + sql[at[1] :]
    for _ in range(rng.randint(0, 3)):
        blanks = [place for place, character in enumerate(sql) if character.isspace()]
        if blanks:
            place = rng.choice(blanks)
            sql = sql[:place] + rng.choice(("  ", "\n", "\t", "\r", "")) + sql[place + 1 :]
    return sql


def _between(rng: random.Random, quotes: Sequence[str | tuple[str, str]]) -> str:
    """A text between quotes, in most cases one that ends where the last of them stands."""
    opening, closing = rng.choice(quotes)
    pieces = [
        *("a", "B", " ", "  ", "\\", "\\", "'", '"', "`", "]", "[", "--", "/*", "*/", "\n", "\r")
    ]
    pieces += ["# ", ";", "x", "distinct ", "order by ", "''", "\\'", '\\"', "(", ")", "é", "É"]
    if opening == "x'":
        pieces = ["0F", "a1"]
    text = "".join(rng.choice(pieces) for _ in range(rng.randint(0, 4)))
    if rng.random() < 0.9:
        text = text.replace(closing, closing * 2 if opening == closing else "")
    return opening + text + closing


def _select(rng: random.Random, depth: int) -> str:
    table = rng.choice(list(TABLES))
    columns = ", ".join(_value(rng, table, depth) for _ in range(rng.randint(1, 4)))
    source = table
    if rng.random() < 0.3:
        other = rng.choice(list(TABLES))
        source += f" as a {rng.choice(('join', 'left join', 'cross join', ','))} {other} as b"
    sql = f"select {columns} from {source}"
    if rng.random() < 0.5:
        sql += f" where {_condition(rng, table, depth)}"
    if rng.random() < 0.2:
        sql += f" group by {rng.choice(TABLES[table])}"
    if rng.random() < 0.2:
        sql += f" order by {rng.randint(1, 2)} {rng.choice(('', 'desc'))}"
    if rng.random() < 0.2:
        sql += f" limit {rng.randint(0, 9)}"
    if depth and rng.random() < 0.2:
        sql += f" {rng.choice(('union', 'union all', 'except'))} {_select(rng, depth - 1)}"
    return sql


def _value(rng: random.Random, table: str, depth: int) -> str:
    column = rng.choice(TABLES[table])
    if depth and rng.random() < 0.1:
        return f"({_select(rng, depth - 1)})"
    shapes = ("{}", "{}", "{}", "count({})", "max({})", "upper({})", "{} + 1", "count(distinct {})")
    return rng.choice((*shapes, "*", "count(*)", "'text'", "1.0", "group_concat({})")).format(
        column
    )


def _condition(rng: random.Random, table: str, depth: int) -> str:
    column = rng.choice(TABLES[table])
    if depth and rng.random() < 0.2:
        return f"{column} in ({_select(rng, depth - 1)})"
    operator = rng.choice(("=", "<>", ">", "> =", "is not", "like", "between 1 and"))
    return f"{column} {operator} {rng.choice(('1', '20', 'name', 'null'))}"


def confirms(folder: Path, gold: str, prediction: str) -> bool:
    """Whether a plain execution on copies agrees that a prediction may be called correct.

    It compares bags of rows whose values are sorted: weaker than the scorer, and independent.
    """
    for path in sorted(folder.glob("*.sqlite")):
        found = [
            list(_plain_rows(path, text))
            for text in (normalise.prepare_gold(gold), normalise.prepare_prediction(prediction))
        ]
        if found[0] != found[1]:
            return False
    return True


def _plain_rows(path: Path, sql: str) -> Iterator[tuple]:
    with closing(sqlite3.connect(":memory:")) as copy, closing(sqlite3.connect(path)) as source:
        source.backup(copy)
        copy.text_factory = lambda raw: raw.decode(errors="ignore")
        cursor = copy.execute(sql)
        assert cursor.description is not None, "no query"
        rows = [Counter(map(_number, row)) for row in cursor]
        yield from sorted((sorted(map(repr, row.items())) for row in rows), key=repr)


def _number(value: object) -> object:
    """Equal numbers get one printed form."""
    with suppress(OverflowError, ValueError):
        if isinstance(value, float) and value == int(value):
            return int(value)
    return value
