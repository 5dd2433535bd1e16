// Sortable tables, and the browser of questions. All foreign text is set as textContent, never as HTML.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const form = document.getElementById("filters");
const list = document.getElementById("list");
const shown = document.getElementById("shown");

// A question's row: [id, database, level, question, gold, answers, gold's result]; an answer's: [sql, kind, reason,
// detail, result]; a result's: [names, more columns, rows, n, file, problem]; each row of it has its mark in front.
const [ID, DATABASE, LEVEL, QUESTION, GOLD, ANSWERS, GOLD_RESULT] = [0, 1, 2, 3, 4, 5, 6];
const [SQL, KIND, REASON, DETAIL, RESULT] = [0, 1, 2, 3, 4];
const [NAMES, MORE_COLUMNS, ROWS, COUNT, FILE, PROBLEM] = [0, 1, 2, 3, 4, 5];
const MARKS = {
  "=": ["", ""], "+": ["added", "only in this result"], "-": ["missing", "only in gold's result"],
  "~": ["moved", "at another place than in gold's result"],
};
const isRight = (answer) => answer.length === 1;

function make(tag, className, text, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  element.append(...children);
  return element;
}

// Tables

const SECONDS = { s: 1, min: 60, h: 3600 };

function sortValue(cell) {
  const text = cell.textContent.trim();
  const number = Number.parseFloat(text.replaceAll(",", "").replace("−", "-").replace(/^[<+(]\s*/, ""));
  if (Number.isNaN(number)) return text;
  return number * (SECONDS[text.match(/^[\d.]+\s(s|min|h)$/)?.[1]] ?? 1);
}

function compareValues(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  if (typeof one !== typeof other) return typeof one === "number" ? -1 : 1;
  return one.localeCompare(other);
}

function sortBy(table, column) {
  const header = table.tHead.rows[0].cells[column];
  const sign = header.getAttribute("aria-sort") === "descending" ? 1 : -1;
  for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => sign * compareValues(sortValue(a.cells[column]), sortValue(b.cells[column])));
  table.tBodies[0].append(...rows);
}

// The numbers of questions that a table's columns are about stand under its header and are not sorted among variants.
function keepCounts(table) {
  const row = table.tBodies[0]?.rows[0];
  const name = (one) => one?.cells[0].textContent;
  const counts = name(table.tHead.rows[0]) === "variant" && name(row) === "questions";
  if (counts && placeOf("questions") < 0) table.tHead.append(row);
}

function makeSortable(table) {
  if (!table.tBodies.length || table.tBodies[0].rows.length < 2) return;
  [...table.tHead.rows[0].cells].forEach((cell, column) => {
    const button = make("button", "", cell.textContent);
    button.addEventListener("click", () => sortBy(table, column));
    cell.replaceChildren(button);
  });
}

// The place of a variant among the answers; where it has several seeds, that of the first.
function placeOf(variant) {
  return data.variants.findIndex((label) => label === variant || label.startsWith(`${variant}, seed `));
}

// The rows of "Who wins which questions" lead to these questions.
function linkWins() {
  let element = document.getElementById("who-wins-which-questions");
  while (element && !element.querySelector("table")) element = element.nextElementSibling;
  for (const row of element ? element.querySelector("table").tBodies[0].rows : []) {
    const [winner, loser] = row.cells[0].textContent.split(", not ");
    const button = make("button", "jump", "show");
    button.setAttribute("aria-label", `show the questions that ${winner} answers right and ${loser} does not`);
    button.addEventListener("click", () => {
      form.reset();
      form.elements.first.value = String(placeOf(winner));
      form.elements["first-outcome"].value = "right";
      form.elements.second.value = String(placeOf(loser));
      form.elements["second-outcome"].value = "wrong";
      keepFilters();
      document.getElementById("questions").scrollIntoView();
    });
    row.cells[0].append(" ", button);
  }
}

// SQL

const KEYWORDS = new Set((
  "all and as asc between by case cast count avg sum min max cross desc distinct else end escape except exists " +
  "from full glob group having in inner intersect is join left like limit natural not null offset on or order outer " +
  "over partition right select then union using values when where with"
).split(" "));
const TOKEN = /(--[^\n]*|\/\*[^]*?\*\/)|('(?:[^']|'')*'|"(?:[^"]|"")*")|(\b\d+(?:\.\d+)?\b)|([A-Za-z_]\w*)|([^])/g;

function highlight(sql) {
  const code = make("code");
  for (const [token, comment, text, number, word] of sql.matchAll(TOKEN)) {
    const keyword = word && KEYWORDS.has(word.toLowerCase());
    const kind = comment ? "c" : text ? "s" : number ? "n" : keyword ? "k" : "";
    code.append(kind ? make("span", kind, token) : token);
  }
  return make("pre", "sql", "", code);
}

// Questions

function matchesOutcome(answers, variant, outcome) {
  if (!outcome) return true;
  const chosen = variant === "" ? answers : [answers[Number(variant)]];
  if (outcome === "right") return chosen.some(isRight);
  if (outcome === "wrong") return chosen.some((answer) => !isRight(answer));
  return chosen.some((answer) => answer[KIND] === Number(outcome));
}

function matchesSearch(row, words) {
  if (!words.length) return true;
  const sqls = [row[GOLD], ...row[ANSWERS].map((answer) => answer[SQL])].map((number) => data.texts[number]);
  const text = [row[ID], row[QUESTION], ...sqls].join("\n").toLowerCase();
  return words.every((word) => text.includes(word));
}

function found() {
  const value = (name) => form.elements[name].value;
  const words = value("search").toLowerCase().split(/\s+/).filter(Boolean);
  return data.questions.filter((row) =>
    (value("level") === "" || row[LEVEL] === Number(value("level"))) &&
    (value("database") === "" || row[DATABASE] === value("database")) &&
    matchesOutcome(row[ANSWERS], value("first"), value("first-outcome")) &&
    matchesOutcome(row[ANSWERS], value("second"), value("second-outcome")) &&
    matchesSearch(row, words));
}

function listItem(row) {
  const dots = make("span", "dots");
  dots.append(...row[ANSWERS].map((answer) => make("span", isRight(answer) ? "yes" : "no", isRight(answer) ? "●" : "○")));
  const right = row[ANSWERS].filter(isRight).length;
  dots.title = `right: ${right} of ${row[ANSWERS].length} variants`;
  const where = make("span", "", `${row[DATABASE]} · ${data.levels[row[LEVEL]]}`);
  const button = make("button", "", row[QUESTION], make("small", "", "", where, dots));
  button.type = "button";
  button.tabIndex = -1;
  button.addEventListener("click", () => show(row, button));
  return make("li", "", "", button);
}

// Results

function resultCell(value) {
  return value === null ? make("td", "null", "NULL") : make("td", "", value);
}

function resultRow([mark, ...values]) {
  const [kind, meaning] = MARKS[mark];
  const sign = make("td", "sign", mark === "=" ? "" : mark.replace("-", "−"));
  if (meaning) sign.append(make("span", "unseen", meaning));
  sign.title = meaning;
  return make("tr", kind, "", sign, ...values.map(resultCell));
}

function resultTable(number, caption) {
  const result = data.results[number];
  if (!result) return "";
  if (result[PROBLEM]) return make("p", "why", result[PROBLEM]);
  const count = result[COUNT] === null ? "more rows than are compared" : `${result[COUNT].toLocaleString("en")} rows`;
  const more = result[MORE_COLUMNS] ? `, ${result[MORE_COLUMNS]} more columns` : "";
  const shown = result[ROWS].length < result[COUNT] || result[COUNT] === null ? ", first ones" : "";
  const head = make("tr", "", "", make("td", "sign"), ...result[NAMES].map((name) => make("th", "", name)));
  const table = make("table", "result", "",
    make("caption", "", `${caption}${count.replace(/^1 rows$/, "1 row")}${more}${shown} · ${result[FILE]}`),
    make("thead", "", "", head), make("tbody", "", "", ...result[ROWS].map(resultRow)));
  return make("div", "wide", "", table);
}

function answerCard(answer, variant, raw) {
  const badge = isRight(answer)
    ? make("span", "badge yes", "✓ right")
    : make("span", "badge no", `✗ ${data.kinds[answer[KIND]]}`);
  const card = make("div", "answer", "", make("h4", "", "", make("span", "", variant), badge));
  const sql = data.texts[answer[SQL]];
  card.append(sql.trim() ? highlight(sql) : make("p", "why", "no SQL"));
  const why = isRight(answer) ? [] : [answer[REASON], answer[DETAIL]].map((number) => data.texts[number]);
  for (const text of why.filter(Boolean)) card.append(make("p", "why", text));
  card.append(isRight(answer) ? make("p", "why", "gives what gold gives") : resultTable(answer[RESULT], ""));
  if (raw) card.append(make("details", "raw", "", make("summary", "", "answer as written"), make("pre", "", raw)));
  return card;
}

function goldCard(row) {
  return make("div", "answer gold", "", make("h4", "", "gold"), highlight(data.texts[row[GOLD]]),
    resultTable(row[GOLD_RESULT], ""));
}

function promptCard(context, lines) {
  if (!lines.length) return "";
  const title = data.prompts.length > 1 ? `prompt as asked, context ${context}` : "prompt as asked";
  const text = lines.map((number) => data.lines[number]).join("\n");
  return make("details", "raw", "", make("summary", "", title), make("pre", "", text));
}

// Questions of one database whose gold query is the same up to case and space: wordings of one query.
const wordings = new Map();
const queryOf = (row) => `${row[DATABASE]}\n${data.texts[row[GOLD]].toLowerCase().replace(/\s+/g, " ").trim()}`;
for (const row of data.questions) wordings.set(queryOf(row), [...(wordings.get(queryOf(row)) ?? []), row]);

function otherWordings(row) {
  const others = wordings.get(queryOf(row)).filter((other) => other !== row);
  if (!others.length) return "";
  const items = others.map((other) => {
    const link = make("a", "", other[QUESTION]);
    link.href = addressOf(other[ID]);
    link.addEventListener("click", (event) => { event.preventDefault(); openQuestion(other[ID]); });
    const differing = data.variants.filter((_, n) => isRight(row[ANSWERS][n]) !== isRight(other[ANSWERS][n]));
    const told = differing.length ? ` · right on one of both only: ${differing.join(", ")}` : " · the same variants are right";
    return make("li", "", "", link, make("span", "meta", told));
  });
  return make("div", "wordings", "", make("p", "why", "Other wordings of this query:"), make("ul", "", "", ...items));
}

// The list is one stop of the tab key: that of the question that is shown. Arrow keys move within it.
function show(row, button) {
  const before = list.querySelector("[aria-current]");
  before?.removeAttribute("aria-current");
  before?.setAttribute("tabindex", "-1");
  button.setAttribute("aria-current", "true");
  button.removeAttribute("tabindex");
  const place = data.questions.indexOf(row);
  const raw = data.raw[place];
  const answers = row[ANSWERS].map((answer, n) => answerCard(answer, data.variants[n], data.texts[raw[n]]));
  const link = make("a", "", "link to this question");
  link.href = addressOf(row[ID]);
  shown.replaceChildren(
    make("h3", "", row[QUESTION]),
    make("p", "meta", `${row[ID]} · ${row[DATABASE]} · ${data.levels[row[LEVEL]]} · `, link),
    otherWordings(row),
    ...data.prompts.map(([context, asked]) => promptCard(context, asked[place])),
    make("div", "answers", "", goldCard(row), ...answers),
  );
}

function filter() {
  const rows = found();
  const total = data.questions.length.toLocaleString("en");
  document.getElementById("found").textContent = `${rows.length.toLocaleString("en")} of ${total} questions`;
  const items = rows.map(listItem);
  list.replaceChildren(...items);
  shown.hidden = !rows.length;
  if (rows.length) show(rows[0], items[0].firstChild);
}

// A link to one question names it after the filters' place in the address.
function addressOf(id) {
  return `#questions?${new URLSearchParams({ question: id })}`;
}

function openQuestion(id) {
  for (const [name] of new FormData(form)) form.elements[name].value = "";
  const place = found().findIndex((row) => row[ID] === id);
  filter();
  if (place < 0) return;
  const button = list.children[place].firstChild;
  button.click();
  button.scrollIntoView({ block: "nearest" });
  history.replaceState(null, "", addressOf(id));
  shown.scrollIntoView();
}

// The address keeps the filters after "#questions?", so that it can be shared.
function keepFilters() {
  const chosen = [...new FormData(form)].filter(([, value]) => value !== "");
  history.replaceState(null, "", `#questions?${new URLSearchParams(chosen)}`);
  filter();
}

function readFilters() {
  const [anchor, settings] = location.hash.split("?");
  if (anchor !== "#questions" || !settings) return;
  for (const [name, value] of new URLSearchParams(settings)) {
    const known = ["search", "level", "database", "first", "first-outcome", "second", "second-outcome"].includes(name);
    if (known) form.elements[name].value = value;
  }
  for (const select of form.querySelectorAll("select")) if (select.selectedIndex < 0) select.selectedIndex = 0;
  setTimeout(() => document.getElementById("questions").scrollIntoView());
}

function addOptions(name, values, texts) {
  form.elements[name].append(...values.map((value, place) => new Option(texts[place], value)));
}

function fillFilters() {
  const numbers = (values) => values.map((_, number) => String(number));
  const databases = [...new Set(data.questions.map((row) => row[DATABASE]))].sort();
  const failed = new Set(data.questions.flatMap((row) => row[ANSWERS].map((answer) => answer[KIND])));
  const kinds = numbers(data.kinds).filter((number) => failed.has(Number(number)));
  addOptions("level", numbers(data.levels), data.levels);
  addOptions("database", databases, databases);
  for (const name of ["first", "second"]) {
    addOptions(name, numbers(data.variants), data.variants);
    const texts = ["right", "wrong", ...kinds.map((number) => `wrong: ${data.kinds[number]}`)];
    addOptions(`${name}-outcome`, ["right", "wrong", ...kinds], texts);
  }
}

const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -Infinity, End: Infinity };

function move(step) {
  const buttons = [...list.querySelectorAll("button")];
  const place = buttons.findIndex((button) => button.hasAttribute("aria-current"));
  const next = buttons[Math.min(buttons.length - 1, Math.max(0, place + step))];
  next?.click();
  next?.focus();
}

function onKey(event) {
  const typing = event.target.closest("input, select");
  if (event.key === "/" && !typing) {
    event.preventDefault();
    form.elements.search.focus();
  } else if (event.key in STEPS && list.contains(event.target)) {
    event.preventDefault();
    move(STEPS[event.key]);
  }
}

document.querySelectorAll("main table").forEach(keepCounts);
document.querySelectorAll("main table").forEach(makeSortable);
document.querySelectorAll("pre.sql").forEach((block) => block.replaceWith(highlight(block.textContent)));
linkWins();
fillFilters();
readFilters();
filter();
form.hidden = false;
document.getElementById("browser").hidden = false;
function followLink() {
  const id = new URLSearchParams(location.hash.split("?")[1] ?? "").get("question");
  if (location.hash.startsWith("#questions?") && id) setTimeout(() => openQuestion(id));
}
followLink();
addEventListener("hashchange", followLink);
form.addEventListener("input", keepFilters);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(keepFilters));
document.addEventListener("keydown", onKey);
