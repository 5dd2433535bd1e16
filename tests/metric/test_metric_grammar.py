import pytest

from sqladder.metric.difficulty import LEVELS, hardness, level
from sqladder.metric.grammar import GrammarError, Query, official_tokens, parse


def test_words_split_at_brackets_and_punctuation_but_not_at_equals():
    assert official_tokens("SELECT count(*),T1.Name FROM t WHERE a='X y' AND b >= 2;") == [
        *("select", "count", "(", "*", ")", ",", "t1.name", "from", "t", "where"),
        *("a=\ue0000\ue000", "and", "b", ">=", "2", ";"),
    ]


def test_a_literal_that_stands_alone_keeps_its_case_and_gets_double_quotes():
    assert official_tokens("a = 'X y'") == ["a", "=", '"X y"']


def test_a_comma_before_a_digit_does_not_split():
    assert official_tokens("in (1,2)") == ["in", "(", "1,2", ")"]


def test_an_odd_number_of_quotes_is_an_error():
    with pytest.raises(GrammarError, match="odd number of quotes"):
        official_tokens("select 'it''s ' x'")


def test_names_become_identifiers_through_aliases():
    query = parse("select T1.Name from Pet as T1", {"pet": ["name"]})
    assert query.select[0][1].left.name == "__pet.name__"
    assert query.tables == ["__pet__"]


def test_a_set_operator_nests_its_right_side():
    query = parse("select a from t union select b from t except select c from t")
    assert isinstance(query.combined["union"], Query)
    assert "except" in query.combined["union"].combined


@pytest.mark.parametrize(
    "sql",
    [
        "select a from t left join u on t.x = u.x",
        "select a from t, u",
        "select a from t where a=1",
        "select a from t where a <> 1",
        "select a from t where a = 1 b = 2",
        "select case when a = 1 then 2 end from t",
        "select a",
        "select a from t limit",
        "",
        "select a from t where a in (" * 2000,
    ],
)
def test_what_the_grammar_does_not_know_is_an_error(sql):
    with pytest.raises(GrammarError):
        parse(sql)


@pytest.mark.parametrize("name", ["nowhere", "pet.nothing", "other.name"])
def test_a_name_that_the_schema_lacks_is_an_error(name):
    with pytest.raises(GrammarError):
        parse(f"select {name} from pet", {"pet": ["name"]})


@pytest.mark.parametrize(
    ("clauses", "nested", "others", "expected"),
    [
        (0, 0, 0, "easy"),
        (1, 0, 0, "easy"),
        (2, 0, 0, "medium"),
        (2, 0, 1, "medium"),
        (1, 0, 2, "medium"),
        (1, 0, 3, "hard"),
        (2, 0, 3, "hard"),
        (3, 0, 2, "hard"),
        (1, 1, 0, "hard"),
        (2, 0, 2, "extra"),
        (3, 0, 3, "extra"),
        (4, 0, 0, "extra"),
        (2, 1, 0, "extra"),
        (1, 1, 1, "extra"),
        (0, 2, 0, "extra"),
    ],
)
def test_levels_follow_the_counts(clauses, nested, others, expected):
    assert level(clauses, nested, others) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select count(*) from t", "easy"),
        ("select a from t where b like 'x'", "medium"),
        ("select a from t where b > 1 or c = 2", "medium"),
        ("select a from t where b in (select b from u)", "hard"),
        ("select a from (select a from t)", "easy"),
        ("select a from t union select a from u", "hard"),
        ("select a from t group by a having count(*) > 1 order by a desc limit 1", "hard"),
        ("select a, b from t where c = 1 and d = 2", "medium"),
        ("select a from t where b between 1 and 2", "easy"),
    ],
)
def test_hardness_of_queries(sql, expected):
    assert hardness(sql) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select a from t left join u on t.x = u.x", "easy"),
        ("select a from t, u where t.x=u.x", "medium"),
        ("select a from t where a=1 or b=2 order by c limit 1", "extra"),
        ("select a from t where a is not null and exists (select 1 from u)", "extra"),
        ("with x as (select 1) select * from x", "easy"),
        ("with x as (select a from t where b in (select b from u)) select a from x", "hard"),
        (
            "with x as materialized (select a, b from t where c = 1 and d like 'e' order by a limit 1), "
            "y(a) as (select a from x group by a) select a from y",
            "extra",
        ),
        (
            "with x as (with y as (select a from t where b like 'c') select a from y) select a from x",
            "medium",
        ),
        ("select a from t left join u where c like '%\\_' escape '\\' or d <> ''", "extra"),
        ("", "easy"),
        ("'", "easy"),
        ("((((", "easy"),
    ],
)
def test_queries_outside_the_grammar_get_the_level_of_their_keywords(sql, expected):
    with pytest.raises(GrammarError):
        parse(sql)
    assert hardness(sql) == expected


def test_hardness_of_hostile_text_is_quick_and_a_level():
    for sql in (
        "with a as (" * 9_000,
        "with a as (select 1), " * 4_000,
        "(" * 100_000,
        "select a from t where a in (" * 4_000,
        "a " * 50_000,
        "'" * 99_999,
    ):
        assert hardness(sql) in LEVELS
