"""What changes where answers are judged in the engine of the data (`scoring.engine: native`)."""

from collections.abc import Iterator
from contextlib import closing

from sqladder.databases.engine import DIALECTS, MYSQL, is_foreign, kind_of, open_engine
from sqladder.experiment.flags import as_flags
from sqladder.experiment.paths import input_path, needed_file
from sqladder.experiment.reading import Config
from sqladder.experiment.variants import setting
from sqladder.metric.limits import Limits


def native_source(config: Config, dataset: str) -> str:
    """The database in whose engine a data set's queries are executed, "" where that is SQLite."""
    entry = config["datasets"][dataset]
    if config["scoring"].get("engine") != "native" or "databases" not in entry:
        return ""
    source = input_path(entry["databases"])
    return source if is_foreign(source) else ""


def judged_natively(config: Config) -> bool:
    """Whether answers are judged in another engine than SQLite."""
    return bool(native_source(config, config["test_on"]))


def source_flags(config: Config) -> list[str]:
    """The database that answers are judged on, where that is no folder of SQLite files."""
    source = native_source(config, config["test_on"])
    return as_flags({"source": source}) if source else []


def limit_flags(config: Config) -> list[str]:
    """What one execution may cost; the budget of SQLite's steps means nothing to other engines."""
    limits = ("timeout", "memory_mb")
    return as_flags({name: config["scoring"][name] for name in limits})


def dialect_flags(config: Config) -> list[str]:
    """The dialect that answers are judged in, where that is not SQLite's."""
    source = native_source(config, config["test_on"])
    return as_flags({"dialect": DIALECTS[kind_of(source)]}) if source else []


def native_flag(config: Config, dataset: str) -> list[str]:
    """Whether a data set's queries are executed in the engine of its data."""
    return ["--native"] if native_source(config, dataset) else []


def native_file(config: Config, dataset: str) -> str | list[str]:
    """The file in whose engine a data set's queries are executed, where it is one."""
    is_native = native_source(config, dataset)
    return needed_file(config["datasets"][dataset]["databases"]) if is_native else []


def check_role(config: Config) -> None:
    """Refuse a database whose role may do more than read, before any job.

    Raises:
        InputError: says what the role may do, and the way out; or the database cannot be opened.
    """
    for source in dict.fromkeys(native_source(config, name) for name in config["datasets"]):
        if not source:
            continue
        try:
            engine = open_engine(source, Limits())
        except ModuleNotFoundError:
            # The engine's driver is in the environment of the jobs; import_databases refuses there.
            continue
        with closing(engine):
            engine.refuse_writers()


def native_problems(config: Config) -> Iterator[str]:
    """What in a config cannot go with `scoring.engine: native`."""
    scoring, dataset = config["scoring"], config["datasets"].get(config["test_on"], {})
    if scoring.get("engine") != "native" or dataset.get("source") is None:
        return
    where = f"datasets.{config['test_on']}"
    if not judged_natively(config):
        yield (
            f"scoring.engine: native needs a DuckDB file on this disk, or a server's URL, as {where}.databases; leave "
            "engine out to judge on SQLite"
        )
        return
    if scoring.get("quirks") == "official":
        yield (
            "scoring.quirks: official are of the evaluator that executes in SQLite; with engine: native texts are "
            "executed as they are written, so leave quirks out"
        )
    if "suite" in dataset and kind_of(native_source(config, config["test_on"])) == MYSQL:
        yield (
            f"{where}.suite: with engine: native its contents are loaded into DuckDB's memory or PostgreSQL's "
            "temporary tables, and MySQL and MariaDB have no such place; remove one of both"
        )
    trained_on = native_source(config, config["train_on"]) if _has(config, "train_on") else ""
    for name, context in config["contexts"].items():
        if trained_on and context.get("answers") == "canonical":
            yield (
                f"contexts.{name}.answers: canonical is a spelling of SQLite's dialect, and {config['train_on']} is "
                "judged in its own engine; leave answers out"
            )
    for name in config["variants"]:
        yield from _of_variant(config, name)


def _has(config: Config, key: str) -> bool:
    return config[key] in config["datasets"]


def _of_variant(config: Config, name: str) -> Iterator[str]:
    """What of a variant's decoding executes answers in SQLite, or knows its grammar alone."""
    if config["variants"][name]["method"] == "imported":
        return
    decoding = setting(config, name, "decoding")
    without = "leave it out, or judge on the SQLite copy (no scoring.engine)"
    if decoding.get("repair", {}).get("rounds", 0) > 0:
        yield (
            f"variants.{name}: decoding.repair executes answers on the SQLite copy, whose errors are not those of "
            f"engine: native; {without}"
        )
    if decoding.get("choose", "first") == "vote":
        yield (
            f"variants.{name}: decoding.choose: vote compares results of the SQLite copy, not of engine: native; "
            f"choose first or likeliest, or judge on the SQLite copy (no scoring.engine)"
        )
    if decoding.get("grammar", "none") != "none":
        yield (
            f"variants.{name}: decoding.grammar is that of SQLite, and engine: native has another dialect; {without}"
        )
