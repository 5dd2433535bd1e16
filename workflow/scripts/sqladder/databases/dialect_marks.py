"""What SQL texts of one engine have that another's do not: words, signs and functions, after the engines' manuals."""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

NAMES = {
    "sqlite": "SQLite",
    "postgres": "PostgreSQL",
    "duckdb": "DuckDB",
    "mysql": "MySQL",
    "tsql": "SQL Server",
    "oracle": "Oracle",
    "snowflake": "Snowflake",
    "bigquery": "BigQuery",
}
"""The dialects that are told apart, as sqlglot calls them and as people do; the first one that fits is named first."""

Dialects = frozenset[str]


class Mark(NamedTuple):
    """Something in a text that only some dialects have: how it is shown, and which."""

    shown: str
    dialects: Dialects


# A letter each, so that the table below stays one.
_LETTERS = dict(zip("LPDMTOSB", NAMES, strict=True))

# Patterns on a text whose literals are emptied, without regard to case.
_PATTERNS = (
    (r"\bILIKE\b", "ILIKE", "PDS"),
    (r"::", "::", "PDS"),
    (r"\bSELECT\s+(?:DISTINCT\s+)?TOP\s*\(?\s*\d", "TOP", "TS"),
    (r"`", "backticks", "LMBD"),
    (r"\[[^\W\d][\w ]*\](?!\s*\()", "names in brackets", "LT"),
    (r"\bSIMILAR\s+TO\b", "SIMILAR TO", "PD"),
    (r"!?~~?\*?(?=\s*(?:''|\())", "~", "PD"),
    (r"\bR(?:EGEXP|LIKE)\b(?!\s*\()", "REGEXP", "MS"),
    (r"\bGLOB\b", "GLOB", "LD"),
    (r"==", "==", "LD"),
    (r"\bINTERVAL\s*(?:''|\d|\()", "INTERVAL", "PDMOSB"),
    (r"\b(?:DATE|TIME|TIMESTAMP|TIMESTAMPTZ|DATETIME)\s*''", "DATE before a text", "PDMOSB"),
    (r"\bEXTRACT\s*\(\s*\w+\s+FROM\b", "EXTRACT", "PDMOSB"),
    (r"\bSUBSTR(?:ING)?\s*\([^()]*\bFROM\b", "SUBSTRING ... FROM", "PDM"),
    (r"\bTRIM\s*\(\s*(?:BOTH|LEADING|TRAILING)\b", "TRIM with BOTH", "PDMOT"),
    (r"\bPOSITION\s*\([^()]*\bIN\b", "POSITION ... IN", "PDMS"),
    (r"\bDISTINCT\s+ON\s*\(", "DISTINCT ON", "PD"),
    (r"\bFETCH\s+(?:FIRST|NEXT)\b", "FETCH FIRST", "PTOS"),
    (r"\bOFFSET\s+\d+\s+ROWS?\b", "OFFSET ... ROWS", "PTOS"),
    (r"\bLIMIT\s+\d+\s*,", "LIMIT with a comma", "LM"),
    (r"\bLIMIT\s+(?:ALL|NULL)\b", "LIMIT ALL", "P"),
    (r"\bQUALIFY\b", "QUALIFY", "DSB"),
    (r"(?:[=<>])\s*(?:ANY|ALL|SOME)\s*\(", "ANY, ALL", "PDMTOS"),
    (r"\bSTRAIGHT_JOIN\b", "STRAIGHT_JOIN", "M"),
    (r"<=>", "<=>", "M"),
    (r"\w\s+DIV\s+\w", "DIV", "M"),
    (r"\w\s+MOD\s+\w", "MOD", "M"),
    (r"\w\s+XOR\s+\w", "XOR", "M"),
    (r"\bSEPARATOR\s*''", "SEPARATOR", "M"),
    (r"\b(?:CURRENT_DATE|CURRENT_TIME|CURRENT_TIMESTAMP)\s*\(", "CURRENT_DATE()", "MBDS"),
    (r"\bLIKE\s+BINARY\b|\bBINARY\s+\w", "BINARY", "M"),
    (r"\bCROSS\s+APPLY\b|\bOUTER\s+APPLY\b", "APPLY", "TO"),
    (r"\bJOIN\s+LATERAL\b|,\s*LATERAL\b", "LATERAL", "PDMO"),
    (r"\bGROUPING\s+SETS\b", "GROUPING SETS", "PDTOS"),
    (r"\b(?:ROLLUP|CUBE)\s*\(", "ROLLUP", "PDTOSB"),
    (r"\bWITH\s+ROLLUP\b", "WITH ROLLUP", "MT"),
    (r"\bWITH\s+TIES\b", "WITH TIES", "PTO"),
    (r"\bWITHIN\s+GROUP\b", "WITHIN GROUP", "PDTOS"),
    (r"\bFOR\s+(?:UPDATE|SHARE)\b", "FOR UPDATE", "PMO"),
    (r"\bWITH\s*\(\s*NOLOCK\s*\)", "NOLOCK", "T"),
    (r"\bAT\s+TIME\s+ZONE\b", "AT TIME ZONE", "PDTOSB"),
    (r"\bARRAY\s*\[", "ARRAY[]", "PDSB"),
    (r"@>|<@", "@>", "PD"),
    (r"\bN''", "N before a text", "TMO"),
    (r"\bE''", "E before a text", "PD"),
    (r"(?<!\w)\$\w*\$", "texts in dollars", "PDS"),
    (r"\b(?:dbo|public)\s*\.", "a schema's name before the table's", "PDT"),
    (r"\bTRY_CAST\s*\(|\bSAFE_CAST\s*\(", "TRY_CAST", "DTSB"),
    (r"\bCONVERT\s*\(", "CONVERT", "MT"),
    (r"\bSELECT\s+\*\s+EXCEPT\s*\(|\*\s+EXCLUDE\b|\*\s+REPLACE\s*\(", "* EXCEPT", "DSB"),
    (r"\bMINUS\s+SELECT\b", "MINUS", "O"),
    (r"\b(?:UNION|EXCEPT|INTERSECT)\s+DISTINCT\b", "UNION DISTINCT", "PDMB"),
    (r"\b(?:EXCEPT|INTERSECT)\s+ALL\b", "EXCEPT ALL", "PDM"),
    (r"\bGROUP\s+BY\s+ALL\b", "GROUP BY ALL", "DSB"),
    (r"\bORDER\s+BY\s+ALL\b", "ORDER BY ALL", "DS"),
    (r"^(?:(?!\bLIMIT\b).)*\bOFFSET\s+\d+(?!\s*ROW)", "OFFSET without LIMIT before it", "PD"),
    (r"\(\s*MAX\s*\)", "VARCHAR(MAX)", "T"),
    (r"\bTABLESAMPLE\b", "TABLESAMPLE", "PDTSB"),
    (r"\bBETWEEN\s+SYMMETRIC\b", "BETWEEN SYMMETRIC", "P"),
    (r"\b(?:USE|FORCE|IGNORE)\s+INDEX\s*\(", "USE INDEX", "M"),
    (r"\bSQL_CALC_FOUND_ROWS\b", "SQL_CALC_FOUND_ROWS", "M"),
    (r"\bAGAINST\s*\(", "MATCH ... AGAINST", "M"),
    (r"^\s*FROM\b", "FROM before SELECT", "D"),
    (r"\bFROM\s+DUAL\b", "DUAL", "MO"),
    (r"\bROWNUM\b", "ROWNUM", "O"),
    (r"\bSYSDATE\b(?!\s*\()", "SYSDATE", "O"),
    (r"^\s*\(+\s*SELECT\b", "a SELECT in parentheses", "PDMTOSB"),
    (r"\b(?:UNION|EXCEPT|INTERSECT)(?: ALL)?\s*\(+\s*SELECT\b", "a SELECT in parentheses", "PDMTOSB"),
)  # fmt: skip

# What an engine's message says of a text that another engine takes.
_MESSAGES = (
    (r"DISTINCT aggregates|number of arguments to function COUNT", "DISTINCT over several columns", "MPDS"),
    (r"row value misused", "values in parentheses", "PDM"),
    (r"no such collation sequence", "COLLATE", "PDMTS"),
    (r"must appear in the GROUP BY|GROUP BY clause|only_full_group_by", "columns beside an aggregate", "LM"),
)  # fmt: skip
_MARKS, _ABOUT = (
    tuple(
        (
            re.compile(pattern, re.IGNORECASE | re.DOTALL),
            Mark(shown, frozenset(map(_LETTERS.__getitem__, letters))),
        )
        for pattern, shown, letters in table
    )
    for table in (_PATTERNS, _MESSAGES)
)

_FUNCTIONS = {
    "sqlite": """
        abs avg changes char coalesce count cume_dist date datetime dense_rank first_value format glob group_concat hex
        ifnull iif instr json json_array json_each json_extract json_object julianday lag last_value lead length like
        likelihood likely lower ltrim max min nth_value ntile nullif percent_rank printf quote random randomblob rank
        replace round row_number rtrim sign soundex strftime substr substring sum time timediff total trim typeof
        unicode unixepoch unlikely upper zeroblob
    """,
    "postgres": """
        abs age array_agg array_length array_position array_to_string ascii avg bit_count bool_and bool_or btrim
        cardinality ceil ceiling char_length character_length chr clock_timestamp coalesce concat concat_ws corr count
        cume_dist date_bin date_part date_trunc dense_rank div every first_value floor format generate_series greatest
        initcap json_agg jsonb_agg lag last_value lead least left length lower lpad ltrim make_date make_interval max
        md5 min mod mode now nth_value ntile nullif percent_rank percentile_cont percentile_disc pg_sleep position power
        random rank regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table repeat
        replace reverse right round row_number rpad rtrim sign split_part sqrt stddev stddev_pop stddev_samp string_agg
        string_to_array strpos substr substring sum to_char to_date to_number to_timestamp translate trim trunc unnest
        upper var_pop var_samp variance width_bucket
    """,
    "duckdb": """
        abs age any_value approx_count_distinct arg_max arg_min array_agg array_length array_to_string ascii avg
        bit_count bool_and bool_or ceil ceiling char_length character_length chr coalesce concat concat_ws contains corr
        count count_if cume_dist date_add date_diff date_part date_sub date_trunc datediff datepart day dayname
        dayofmonth dayofweek dayofyear dense_rank ends_with epoch first first_value floor format generate_series
        greatest group_concat hour ifnull instr isodow json_extract julian lag last last_day last_value lcase lead least
        left len length list list_contains listagg lower lpad ltrim make_date max md5 median min minute mod mode month
        monthname now nth_value ntile nullif percent_rank position pow power prefix printf product quantile
        quantile_cont quarter random range rank regexp_extract regexp_full_match regexp_matches regexp_replace repeat
        replace reverse right round row_number rpad rtrim second sign split split_part sqrt starts_with stddev
        stddev_pop stddev_samp str_split strftime string_agg string_split strip_accents strlen strpos strptime substr
        substring substring sum to_days to_timestamp today translate trim trunc typeof ucase unnest upper var_pop
        var_samp variance week weekday weekofyear year yearweek
    """,
    "mysql": """
        abs adddate addtime any_value ascii avg bin bit_count bit_length ceil ceiling char char_length character_length
        coalesce concat concat_ws conv convert_tz count cume_dist curdate curtime date date_add date_format date_sub
        datediff day dayname dayofmonth dayofweek dayofyear dense_rank elt field find_in_set first_value floor format
        from_days from_unixtime greatest group_concat hex hour if ifnull insert instr json_arrayagg json_extract
        json_object lag last_day last_value lcase lead least left length locate log10 log2 lower lpad ltrim makedate max
        md5 mid min minute mod month monthname now nth_value ntile nullif oct ord percent_rank period_add period_diff
        position pow power quarter rand rank regexp_like regexp_replace regexp_substr repeat replace reverse right round
        row_number rpad rtrim sec_to_time second sign sleep space sqrt std stddev stddev_pop stddev_samp str_to_date
        strcmp subdate substr substring substring_index subtime sum sysdate time time_format time_to_sec timediff
        timestampadd timestampdiff to_days trim truncate ucase unix_timestamp upper utc_date utc_timestamp var_pop
        var_samp variance week weekday weekofyear year yearweek
    """,
    "tsql": """
        abs approx_count_distinct ascii avg ceiling char charindex choose coalesce concat concat_ws count count_big
        cume_dist dateadd datediff datefromparts datename datepart datetrunc day dense_rank eomonth first_value floor
        format getdate getutcdate iif isdate isnull isnumeric lag last_value lead left len lower ltrim max min month
        nchar newid ntile nullif patindex percent_rank percentile_cont power quotename rank replace replicate reverse
        right round row_number rtrim sign space sqrt square stdev stdevp str string_agg string_split stuff substring sum
        sysdatetime translate trim try_convert unicode upper var varp year
    """,
    "oracle": """
        abs add_months approx_count_distinct ascii avg ceil chr coalesce concat count cume_dist decode dense_rank floor
        greatest initcap instr lag last_day last_value lead least length listagg lower lpad ltrim max median min mod
        months_between next_day ntile nullif nvl nvl2 power rank regexp_count regexp_instr regexp_like regexp_replace
        regexp_substr replace round row_number rpad rtrim sign sqrt stddev substr sum systimestamp to_char to_date
        to_number to_timestamp translate trim trunc upper variance
    """,
    "snowflake": """
        abs add_months any_value approx_count_distinct array_agg avg ceil charindex coalesce concat concat_ws contains
        count count_if date_part date_trunc dateadd datediff day dayname decode dense_rank div0 endswith floor getdate
        greatest iff ifnull ilike initcap lag last_day lead least left len length listagg lower lpad ltrim max median
        min mod month monthname nullif nvl nvl2 power quarter rank regexp_like regexp_replace regexp_substr replace
        right round row_number rpad rtrim split split_part sqrt startswith stddev substr sum sysdate to_char to_date
        to_number to_timestamp to_varchar trim trunc try_to_date try_to_number upper variance week year zeroifnull
    """,
    "bigquery": """
        abs any_value approx_count_distinct array_agg array_length array_to_string avg bit_count ceil coalesce concat
        contains_substr count countif current_datetime date_add date_diff date_sub date_trunc datetime_diff ends_with
        farm_fingerprint floor format format_date format_datetime format_timestamp generate_array generate_date_array
        greatest ieee_divide if ifnull lag last_day lead least length logical_and logical_or lower lpad ltrim max min
        mod nullif parse_date parse_datetime parse_timestamp pow power rank regexp_contains regexp_extract
        regexp_replace replace round row_number rpad rtrim safe_divide split sqrt starts_with stddev string_agg strpos
        substr sum timestamp_diff timestamp_trunc trim trunc unnest upper variance
    """,
}
"""Functions of each dialect, as its manual lists them: the usual ones, not all."""

_CALLED = re.compile(r"(?<![\w.])([^\W\d]\w*)\s*\(")
# Literals and comments, whose inside says nothing of the dialect. A name in quotes keeps them.
_INSIDE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)


@cache
def functions() -> dict[str, Dialects]:
    """Function, in lower case -> the dialects that have it."""
    found: dict[str, set[str]] = {}
    for dialect, text in _FUNCTIONS.items():
        for name in text.split():
            found.setdefault(name, set()).add(dialect)
    return {name: frozenset(dialects) for name, dialects in found.items()}


def marks(sql: str, message: str, own: str, own_functions: frozenset[str]) -> Iterator[Mark]:
    """What in a text the engine that rejected it does not have, and others do.

    Args:
        sql: the text.
        message: what the engine said.
        own: the engine's dialect.
        own_functions: functions that the engine has whatever the lists say, in lower case.
    """
    bare = _INSIDE.sub(lambda found: "''" if found[0][0] == "'" else '""', sql)
    for pattern, mark in _MARKS:
        if own not in mark.dialects and pattern.search(bare):
            yield mark
    for pattern, mark in _ABOUT:
        if own not in mark.dialects and pattern.search(message):
            yield mark
    for name in dict.fromkeys(found[1].lower() for found in _CALLED.finditer(bare)):
        dialects = functions().get(name, frozenset())
        if dialects and own not in dialects and name not in own_functions:
            yield Mark(name.upper(), dialects)
