"""A grammar of words and signs, written as one of characters (GBNF) with white space where it may or must stand.

Characters know no words: where white space is merely allowed, `SELECTname` or `a.nameFROM` would do. So each rule is
written for each state in which it can begin: after a word, where white space has to part it from another word, after
anything else, or after the dot inside a name, where none may stand. What may end in a word, or in a sign, is taken to
end in a word: a word that follows it has white space before it.

xgrammar prepares what it can decide inside one rule without `+`, `?` and `{}`, and decides the rest anew at each
token. So white space stands in the rule of the word that it precedes; outside of it, a token takes a hundred times as
long where any name may follow.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["word", "sign", "dot"]


@dataclass(frozen=True)
class Terminals:
    """What stands in a text as it is: names of terminals, each with alternatives in GBNF, of letters without groups.

    Attributes:
        words: those that white space has to part from another word.
        signs: those that begin and end with a quotation mark or another sign.
    """

    words: Mapping[str, Sequence[str]]
    signs: Mapping[str, Sequence[str]]


def in_characters(rules: Mapping[str, str], terminals: Terminals, root: str) -> str:
    """Write a grammar as xgrammar reads it, one rule a line.

    Args:
        rules: for each rule its alternatives with ` | ` between them, each of them symbols with a blank between them:
            names of rules and terminals, keywords in capital letters, in any case in the text, signs as they are, and
            `.` inside a name. An empty one is nothing.
        terminals: what the rules do not spell out.
        root: the rule that makes up the whole text.
    """
    return _Writer(rules, terminals).text(root)


class _Writer:
    def __init__(self, rules: Mapping[str, str], terminals: Terminals) -> None:
        self._rules, self._terminals = rules, terminals
        self._bodies: dict[str, str] = {}

    def text(self, root: str) -> str:
        self._bodies["root"] = ""
        self._bodies["root"] = rf"{self._rule(root, 'sign')} [ \t\n]*"
        return "".join(f"{name} ::= {body}\n" for name, body in self._bodies.items())

    def _rule(self, name: str, state: State) -> str:
        written = f"{name}_after_{state}"
        if written not in self._bodies:
            self._bodies[written] = ""  # A rule may contain itself.
            alternatives = [
                self._sequence(each.split(), state) for each in self._rules[name].split(" | ")
            ]
            self._bodies[written] = " | ".join(alternatives)
        return written

    def _sequence(self, symbols: Iterable[str], state: State) -> str:
        parts = []
        for symbol in symbols:
            if symbol == ".":
                parts.append('"."')
                state = "dot"
                continue
            if symbol in self._rules:
                parts.append(self._rule(symbol, state))
            else:
                parts.append(self._terminal(symbol, state))
            state = "sign" if self._ends_in_sign(symbol) else "word"
        return " ".join(parts) or '""'

    def _ends_in_sign(self, symbol: str, within: frozenset[str] = frozenset()) -> bool:
        """Whether all texts of a symbol end in a sign, so that no word has to be parted from them."""
        if symbol not in self._rules:
            return not self._is_word(symbol)
        if symbol in within:
            return True
        last = [each.split()[-1:] for each in self._rules[symbol].split(" | ")]
        return all(each and self._ends_in_sign(each[0], within | {symbol}) for each in last)

    def _is_word(self, symbol: str) -> bool:
        is_keyword = symbol.isalpha() and symbol.isupper()
        return symbol in self._terminals.words or is_keyword

    def _terminal(self, symbol: str, state: State) -> str:
        known = {**self._terminals.words, **self._terminals.signs}
        alternatives = known.get(symbol) or [in_any_case(symbol)]
        plain = _as_name(symbol)
        if state == "word" and self._is_word(symbol):
            name, spaces = "parted", [r"[ \t] [ \t]*", r"[\n] [ \t]*"]
        elif state == "dot":
            name, spaces = "joined", [""]
        else:
            # No line is left blank, since a blank one ends a statement for whoever looks for it in a text.
            name, spaces = "spaced", [r"[ \t]*", r"[\n] [ \t]*"]
        if len(alternatives) > 1:
            # Written once, which is read faster; a single one stands where it is, which is decided faster.
            self._bodies[plain] = " | ".join(alternatives)
            alternatives = [plain]
        self._bodies[f"{name}_{plain}"] = " | ".join(f"{each} {alternatives[0]}" for each in spaces)
        return f"{name}_{plain}"


def _as_name(symbol: str) -> str:
    letters = (each if each.isalnum() or each == "_" else f"u{ord(each):x}" for each in symbol)
    return f"text_{''.join(letters).lower()}"


def in_any_case(text: str) -> str:
    """A text in GBNF that stands for itself in any case of its ASCII letters, as SQLite compares names."""
    return " ".join(_either_case(letter) for letter in text)


def _either_case(letter: str) -> str:
    if letter.isascii() and letter.isalpha():
        return f"[{letter.lower()}{letter.upper()}]"
    return f'"{_escaped(letter)}"'


def _escaped(text: str) -> str:
    return re.sub(r"[^\w ]", lambda found: f"\\U{ord(found.group()):08x}", text)


def with_ends(grammar: str, end_tokens: Sequence[int]) -> str:
    """A grammar whose texts may end with one of some tokens, for who knows one end token alone."""
    ends = "".join(f" | whole Token({token})" for token in end_tokens)
    return f"root ::= whole{ends}\nwhole{grammar.removeprefix('root')}"
