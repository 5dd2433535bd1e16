"""Searches over a pool: at random, as the control; by words, BM25."""

import random
import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from sqladder.files import Row
from sqladder.retrieval.example_pool import Found, Pool
from sqladder.texts.stems import name_words
from sqladder.texts.unspaced import HIRAGANA

Text = Callable[[Row], str]
_TOKEN = re.compile(r"<\w+>|\w+")


def random_examples(
    pool: Pool, queries: Sequence[Row], count: int, seed: int
) -> Iterator[list[Found]]:
    """Choose examples at random; a question's draw hangs on its id and the seed alone."""
    for query in queries:
        hidden = pool.hidden_from(query)
        size = min(len(pool), count + len(hidden))
        draw = random.Random(f"{seed}:{query['id']}").sample(range(len(pool)), size)
        yield [Found(number, 0.0) for number in draw if number not in hidden][:count]


def bm25_examples(
    pool: Pool, queries: Sequence[Row], count: int, text_of_query: Text, text_of_example: Text
) -> Iterator[list[Found]]:
    """Choose the examples with the highest BM25 (Lucene's form, k1 1.5, b 0.75); ties in pool order.

    Fewer than `count` are given where fewer share a word with the question.

    Formula: Kamphuis, de Vries, Boytsov, Lin, "Which BM25 do you mean?", ECIR 2020.
    """
    # Imported here: it brings scipy along, and who asks without examples waits for neither.
    import bm25s

    index = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    corpus = [tokens(text_of_example(example)) for example in pool.examples]
    index.index(corpus, show_progress=False)
    for query in queries:
        # A word twice in the question counts twice; one that no example has says nothing.
        known = [word for word in tokens(text_of_query(query)) if word in index.vocab_dict]
        scores = index.get_scores(known) if known else np.zeros(len(pool))
        scores[list(pool.hidden_from(query))] = 0
        yield [Found(int(number), float(scores[number])) for number in _best(scores, count)]


def _best(scores: np.ndarray, count: int) -> np.ndarray:
    """The positions of the highest scores above 0, equal ones in the order of the pool."""
    lowest = np.partition(scores, -count)[-count] if count < len(scores) else 0
    among = np.flatnonzero((scores >= lowest) & (scores > 0))
    return among[np.argsort(-scores[among], kind="stable")][:count]


def tokens(text: str) -> list[str]:
    """Cut a question or a statement into words; names of several words fall apart, masks stay whole.

    Japanese grammar is left out: nearly all questions share its endings, cut in many ways (docs/contexts.md).
    """
    found: list[str] = []
    for token in _TOKEN.findall(text):
        found += [token] if token.startswith("<") else name_words(token)
    return [token for token in found if not HIRAGANA.search(token)]
