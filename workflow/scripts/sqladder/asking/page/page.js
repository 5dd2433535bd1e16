"use strict";
const find = (id) => document.getElementById(id);
let variants = [];
let asked = 0;

async function call(path, body) {
  const headers = {};
  const token = sessionStorage.getItem("token");
  if (token) headers.Authorization = `Bearer ${token}`;
  const options = { headers };
  if (body) {
    headers["Content-Type"] = "application/json";
    Object.assign(options, { method: "POST", body: JSON.stringify(body) });
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("the server cannot be reached: is it still running?");
  }
  const answer = await response.json();
  if (response.status === 401) {
    find("token-form").hidden = false;
    // What the server says tells programs how to send one.
    throw new Error(token ? "this is not the token of this server" : "enter the token of this server");
  }
  if (!response.ok) throw new Error(answer.error.message);
  return answer;
}

function say(problem, kept = "") {
  find("problem").textContent = problem;
  find("problem").hidden = !problem;
  find("kept").textContent = kept;
}

async function start() {
  try {
    const facts = await call("/variants");
    variants = facts.variants;
    find("database").textContent = facts.database;
    find("pairs").textContent = facts.pairs;
    find("token-form").hidden = true;
    say("");
  } catch (error) {
    say(error.message);
  }
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function showRows(place, answer, heading = "") {
  place.replaceChildren();
  if (heading) place.append(element("p", heading));
  place.hidden = false;
  if (answer.problem) {
    const problem = element("p", `no result: ${answer.problem}`);
    problem.className = "problem";
    place.append(problem);
    return;
  }
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const name of answer.columns) {
    const cell = element("th", name);
    cell.scope = "col";
    head.append(cell);
  }
  const body = table.createTBody();
  for (const row of answer.cells) {
    const line = body.insertRow();
    for (const value of row) {
      const cell = line.insertCell();
      cell.textContent = value ?? "NULL";
      if (value === null) cell.className = "null";
    }
  }
  const count = element("p", answer.counted);
  count.className = "faint";
  place.append(table, count);
}

async function copy(button, text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // A page that is reached over plain HTTP from elsewhere has no clipboard of its own.
    const area = element("textarea", text);
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

async function keep(question, sql) {
  try {
    const answer = await call("/pairs", { question, sql });
    say("", answer.new ? `Kept: ${question}` : `It is there already: ${question}`);
    return answer;
  } catch (error) {
    say(error.message);
    return null;
  }
}

function showAnswer(card, question, answer) {
  const part = (name) => card.querySelector(name);
  part(".state").hidden = Boolean(answer.sql);
  part(".state").textContent = answer.sql ? "" : `no SQL in the answer: ${answer.text}`;
  part(".sql").textContent = answer.sql;
  part(".sql").hidden = part(".copy").hidden = part(".right").hidden = !answer.sql;
  // What gives no result cannot be right.
  part(".right").disabled = Boolean(answer.problem);
  part(".buttons").hidden = false;
  if (answer.sql) showRows(part(".rows"), answer);
  const correction = part(".correction");
  const text = correction.querySelector("textarea");
  text.value = answer.sql;
  part(".copy").addEventListener("click", () => copy(part(".copy"), answer.sql));
  part(".right").addEventListener("click", () => keep(question, answer.sql));
  part(".wrong").addEventListener("click", () => {
    correction.hidden = !correction.hidden;
    part(".wrong").setAttribute("aria-expanded", String(!correction.hidden));
    if (!correction.hidden) text.focus();
  });
  correction.addEventListener("submit", async (event) => {
    event.preventDefault();
    const kept = await keep(question, text.value);
    if (!kept) return;
    // The SQL above stays that of the variant.
    showRows(part(".rows"), kept, "Rows of the SQL that was kept:");
    correction.hidden = true;
    part(".wrong").setAttribute("aria-expanded", "false");
    part(".wrong").focus();
  });
}

async function askOne(variant, question, turn) {
  const card = find("answer").content.firstElementChild.cloneNode(true);
  card.querySelector("h2").textContent = variant;
  find("answers").append(card);
  try {
    const answer = await call("/ask", { variant, question });
    // A later question has taken the place of this one.
    if (turn === asked) showAnswer(card, question, answer);
  } catch (error) {
    card.querySelector(".state").textContent = error.message;
    card.querySelector(".state").classList.add("problem");
  }
}

find("ask-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const question = find("question").value.trim();
  if (!question) return;
  const turn = ++asked;
  if (!variants.length) await start();
  if (!variants.length) return;
  say("");
  find("answers").replaceChildren();
  find("send").disabled = true;
  await Promise.all(variants.map((variant) => askOne(variant, question, turn)));
  find("send").disabled = false;
});

find("token-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", find("token").value.trim());
  find("token").value = "";
  await start();
});

start();
