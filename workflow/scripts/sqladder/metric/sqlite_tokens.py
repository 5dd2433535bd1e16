"""Cut SQL text into the tokens of SQLite's own grammar, for what decides without executing anything.

lexer.py cuts as the official evaluator does, which takes a backslash for an escape, `# ` for a comment and a carriage
return for the end of one. SQLite knows none of these, so those tokens do not say what SQLite reads.

Source: https://www.sqlite.org/draft/tokenreq.html and the tokenizer of SQLite (src/tokenize.c).
"""

import re

# The start of a name, and what may follow: SQLite folds and knows the case of ASCII letters only. Said by what of ASCII
# may not stand there, since a class that lists all else takes fifty times as long to compile, in every process.
_START = r"(?!\uFEFF) [^\x00-@\[-^`{-\x7F]"
_FOLLOW = r"[^\x00-\#%-/:-@\[-^`{-\x7F]"

# Alternatives are tried in this order; quantifiers are possessive, so that an unclosed literal fails in linear time.
# Texts on which versions of SQLite differ are no tokens: a byte-order mark between tokens, digits with `_`.
_TOKEN = re.compile(
    rf"""
      (?P<blank> [ \t\n\f\r]++ )
    | (?P<comment> -- [^\n]*+ | /\* .*? \*/ )
    | (?P<quoted>
          ' (?: [^'] | '' )*+ ' | " (?: [^"] | "" )*+ " | ` (?: [^`] | `` )*+ ` | \[ [^\]]*+ \]
        | [xX] ' (?: [0-9a-fA-F]{{2}} )*+ '
      )
    | (?P<bare>
          (?: 0[xX] [0-9a-fA-F]++ | (?: [0-9]++ (?: \.[0-9]*+ )?+ | \.[0-9]++ ) (?: [eE][+-]?[0-9]++ )?+ )
          (?! {_FOLLOW} )
        | {_START} {_FOLLOW}*+
        | ->>? | \|\| | << | >> | <= | <> | >= | == | !=
        | [-+*/%=<>&|~,;.()]
      )
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)


def words(sql: str, comments: bool = False) -> list[str] | None:
    """Tokens of a text without blanks: unquoted ones in lower case, quoted ones as they are; None if one is illegal.

    Args:
        sql: the text.
        comments: keep the comments too.
    """
    found, position = [], 0
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        if match is None:
            return None
        position = match.end()
        if match.lastgroup == "bare":
            word = match.group()
            found.append(word.lower() if word.isascii() else word)
        elif match.lastgroup == "quoted" or (comments and match.lastgroup == "comment"):
            found.append(match.group())
    return found
