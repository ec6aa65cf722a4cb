// The page: what is asked on the left, what is seen on the right.

let selected = null;

function refresh() {
  selected = select();
  const strips = stripsOf(selected.images);
  showStrips(strips, selected.captions);
  if (!byId("panel-scores").hidden) showScores(selected.images, selected.captions);
  tellStatus(strips);
}

function tellStatus(strips) {
  const number = strips.reduce((sum, { rows }) => sum + rows.length, 0);
  const part = number === facts.rows ? "" : `${spoken.format(number)} of `;
  const late = reading() && asked.query ? ", texts still arriving" : "";
  const where = count(strips.length, facts.groupings[asked.grouping]);
  byId("status").textContent = `${part}${count(facts.rows, facts.noun)} in ${where}${late}`;
  byId("clear").hidden = !asked.query && ![...asked.chosen.values()].some((chosen) => chosen.size);
}

// --- filters --------------------------------------------------------------------------------------------------------

function drawFacets() {
  byId("facets").replaceChildren(...facets.map(facetElement).filter(Boolean));
}

function facetElement(facet) {
  const values = valuesOf(facet);
  if (values.length < 2 && !isMany(facet)) return null;
  if (!values.length) return null;
  const key = keyOf(facet);
  const most = Math.max(...values.map(([, number]) => number));
  const toggles = values.slice(0, 200).map(([value, number]) => toggle(key, value, number, number / most));
  const text = `and ${spoken.format(values.length - 200)} more: search for them`;
  const rest = values.length > 200 ? [make("p", { className: "soft small", text })] : [];
  const both = isMany(facet) && values.length > 1 ? [everySwitch(key)] : [];
  return make("fieldset", { "data-facet": facet.name },
    make("legend", { text: facet.label }), ...both, make("div", { className: "toggles" }, ...toggles),
    ...rest);
}

function toggle(key, value, number, share) {
  const chosen = asked.chosen.get(key);
  const button = make("button", {
    type: "button", className: "toggle", "data-value": value, title: facts.hints[value] ?? value,
    "aria-pressed": String(Boolean(chosen && chosen.has(value))),
    on: { click: () => press(key, value, button) },
  }, span("said", said(value)), span("soft", spoken.format(number)));
  button.style.setProperty("--share", share.toFixed(3));
  return button;
}

function press(key, value, button) {
  if (!asked.chosen.has(key)) asked.chosen.set(key, new Set());
  const chosen = asked.chosen.get(key);
  if (!chosen.delete(value)) chosen.add(value);
  button.setAttribute("aria-pressed", String(chosen.has(value)));
  refresh();
}

function everySwitch(key) {
  const box = make("input", { type: "checkbox", on: { change: () => {
    if (box.checked) asked.every.add(key); else asked.every.delete(key);
    refresh();
  } } });
  box.checked = asked.every.has(key);
  return make("label", { className: "soft small every" }, box, " all of them at once");
}

let typing = 0;
byId("search").addEventListener("input", (event) => {
  clearTimeout(typing);
  typing = setTimeout(() => { asked.query = event.target.value.trim(); refresh(); }, 180);
});
byId("clear").addEventListener("click", () => {
  asked.chosen.clear();
  asked.every.clear();
  asked.query = byId("search").value = "";
  drawFacets();
  refresh();
});
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.matches("input, select") || detail.open) return;
  event.preventDefault();
  byId("search").focus();
});

// --- views ----------------------------------------------------------------------------------------------------------

const tabs = [...document.querySelectorAll("[role=tab]")];

function open(tab) {
  for (const other of tabs) {
    const on = other === tab;
    other.setAttribute("aria-selected", String(on));
    other.tabIndex = on ? 0 : -1;
    byId(other.getAttribute("aria-controls")).hidden = !on;
  }
  if (tab.id === "tab-scores") showScores(selected.images, selected.captions);
  if (tab.id === "tab-counts") showCounts();
  layOut();
}

for (const tab of tabs) {
  tab.addEventListener("click", () => open(tab));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    next.focus();
    open(next);
  });
}

let dark = matchMedia("(prefers-color-scheme: dark)").matches;

byId("theme").addEventListener("click", () => {
  dark = !dark;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  nameTheme();
});

function nameTheme() {
  byId("theme").textContent = dark ? "Light" : "Dark";
}

function tileElement({ label, value, before }) {
  const share = before && before !== value ? [span("soft", ` of ${spoken.format(before)}`)] : [];
  return make("div", { className: "tile" }, make("b", { text: spoken.format(value) }), ...share, span("soft", label));
}

function start() {
  nameTheme();
  byId("tiles").replaceChildren(...facts.tiles.map(tileElement));
  byId("note").textContent = facts.note;
  byId("note").hidden = !facts.note;
  byId("tab-crops").textContent = facts.noun[0].toUpperCase() + facts.noun.slice(1);
  byId("search-hint").textContent =
    `Looks in ${SEARCHED.map(said).join(", ")} and texts. person:NAME looks in one, "two words" keeps them together.`;
  const choices = Object.entries(facts.groupings);
  byId("grouping").replaceChildren(...choices.map(([value, text]) => make("option", { value, text })));
  byId("grouping-label").hidden = Object.keys(facts.groupings).length < 2;
  byId("grouping").addEventListener("change", (event) => { asked.grouping = event.target.value; refresh(); });
  byId("order").addEventListener("change", (event) => { asked.order = event.target.value; refresh(); });
  drawFacets();
  refresh();
  whenMoreArrives(() => {
    complete();
    if (asked.query) refresh();
  });
}

start();
