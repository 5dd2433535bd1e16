"""The report as one HTML page that needs nothing but itself: text, charts, and all questions.

The text is that of report.md, so both say the same. What a model or a data set wrote reaches the
page as escaped text or as JSON data only, and the page's policy lets no script run but its own.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

from sqladder.files import Row
from sqladder.metric.showing import cut, showable
from sqladder.report.charts.drawing import narrow_file
from sqladder.report.metrics import LEVELS
from sqladder.report.page.inline_svg import inline_svg
from sqladder.report.page.prompts import AskedPrompts
from sqladder.report.results import OneSeed, Run
from sqladder.report.taxonomy import KINDS
from sqladder.texts.gold_words import golds_in_words

FOLDER = Path(__file__).parent
"""Where the page's template, style and script stand."""

LIMIT = 2_000
PROMPT_LIMIT = 20_000
"""Characters of an answer on the page; degenerate ones run to many thousands."""

NO_RESULT = -1

_RESULT_KEYS = ("names", "more_columns", "rows", "n", "file", "problem")

_ALIGNMENTS = {
    "text-align:left": "start",
    "text-align:right": "end",
    "text-align:center": "middle",
}
_UNIT = re.compile(r"(?<=\d) (?=(?:%|s|min|h|MB|GB)(?!\w))")
_LONG_NAME = re.compile(r"\w{9,}")
_OWN_TAGS = re.compile(r"(<details><summary>[^<>]*</summary>|</details>|<!--[^<>]*-->)\s*")


def render_page(
    markdown: str,
    run: Run,
    title: str,
    charts: Path,
    rows: Sequence[Row] = (),
    prompts: AskedPrompts | None = None,
    whose: str = "",
) -> str:
    """Make the page.

    Args:
        markdown: the report.
        run: the questions and answers to browse.
        title: of the page.
        charts: folder of the SVG files that the report shows.
        rows: first rows of gold and of wrong results, as `answer_rows` reads them.
        prompts: as they were asked.
        whose: answers there are to browse, with a comma before it; "" for all variants'.
    """
    style, script = ((FOLDER / f"page.{kind}").read_text("utf-8") for kind in ("css", "js"))
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined
    )
    body, contents = body_html(markdown, charts)
    return environment.get_template("page.html.j2").render(
        title=title,
        policy=policy(style, script),
        style=Markup(style),
        script=Markup(script),
        body=Markup(body),
        contents=contents,
        data=Markup(script_json(browser_data(run, rows, prompts or {}))),
        questions=run.n,
        whose=whose,
    )


def policy(style: str, script: str) -> str:
    """The content security policy: nothing is loaded, only this style and this script apply."""
    return (
        f"default-src 'none'; img-src data:; style-src {_digest(style)}; script-src {_digest(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def script_json(value: Any) -> str:
    """JSON that cannot end the script element it stands in: ASCII, without angle brackets."""
    text = json.dumps(_showable(value), separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _showable(value: Any) -> Any:
    """The same value, its texts without what acts on a page."""
    if isinstance(value, str):
        return showable(value)
    if isinstance(value, Mapping):
        return {key: _showable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [*map(_showable, value)]
    return value


def body_html(markdown: str, charts: Path) -> tuple[str, Sequence[tuple[str, str]]]:
    """The report as HTML with its charts inside, and (anchor, title) of its main sections."""
    parser = MarkdownIt("commonmark", {"html": True}, renderer_cls=_renderer(charts)).enable(
        "table"
    )
    tokens = parser.parse(markdown.replace("> [!NOTE]\n", ""))
    contents = []
    for opening, text in pairwise(tokens):
        if "style" in opening.attrs:
            opening.attrs = {"class": _ALIGNMENTS[str(opening.attrs["style"])]}
        if opening.type == "heading_open":
            opening.attrSet("id", _anchor(text.content))
            if opening.tag == "h2":
                contents.append((_anchor(text.content), text.content))
    return parser.renderer.render(tokens, parser.options, {}), contents


def _anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading, which the report's links rely on."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _breaking(text: str) -> str:
    """Text whose long names may break behind an underscore, and no number before its unit: no browser knows either."""
    text = _UNIT.sub("&nbsp;", text)
    return _LONG_NAME.sub(lambda name: name.group().replace("_", "_<wbr>"), text)


def _renderer(charts: Path) -> type[RendererHTML]:
    """A renderer that knows the report's own tags and takes all other HTML for text."""

    class Renderer(RendererHTML):
        def text(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
            return _breaking(escapeHtml(tokens[idx].content))

        def html_block(self, tokens: Sequence[Token], place: int, *_: Any) -> str:
            return _own_or_escaped(tokens[place].content)

        def html_inline(self, tokens: Sequence[Token], place: int, *_: Any) -> str:
            return _own_or_escaped(tokens[place].content)

        def image(self, tokens: Sequence[Token], place: int, *_: Any) -> str:
            wide = charts / Path(str(tokens[place].attrGet("src"))).name
            return (
                f'<span class="chart wide-only">{inline_svg(wide)}</span>'
                f'<span class="chart narrow-only">{inline_svg(narrow_file(wide))}</span>'
            )

        def fence(self, tokens: Sequence[Token], place: int, *_: Any) -> str:
            token = tokens[place]
            # The bars of block characters repeat the chart above them.
            if token.info == "text":
                return ""
            name = escapeHtml(token.info)
            return f'<pre class="{name}"><code>{escapeHtml(token.content)}</code></pre>\n'

        def table_open(self, *_: Any) -> str:
            return '<div class="wide"><table>\n'

        def table_close(self, *_: Any) -> str:
            return "</table></div>\n"

    return Renderer


def _own_or_escaped(html: str) -> str:
    return html if _OWN_TAGS.fullmatch(html) else escapeHtml(html)


class _Numbered:
    """Things that occur many times on the page: each is stored once and named by its number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.things: list[Any] = []

    def number(self, thing: Any) -> int:
        """The number of a text or of a value that JSON can hold."""
        key = json.dumps(thing)
        if key not in self._numbers:
            self._numbers[key] = len(self.things)
            self.things.append(thing)
        return self._numbers[key]


def browser_data(run: Run, rows: Sequence[Row], prompts: AskedPrompts) -> Mapping[str, Any]:
    """All questions with prompts, gold and answers, and the first rows of their results."""
    texts, results = _Numbered(), _Numbered()
    shown = {
        (row["variant"], row["id"]): results.number([row[key] for key in _RESULT_KEYS])
        for row in rows
    }

    def of(own: OneSeed, place: int) -> list[int]:
        """[sql] of a right answer; [sql, kind, reason, detail, result] of another one."""
        answer, failure = own.predictions[place], own.failures[place]
        sql = texts.number(_cut(answer["sql"]))
        if failure is None:
            return [sql]
        kind = list(KINDS).index(failure["kind"])
        told = [texts.number(_cut(text)) for text in (failure["reason"], own.detail(place))]
        result = shown.get((own.replicate.name, run.questions[place]["id"]), NO_RESULT)
        return [sql, kind, *told, result]

    questions = [
        [
            _cut(question["id"]),
            _cut(question["db_id"]),
            LEVELS.index(question["hardness"]),
            _cut(question["question"]),
            texts.number(_cut(golds_in_words(question))),
            [of(own, place) for own in run.replicates],
            shown.get(("", question["id"]), NO_RESULT),
        ]
        for place, question in enumerate(run.questions)
    ]
    # What was written beside the SQL that was taken out of it.
    raw = [
        [_raw_number(own.predictions[place], texts) for own in run.replicates]
        for place in range(run.n)
    ]
    # By line: the questions of a database share those of its schema.
    lines = _Numbered()
    asked = [
        [context, [_line_numbers(prompt_of.get(row["id"], ""), lines) for row in run.questions]]
        for context, prompt_of in prompts.items()
    ]
    return {
        "prompts": asked,
        "lines": lines.things,
        "raw": raw,
        "variants": [own.label for own in run.replicates],
        "levels": LEVELS,
        "kinds": list(KINDS.values()),
        "questions": questions,
        "texts": texts.things,
        "results": results.things,
    }


def _line_numbers(prompt: str, lines: _Numbered) -> list[int]:
    """The lines of a prompt by their numbers; none where it was not asked."""
    return [*map(lines.number, cut(prompt, PROMPT_LIMIT).split("\n"))] if prompt else []


def _raw_number(answer: Row, texts: _Numbered) -> int:
    """The number of an answer as the model wrote it; `NO_RESULT` where that is the SQL alone, or not known."""
    written = answer.get("text") or ""
    return (
        texts.number(_cut(written))
        if written.strip() not in ("", answer["sql"].strip())
        else NO_RESULT
    )


def _cut(text: str) -> str:
    return cut(text, LIMIT)
