"""Measure few-shot retrieval on Spider's dev questions: the table of docs/contexts.md.

Each question is asked against the questions of all other databases, as at a test on new schemas. An example fits where
its gold query has the form of the question's own: the same tokens once names and values are set aside. Nothing is
generated: what an example is worth to a model is another question.

Example: SQLADDER_SPIDER=... python benchmarks/retrieval_figures.py --model /path/to/all-MiniLM-L6-v2
"""

import argparse
import os
import sys
import tarfile
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1] / "workflow/scripts"))

from sqladder.data.sql_keys import tokens
from sqladder.files import Row, read_jsonl
from sqladder.retrieval.choosing import ChoiceFiles, choose
from sqladder.retrieval.embedding import Embedder, IndexFacts, build_index, digest
from sqladder.retrieval.example_pool import Pool
from sqladder.retrieval.keys import Masker, example_text
from sqladder.retrieval.settings import Choice
from sqladder.settings.problems import settings_of

COUNT = 4
_KEYWORDS = """
    all and as asc between by count avg sum min max case desc distinct else end except exists from group having in
    intersect is join like limit not null on or order select then union when where
"""
KEYWORDS = frozenset(_KEYWORDS.split())


class OnceEmbedder(Embedder):
    """Embeds each example once, however many pools it is in."""

    def __init__(self, model: str) -> None:
        self._known: dict[str, Any] = {}
        super().__init__(model)

    def documents(self, texts: Sequence[str]) -> list[Any]:
        """The embeddings of examples; the new ones are computed together."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known |= zip(new, super().documents(new), strict=True)
        return [self._known[text] for text in texts]


def form(sql: str) -> str:
    """The form of a query: its tokens, names and values as one sign each."""
    return " ".join(
        text if kind == "sign" or text in KEYWORDS else "_" for kind, text in tokens(sql)
    )


def fits(found: Iterable[list[int]], asked: Sequence[Row], pool: Sequence[Row]) -> tuple[int, int]:
    """Questions whose first example has their form, and those of which any has."""
    first = anywhere = 0
    for question, places in zip(asked, found, strict=True):
        right = [form(pool[place]["sql"]) == form(question["sql"]) for place in places]
        first += right[0]
        anywhere += any(right)
    return first, anywhere


def settings(method: str, by: str, model: Path) -> Any:
    """How examples are chosen."""
    values: dict[str, object] = {"method": method, "count": COUNT}
    values |= {"seed": 1} if method == "random" else {"by": by}
    if method == "embedding":
        values["embedding"] = {"model": str(model), "instruction": ""}
    return settings_of(Choice, values)


def measure(
    method: str, by: str, model: Path, databases: Path, questions: Sequence[Row], work: Path
) -> tuple[int, int]:
    by_database: dict[str, list[Row]] = defaultdict(list)
    for row in questions:
        by_database[row["db_id"]].append(row)
    embedder = OnceEmbedder(str(model)) if method == "embedding" else None
    first = anywhere = 0
    for name, asked in by_database.items():
        pool = [row for row in questions if row["db_id"] != name]
        masked = databases if by == "masked_question" else None
        index = work / f"{by}_{name}"
        if embedder:
            texts = [example_text(by, Masker(databases) if masked else None)(row) for row in pool]
            facts = IndexFacts(str(model), by, len(texts), digest(texts), "examples", None)
            build_index(index, texts, embedder, facts)
        files = ChoiceFiles(masked, masked, index)
        chosen = choose(settings(method, by, model), Pool(pool), asked, files)
        ones, any_of_them = fits(([hit.position for hit in hits] for hits in chosen), asked, pool)
        first, anywhere = first + ones, anywhere + any_of_them
    return first, anywhere


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="sentence-transformers folder")
    model = parser.parse_args().model
    spider = Path(os.environ["SQLADDER_SPIDER"])
    with tempfile.TemporaryDirectory() as work:
        with tarfile.open(spider / "databases.tar.xz") as archive:
            archive.extractall(work, filter="data")
        databases = Path(work) / "database"
        questions = read_jsonl(spider / "dev.jsonl")
        questions = [row for row in questions if (databases / row["db_id"]).is_dir()]
        n = len(questions)
        print(f"{n} questions, {len({row['db_id'] for row in questions})} databases")
        methods = [("random", "question")]
        methods += [
            (m, by) for m in ("bm25", "embedding") for by in ("question", "masked_question")
        ]
        for method, by in methods:
            start = time.process_time()
            first, anywhere = measure(method, by, model, databases, questions, Path(work))
            spent = time.process_time() - start
            cells = (f"{first / n:.1%}", f"{anywhere / n:.1%}", f"{spent:.0f}")
            print(f"| {method} | {by} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
