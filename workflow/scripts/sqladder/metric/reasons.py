"""Why a prediction is not correct: a code with what was expected and found, and the sentence for people."""

SENTENCES = {
    "rows": "{found} rows, gold has {expected}",
    "more_rows": "more rows than gold's {expected}",
    "columns": "{found} columns, gold has {expected}",
    "values": "other values than gold",
    "ambiguous_columns": "too many ways to match the columns with gold's",
    "error": "{found}",
    "steps": "more than {expected} steps (limit max_vm_steps)",
    "seconds": "more than {expected:g} s (limit timeout)",
    "memory": "more than {expected} MiB of memory (limit memory_mb)",
    "process": "ended its process (signal {found})",
    "value_bytes": "a value of more than {expected} bytes (limit max_bytes)",
    "result_bytes": "result holds more than {expected} bytes (limit max_bytes)",
    "result_rows": "result holds more than {expected} rows (limit max_rows)",
    "characters": "{found} characters of SQL, more than {expected} (limit max_sql_chars)",
    "nul": "the text holds a NUL character",
    "surrogate": "the text holds half a surrogate pair",
    "statements": "more than one statement",
    "not_allowed": "not allowed: {found}; a query may only read",
    "no_statement": "the text holds no statement",
    "no_query": "the statement is no query",
}
"""Code -> sentence with what was expected (of gold, or a limit) and found (in the prediction, or by the database)."""

Expected = int | float | None
Found = int | str | None


def sentence(reason: str, expected: Expected = None, found: Found = None) -> str:
    """A reason in words; "" for none."""
    return SENTENCES[reason].format(expected=expected, found=found) if reason else ""


def explanation(
    verdict: str, file: str | None, reason: str, expected: Expected, found: Found
) -> str:
    """The fields of a verdict in words: the database file, whether gold is meant, and the reason."""
    gold = "gold" if verdict == "gold_error" else ""
    return ": ".join(filter(None, (file, gold, sentence(reason, expected, found))))
