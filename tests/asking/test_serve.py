"""`sqladder serve`: a real server on the loopback, asked by OpenAI's client, by hand, and in a browser."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import openai
import pytest

from asked_runs import DATABASE, make_run
from browser import Browser, chromium
from chat_server import MODEL, chat_server
from conftest import ROOT
from sqladder.cli import parse_arguments
from sqladder.data.formats import read_questions
from sqladder.errors import InputError
from sqladder.files import write_json

SQL = "SELECT name, age FROM singer ORDER BY id"
JSON = {"Content-Type": "application/json"}
TOKEN = "a-token-of-this-test"


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """A run with one variant more, `answers`, whose model is a server that always writes the same."""
    root = tmp_path_factory.mktemp("run")
    make_run(root)
    with chat_server() as chat:
        chat.answer = lambda body, seed: f"```sql\n{SQL}\n```"
        asking = json.loads((root / "results/elsewhere/asking.json").read_text())
        server = {**asking["server"], "url": chat.url, "model": MODEL}
        del server["key_variable"]
        write_json(
            root / "results/answers/asking.json", {**asking, "variant": "answers", "server": server}
        )
        yield root


@contextlib.contextmanager
def serving(root, *variants, pairs, **environment):
    """Start `sqladder serve`; yields its address, and ends it as Ctrl-C does."""
    places = [str(root / "results" / variant) for variant in variants]
    command = [sys.executable, "-m", "sqladder.cli", "serve", *places]
    command += ["--database", str(root / DATABASE), "--port", "0", "--pairs", str(pairs)]
    command += ["--token-variable", "TOKEN"] if "TOKEN" in environment else []
    path = {"PYTHONPATH": str(ROOT / "workflow/scripts")}
    server = subprocess.Popen(
        command,
        env={**os.environ, **path, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    line = server.stdout.readline()
    try:
        assert line.startswith(f"{', '.join(variants)} on http://127.0.0.1:"), server.stderr.read()
        yield line.split(" on ")[1].split()[0].rstrip("/")
    finally:
        server.send_signal(signal.SIGINT)
        said = server.communicate(timeout=120)
    assert (server.returncode, said) == (0, ("", ""))


@pytest.fixture(scope="module")
def server(run_folder, tmp_path_factory):
    """A server of two variants: its address, and the file of pairs."""
    pairs = tmp_path_factory.mktemp("kept") / "pairs.csv"
    with serving(run_folder, "answers", "votes", pairs=pairs) as url:
        yield url, pairs


def send(url, body=None, **headers):
    """The status and the JSON of a request."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data, {**(JSON if data else {}), **sent})
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def asked(text, **more):
    return {"model": "answers", "messages": [{"role": "user", "content": text}], **more}


def test_the_client_of_openai_gets_the_sql(server):
    url, _ = server
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="none")
    assert [model.id for model in client.models.list()] == ["answers", "votes"]
    messages = [{"role": "user", "content": [{"type": "text", "text": "Who sings?"}]}]
    whole = client.chat.completions.create(model="answers", messages=messages)
    assert whole.choices[0].message.content == SQL
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens > 0
    events = client.chat.completions.create(model="answers", messages=messages, stream=True)
    assert "".join(event.choices[0].delta.content or "" for event in events) == SQL
    counted = {"stream_options": {"include_usage": True}}
    *_, last = client.chat.completions.create(
        model="answers", messages=messages, stream=True, **counted
    )
    assert (last.choices, last.usage.total_tokens) == ([], whole.usage.total_tokens)
    voted = client.chat.completions.create(model="votes", messages=messages)
    assert voted.usage.completion_tokens > 0


def test_the_client_of_openai_finds_a_variant_by_its_name_alone(server):
    url, _ = server
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
    assert client.models.retrieve("votes").id == "votes"
    messages = [{"role": "user", "content": "Who sings?"}]
    for ask in (
        lambda: client.models.retrieve("gpt"),
        lambda: client.chat.completions.create(model="gpt", messages=messages),
    ):
        with pytest.raises(openai.NotFoundError) as caught:
            ask()
        assert caught.value.code == "model_not_found"


def test_what_a_variant_does_not_take_from_a_request_is_named(server):
    url, _ = server
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Who?"}]
    body = {"model": "answers", "messages": messages, "temperature": 1}
    status, answer = send(f"{url}/v1/chat/completions", body)
    assert status == 200
    assert answer["left_out"] == ["temperature", "messages beside the user's last one"]


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "message"),
    [
        ("/v1/chat/completions", {**asked("Who?"), "model": "gpt"}, {}, 404, "no variant 'gpt'"),
        ("/ask", {"variant": "gpt", "question": "Who?"}, {}, 404, "no variant 'gpt'"),
        ("/v1/chat/completions", {"messages": []}, {}, 400, "'model' is missing"),
        ("/v1/chat/completions", {"model": "answers"}, {}, 400, "'messages' is not a list"),
        ("/v1/chat/completions", {**asked("x"), "messages": []}, {}, 400, "the role 'user'"),
        ("/v1/chat/completions", asked(5), {}, 400, "the last message is no text"),
        ("/v1/chat/completions", asked(" "), {}, 400, "the question is empty"),
        ("/v1/chat/completions", asked("\ud800"), {}, 400, "half of a surrogate pair"),
        ("/v1/chat/completions", asked("x", n=2), {}, 400, "'n' is not 1"),
        ("/v1/chat/completions", asked("x", tools=[{}]), {}, 400, "'tools' asks for what"),
        ("/ask", {"variant": "answers"}, {}, 400, "'question' is missing, or no text"),
        ("/ask", b"{", {}, 400, "the body is not valid JSON"),
        ("/ask", b"\xff", {}, 400, "the body is no UTF-8 text"),
        ("/ask", b"[" * 100_000, {}, 400, "the body is not valid JSON"),
        ("/ask", [], {}, 400, "the body is no JSON object"),
        ("/ask", b"x" * 2**21, {}, 413, ""),
        ("/ask", {}, {"Content_Type": "text/plain"}, 415, "application/json"),
        ("/ask", None, {}, 405, ""),
        ("/nothing", None, {}, 404, "there is no /nothing here, but the page /"),
        ("/v1/models", None, {"Origin": "http://evil.example"}, 403, "may not ask here"),
        ("/v1/models", None, {"Host": "evil.example"}, 403, "call it localhost"),
        ("/v1/models", None, {"Host": "[::1"}, 403, "call it localhost"),
        ("/pairs", {"question": "Who?", "sql": "DROP TABLE singer"}, {}, 400, "may only read"),
        ("/pairs", {"question": "Who?", "sql": ""}, {}, 400, "the SQL is empty"),
        ("/pairs", {"question": "", "sql": "SELECT 1"}, {}, 400, "the question is empty"),
    ],
)
def test_a_request_that_cannot_be_answered_is_refused_in_words(
    server, path, body, headers, status, message
):
    url, _ = server
    found, answer = send(url + path, body, **headers)
    assert (found, set(answer)) == (status, {"error"})
    assert message in answer["error"]["message"]


def test_who_does_not_know_the_token_gets_the_page_alone(run_folder, tmp_path):
    with serving(run_folder, "answers", pairs=tmp_path / "p.csv", TOKEN=TOKEN) as url:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer é"}):
            status, answer = send(f"{url}/v1/models", **headers)
            assert (status, answer["error"]["message"][:9]) == (401, "the token")
        assert send(f"{url}/v1/models", Authorization=f"Bearer {TOKEN}")[0] == 200
        with urllib.request.urlopen(url) as page:
            assert b"Token of this server" in page.read()


@pytest.fixture
def open_page(tmp_path):
    """Opens an address in a browser; its console may tell of refused requests, and of nothing else."""
    if chromium() is None:
        pytest.skip("no Chromium is installed: the page cannot be opened in a browser")

    @contextlib.contextmanager
    def opened(url):
        with Browser(url, tmp_path) as browser:
            yield browser
            refused = "the server responded with a status of 4"
            assert [entry for entry in browser.console if refused not in str(entry)] == []

    return opened


WAIT = """new Promise((done, fail) => {
  const begun = Date.now();
  const look = () => {
    if (%s) done(true);
    else if (Date.now() - begun > 60000) fail(document.body.innerText);
    else setTimeout(look, 50);
  };
  look();
})"""
WRAPPED = """[...document.querySelectorAll("button")].filter(
  (button) => button.offsetHeight >= 2 * parseFloat(getComputedStyle(button).lineHeight)
).map((button) => button.textContent)"""
CELLS = """[...document.querySelectorAll("article:first-child tr")].map(
  (row) => [...row.cells].map((cell) => cell.textContent))"""


def wait_for(browser, condition):
    assert browser.run(WAIT % condition)


def click(browser, selector):
    browser.run(f"document.querySelector({selector!r}).click()")


def correct(browser, sql):
    browser.run(f"document.querySelector('textarea').value = {json.dumps(sql)}")
    click(browser, ".correction button")


def ask_there(browser, question):
    browser.run("find('question').focus(), find('question').select()")
    browser.write(question)
    browser.press("Enter")
    wait_for(browser, "document.querySelectorAll('article').length > 0 && !find('send').disabled")


def test_a_question_gets_the_sql_and_rows_of_each_variant_side_by_side(server, open_page):
    with open_page(server[0]) as browser:
        wait_for(browser, "variants.length")
        ask_there(browser, "Who sings?")
        names = browser.run("[...document.querySelectorAll('h2')].map(e => e.textContent)")
        tops = browser.run(
            "[...document.querySelectorAll('article')].map(e => e.getBoundingClientRect().top)"
        )
        assert (names, len(set(tops))) == (["answers", "votes"], 1)
        assert browser.run("document.querySelector('.sql').textContent") == SQL
        assert browser.run(CELLS) == [["name", "age"], ["Ann", "30"], ["NULL", "41"]]
        assert browser.run("document.querySelector('.rows .faint').textContent") == "2 rows"
        assert browser.run(WRAPPED) == []
        browser.allow_clipboard()
        click(browser, ".copy")
        wait_for(browser, "document.querySelector('.copy').textContent === 'Copied'")
        assert browser.run("navigator.clipboard.readText()") == SQL


def test_right_and_corrected_pairs_are_kept_for_training(server, open_page):
    url, pairs = server
    with open_page(url) as browser:
        wait_for(browser, "variants.length")
        ask_there(browser, 'Who sings, "all" of them?')
        for said in ("Kept: ", "It is there already: "):
            click(browser, ".right")
            wait_for(browser, f"find('kept').textContent.startsWith('{said}')")
        ask_there(browser, "How old is Ann?")
        click(browser, ".wrong")
        correct(browser, "SELECT agee FROM singer")
        wait_for(browser, "!find('problem').hidden")
        assert "no such column: agee" in browser.run("find('problem').textContent")
        correct(browser, 'SELECT age FROM singer WHERE name = "Ann"')
        wait_for(browser, "find('kept').textContent === 'Kept: How old is Ann?'")
        assert browser.run("document.querySelector('.rows td').textContent") == "30"
        assert browser.run("document.querySelector('.rows').textContent").startswith(
            "Rows of the SQL that"
        )
    kept = [(row["question"], row["sql"], row["db_id"]) for row in read_questions(pairs, "csv")]
    assert kept == [
        ('Who sings, "all" of them?', SQL, "music"),
        ("How old is Ann?", 'SELECT age FROM singer WHERE name = "Ann"', "music"),
    ]


def test_the_page_asks_for_the_token(run_folder, tmp_path, open_page):
    with (
        serving(run_folder, "answers", pairs=tmp_path / "p.csv", TOKEN=TOKEN) as url,
        open_page(url) as browser,
    ):
        wait_for(browser, "!find('token-form').hidden")
        wait_for(browser, "find('problem').textContent === 'enter the token of this server'")
        for token, said in (("another", "this is not the token of this server"), (TOKEN, "")):
            browser.run("find('token').focus()")
            browser.write(token)
            browser.press("Enter")
            wait_for(browser, f"find('problem').textContent === '{said}'")
        wait_for(browser, "find('token-form').hidden && variants.length")
        ask_there(browser, "Who sings?")
        assert browser.run("document.querySelector('.sql').textContent") == SQL


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rows=0"], "--rows is 0; at least one row is shown"),
        (["--port=70000"], "--port is 70000; ports go from 0"),
        (["--port={taken}"], "cannot listen on 127.0.0.1 port"),
        (["--host=0.0.0.0"], "others can reach 0.0.0.0, and whoever does could read the database"),
        (["--host=no.such.host.invalid"], "--host no.such.host.invalid is no address"),
        (["--token-variable=NO_SUCH"], "the environment variable NO_SUCH (--token-variable) holds"),
        (["--port=0", "--pairs={root}/p.csv"], "p.csv is no file of pairs: it begins with 'frage;"),
        (["--port=0", "--pairs={root}/gone/p.csv"], "gone, where pairs are to be kept, is not a"),
        (["--port=0", "{root}/results/../results/answers"], "is named twice; a variant is served"),
        (["--port=0", "{root}/results/none"], "results/none is not a folder: name that of a"),
    ],
)
def test_what_cannot_be_served_is_said_before_a_model_is_loaded(run_folder, arguments, message):
    (run_folder / "p.csv").write_text("frage;abfrage\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        words = [word.format(root=run_folder, taken=taken.getsockname()[1]) for word in arguments]
        folder = str(run_folder / "results/answers")
        args = parse_arguments(["serve", folder, f"--database={run_folder / DATABASE}", *words])
        with pytest.raises(InputError) as caught:
            args.command.run(args)
    assert message in str(caught.value)
