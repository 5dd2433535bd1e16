"""Cut SQL text into tokens at the same places as the official evaluator's tokeniser does.

The official evaluator uses sqlparse. Only the boundaries of its tokens, and which of them are
white space, comments or literals, reach a verdict; its keyword tables and its grouping, which is
what makes it slow on deep parentheses, do not. One regular expression gives the boundaries in
linear time. The joined texts of the tokens are the input, character by character.
"""

import re
from typing import NamedTuple

NEWLINE, SPACE, COMMENT, SINGLE, DOUBLE, OTHER = (
    "newline",
    "space",
    "comment",
    "single",
    "double",
    "other",
)

# A letter that may start a name; digits and the underscore may not follow some numbers either.
_LETTER = "A-Za-zÀ-Üà-ü"
_NO_NAME_BEFORE, _NO_NAME_AFTER = rf"(?![_{_LETTER}])", rf"(?![_{_LETTER}])"

# Alternatives are tried in this order. Quantifiers over anything but a quote are possessive, so
# that an unclosed literal fails in linear time. `# ` opens a comment and `\'` does not close a
# literal, both unlike SQLite: kept, because they decide where `distinct` and `;` are seen.
_TOKEN = re.compile(
    rf"""
      (?P<comment> (?:--|\#[ ]) [^\r\n]*+ (?:\r\n|\r|\n)? | /\* .*? \*/ )
    | (?P<newline> \r\n | \r | \n )
    | (?P<space> \s )
    | (?P<single> ' (?: [^'\\]++ | '' | \\' | \\ )* ' )
    | (?P<double> " (?: [^"\\]++ | "" | \\" | \\ )* " )
    | (?P<other>
          := | :: | \*
        | ` (?: [^`]++ | `` )* `
        | ´ (?: [^´]++ | ´´ )* ´
        | \? | % (?: \(\w+\) )? [sS]
        | (?<!\w) [$:] \w+
        | (?: @ | \#\#? ) [{_LETTER}] \w+
        | (?<=\.) [{_LETTER}] \w*
        | [{_LETTER}] \w* (?= \s*\. | \( )
        | -? 0[xX] [\dA-Fa-f]+
        | -? \d+ (?: \.\d+ )? [eE] -? \d+
        | {_NO_NAME_BEFORE} -? (?: \d+\.\d* | \.\d+ ) {_NO_NAME_AFTER}
        | {_NO_NAME_BEFORE} -? \d+ {_NO_NAME_AFTER}
        | (?<![\w\])]) \[ [^\]\[]+ \]
        | \w [$\#\w]*
        | [;:()\[\],.]
        | ->>? | \#>>? | @> | <@ | \#- | -
        | [<>=~!]+
        | [+/@\#%^&|]  [+/@\#%^&|-]*
        | .
      )
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """One piece of SQL text: `kind` is one of the constants of this module."""

    kind: str
    text: str


def tokenize(sql: str) -> list[Token]:
    """Cut SQL text into tokens."""
    return [Token(match.lastgroup or OTHER, match.group()) for match in _TOKEN.finditer(sql)]


def first_statement(sql: str) -> list[Token]:
    """Tokens up to and with the first `;` outside parentheses; all of them if there is none.

    Blanks and line comments that follow the `;` belong to the statement that it ends, which
    matters only for a text that starts with `;`: its first statement is empty.
    """
    depth, ended, statement = 0, False, []
    for token in tokenize(sql):
        if ended and token.kind != SPACE and not _is_line_comment(token):
            break
        if token.text == "(":
            depth += 1
        elif token.text == ")":
            depth -= 1
        elif token.text == ";" and depth <= 0:
            ended = True
        statement.append(token)
    return statement


def _is_line_comment(token: Token) -> bool:
    return token.kind == COMMENT and not token.text.startswith("/*")


def has_statement(sql: str) -> bool:
    """Whether the text holds anything but blanks, comments and semicolons."""
    return any(
        token.kind not in (SPACE, NEWLINE, COMMENT) and token.text != ";" for token in tokenize(sql)
    )
