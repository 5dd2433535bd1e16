"""Which training rows could give away the answers of the evaluation, and which evaluation questions are concerned.

The evaluation is small and indexed; training rows go by one after the other, so memory does not grow with them. Every
rule looks for one kind of likeness:

exact_question   the question is an evaluation question, space at its ends aside: the rule of the published experiment
folded_question  the same, with case, space, punctuation and Unicode forms folded
ngram_8, ngram_13  the two questions share that many words in a row
near_duplicate   Jaccard similarity of the questions' character 4-grams is at least 0.8; candidates come from MinHash
sql              the gold SQL is the same up to values, aliases, quotes and case
schema           at least 0.8 of the row's (table, column) pairs, and 3 of them, are those of one evaluation database
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field

import xxhash
from datasketch import MinHash, MinHashLSH

from sqladder.data.sql_keys import statement_key, table_columns
from sqladder.files import Row
from sqladder.texts.words import words

Pairs = frozenset[tuple[str, str]]
Hits = dict[str, list[str]]

SIMILARITY = 0.8
_GRAM = 4
# 21 bands of 6: a pair with similarity 0.8 becomes a candidate with probability 0.998, one of 0.4 with 0.08.
_BANDS, _BAND_ROWS = 21, 6
SCHEMA_SHARE, SCHEMA_PAIRS = 0.8, 3


def word_ngrams(folded_words: list[str], size: int) -> set[str]:
    """Runs of `size` words; none in a shorter text."""
    return {
        " ".join(folded_words[start : start + size])
        for start in range(len(folded_words) - size + 1)
    }


def character_grams(text: str) -> frozenset[str]:
    """Runs of four characters, or the whole of a shorter text."""
    return frozenset(text[start : start + _GRAM] for start in range(max(1, len(text) - _GRAM + 1)))


class _Keys:
    """Evaluation questions by a key that a training row has as well, or has several of."""

    def __init__(self, keys_of: Callable[["_Texts"], Iterable[Hashable]]) -> None:
        self._keys_of = keys_of
        self._ids: dict[Hashable, list[str]] = defaultdict(list)

    def add(self, key: str, texts: "_Texts") -> None:
        for each in self._keys_of(texts):
            self._ids[each].append(key)

    def find(self, texts: "_Texts") -> list[str]:
        found: dict[str, None] = {}
        for each in self._keys_of(texts):
            if each in self._ids:
                found |= dict.fromkeys(self._ids[each])
        return list(found)


@dataclass(frozen=True)
class _Texts:
    """A row as the rules read it."""

    question: str
    words: list[str]
    golds: list[str]
    pairs: Pairs


def _texts_of(row: Row, pairs: Pairs) -> _Texts:
    golds = [row["sql"], *row.get("alternatives", ())]
    return _Texts(row["question"], words(row["question"]), golds, pairs)


class _NearDuplicates:
    """Evaluation questions whose character grams are nearly those of a row's question."""

    def __init__(self) -> None:
        permutations = _BANDS * _BAND_ROWS
        self._empty = MinHash(permutations, hashfunc=xxhash.xxh32_intdigest, scheme="affine32")
        self._index = MinHashLSH(num_perm=permutations, params=(_BANDS, _BAND_ROWS))
        self._grams: dict[str, frozenset[str]] = {}

    def add(self, key: str, texts: _Texts) -> None:
        grams = character_grams(" ".join(texts.words))
        self._grams[key] = grams
        self._index.insert(key, self._signature(grams))

    def find(self, texts: _Texts) -> list[str]:
        grams = character_grams(" ".join(texts.words))
        candidates = self._index.query(self._signature(grams))
        return sorted(key for key in candidates if self._similarity(grams, key) >= SIMILARITY)

    def _signature(self, grams: frozenset[str]) -> MinHash:
        signature = self._empty.copy()
        signature.update_batch([gram.encode() for gram in grams])
        return signature

    def _similarity(self, grams: frozenset[str], key: str) -> float:
        other = self._grams[key]
        shared = len(grams & other)
        return shared / (len(grams) + len(other) - shared)


class _Schemas:
    """Evaluation databases by their (table, column) pairs; a hit concerns every question on the database."""

    def __init__(self, databases: Mapping[str, Pairs]) -> None:
        self._databases_with: dict[tuple[str, str], list[str]] = defaultdict(list)
        for db_id, pairs in databases.items():
            for pair in pairs:
                self._databases_with[pair].append(db_id)
        self._ids: dict[str, list[str]] = defaultdict(list)

    def add_question(self, key: str, db_id: str) -> None:
        self._ids[db_id].append(key)

    def find(self, texts: _Texts) -> list[str]:
        shared = Counter(
            db_id for pair in texts.pairs for db_id in self._databases_with.get(pair, ())
        )
        needed = max(SCHEMA_PAIRS, SCHEMA_SHARE * len(texts.pairs))
        return [
            key for db_id, count in shared.items() if count >= needed for key in self._ids[db_id]
        ]


_KEYED: dict[str, Callable[[_Texts], Iterable[Hashable]]] = {
    "exact_question": lambda texts: (texts.question.strip(),),
    "folded_question": lambda texts: (" ".join(texts.words) or texts.question.strip(),),
    "ngram_8": lambda texts: word_ngrams(texts.words, 8),
    "ngram_13": lambda texts: word_ngrams(texts.words, 13),
    "sql": lambda texts: map(statement_key, texts.golds),
}
RULES = (*_KEYED, "near_duplicate", "schema")


class Evaluation:
    """The evaluation's questions and schemas, indexed for the rules that are wanted."""

    def __init__(
        self, questions: Iterable[Row], databases: Mapping[str, Pairs], rules: Iterable[str]
    ) -> None:
        """Index the questions.

        Args:
            questions: id, db_id, question, sql.
            databases: db_id -> its (table, column) pairs, folded; needed for the rule `schema` only.
            rules: names from `RULES`.
        """
        self._rules: dict[str, _Keys | _NearDuplicates | _Schemas] = {}
        for rule in rules:
            if rule == "schema":
                self._rules[rule] = _Schemas(databases)
            else:
                self._rules[rule] = (
                    _NearDuplicates() if rule == "near_duplicate" else _Keys(_KEYED[rule])
                )
        for row in questions:
            self._add(row)

    def _add(self, row: Row) -> None:
        texts = _texts_of(row, frozenset())
        for rule in self._rules.values():
            if isinstance(rule, _Schemas):
                rule.add_question(row["id"], row["db_id"])
            else:
                rule.add(row["id"], texts)

    def hits(self, row: Row, pairs: Pairs | None = None) -> Hits:
        """The rules that a training row meets, each with the ids of the evaluation questions concerned.

        Args:
            row: question, sql, and schema where `pairs` is not given.
            pairs: (table, column) pairs of the row's database.
        """
        if pairs is None:
            pairs = table_columns(row.get("schema", "")) if "schema" in self._rules else frozenset()
        texts = _texts_of(row, pairs)
        found = {name: rule.find(texts) for name, rule in self._rules.items()}
        return {name: ids for name, ids in found.items() if ids}


@dataclass
class Tally:
    """What a pass over the training rows found.

    Attributes:
        rows: training rows seen.
        dropped: of them, rows that were removed.
        suspect: of the others, rows that meet a rule.
        by_rule: rule -> training rows that meet it.
        concerned: rule -> evaluation questions concerned by any row, a removed one too.
        remaining: evaluation question -> rules by which a row that stays concerns it.
        examples: rule -> the first training rows, each with an evaluation question.
    """

    rows: int = 0
    dropped: int = 0
    suspect: int = 0
    by_rule: Counter[str] = field(default_factory=Counter)
    concerned: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    remaining: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    examples: dict[str, list[tuple[Row, str]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, row: Row, hits: Hits, dropped: bool, most_examples: int = 3) -> None:
        """Count one training row."""
        self.rows += 1
        self.dropped += dropped
        self.suspect += bool(hits) and not dropped
        for rule, ids in hits.items():
            self.by_rule[rule] += 1
            self.concerned[rule].update(ids)
            if len(self.examples[rule]) < most_examples:
                self.examples[rule].append((row, ids[0]))
            if not dropped:
                for key in ids:
                    self.remaining[key].add(rule)

    @property
    def kept(self) -> int:
        """Training rows that stay."""
        return self.rows - self.dropped
