// The list of strips: as long as all of them, while only those on the screen are in the document.

const list = byId("strips");
const HEIGHT_PX = 216; // of one line of strips, its gap included: the same for all, so that any place is known undrawn
const GAP_PX = 12, AHEAD_PX = 500, HEADING_PX = 240;
const PICTURE_PX = 128, CARD_PX = 70, LABEL_CARD_PX = 98, TOLD_CARD_PX = 392; // as in page.css
const CARDS_AT_ONCE = 32;

let shown = [];
let captionsShown = new Uint8Array(0);
let lines = []; // of strips that fit side by side: [{at, left, width}]
const mounted = new Map();

function showStrips(strips, captions) {
  shown = strips;
  captionsShown = captions;
  byId("panel-crops").classList.toggle("empty", !shown.length);
  layOut();
  if (list.getBoundingClientRect().top < 0) list.scrollIntoView();
}

// Places all strips in lines as wide as the list, and begins anew with what is on the screen.
function layOut() {
  if (list.offsetParent === null) return;
  const whole = list.clientWidth;
  lines = [];
  let line = [], used = 0;
  shown.forEach((strip, at) => {
    const width = Math.min(whole, widthOf(strip.rows));
    if (line.length && used + GAP_PX + width > whole) { lines.push(spread(line, whole)); line = []; used = 0; }
    line.push({ at, width });
    used += width + (line.length > 1 ? GAP_PX : 0);
  });
  if (line.length) lines.push(spread(line, lines.length || used > 0.7 * whole ? whole : used));
  list.style.height = `${lines.length * HEIGHT_PX}px`;
  unmount(() => true);
  place();
}

function widthOf(rows) {
  let width = 24;
  for (const row of rows) {
    width += isTold(row) ? TOLD_CARD_PX : bareWidths()[row];
    if (width > innerWidth) break;
  }
  return Math.max(HEADING_PX, Math.ceil(width));
}

function isTold(row) {
  for (let caption = first[row]; caption < first[row + 1]; caption += 1) if (captionsShown[caption]) return true;
  return false;
}

let bare = null;

// Widths of all cards without a text, reckoned once: laying out goes over every row at every press.
function bareWidths() {
  if (bare) return bare;
  const wide = column("image", "width"), high = column("image", "height");
  bare = Float64Array.from(wide, (_, row) => {
    const least = isLong(against(row)) ? LABEL_CARD_PX : CARD_PX;
    return Math.max(least, (PICTURE_PX * wide[row]) / high[row] + 14) || least;
  });
  return bare;
}

// What is left of a line goes to its strips in equal shares.
function spread(line, whole) {
  const used = line.reduce((sum, { width }) => sum + width, GAP_PX * (line.length - 1));
  const share = (whole - used) / line.length;
  let left = 0;
  return line.map(({ at, width }) => {
    const placed = { at, left, width: width + share };
    left += width + share + GAP_PX;
    return placed;
  });
}

function unmount(which) {
  for (const [at, strip] of mounted) {
    if (!which(strip)) continue;
    strip.remove();
    mounted.delete(at);
  }
}

// Mounts what is on the screen, or nearly; keeps the strip that holds the focus.
function place() {
  if (list.offsetParent === null) return;
  const top = -list.getBoundingClientRect().top;
  const from = Math.max(0, Math.floor((top - AHEAD_PX) / HEIGHT_PX));
  const to = Math.min(lines.length, Math.ceil((top + innerHeight + AHEAD_PX) / HEIGHT_PX));
  unmount((strip) => (strip.dataset.line < from || strip.dataset.line >= to) && !strip.contains(document.activeElement));
  for (let line = from; line < to; line += 1) mountLine(line);
}

function mountLine(number) {
  for (const { at, left, width } of lines[number]) {
    if (mounted.has(at)) continue;
    const strip = stripElement(at);
    strip.dataset.line = number;
    strip.style.transform = `translate(${left}px, ${number * HEIGHT_PX}px)`;
    strip.style.width = `${width}px`;
    strip.classList.toggle("narrow", width < 380);
    mounted.set(at, strip);
    const after = [...list.children].find((other) => Number(other.dataset.at) > at);
    list.insertBefore(strip, after ?? null); // in order, so that Tab walks down the page
  }
}

// Draws again the strips whose pictures or texts had not come when they were drawn.
function complete() {
  unmount((strip) => strip.dataset.waiting === "yes" && !strip.contains(document.activeElement));
  place();
}

function stripElement(at) {
  const { rows, all } = shown[at];
  const state = { complete: true };
  const cards = make("div", { className: "cards" });
  const addCards = () => {
    const from = cards.childElementCount;
    for (const row of rows.subarray(from, from + CARDS_AT_ONCE)) cards.append(card(row, captionsShown, state));
  };
  addCards();
  cards.addEventListener("scroll", () => {
    if (cards.scrollLeft + 2 * cards.clientWidth > cards.scrollWidth) addCards();
  }, { passive: true });
  return make("section", {
    className: "strip", role: "listitem", "aria-setsize": shown.length, "aria-posinset": at + 1,
    "data-at": at, "data-waiting": state.complete ? "no" : "yes",
  }, heading(rows, all), cards);
}

// Name of the strip first, then what all of its crops share, then how many there are.
function heading(rows, all) {
  const others = facts.headings.filter((name) => name !== asked.grouping && has("image", name));
  const shared = others.map((name) => {
    const { words, codes } = column("image", name);
    const value = words[codes[rows[0]]];
    const one = rows.every((row) => codes[row] === codes[rows[0]]);
    if (one && (value === "" || value === word("image", asked.grouping, rows[0]))) return null;
    const said = one ? value : count(new Set(rows.map((row) => codes[row])).size, PLURAL[name] ?? `${name}s`);
    return make("span", { className: one ? "chip said" : "chip", title: name, text: said });
  });
  const number = (rows.length === all ? "" : `${spoken.format(rows.length)} of `) + count(all, facts.noun);
  return make("header", {},
    nameElement(word("image", asked.grouping, rows[0])),
    ...shared.filter(Boolean),
    span("soft", number));
}

// Names are cut in their middle where there is no room: they differ at their ends.
function nameElement(name) {
  const head = Math.max(0, name.length - 8);
  return make("b", { title: name }, make("span", { text: name.slice(0, head) }), make("span", { text: name.slice(head) }));
}

const PLURAL = { person: "identities", split: "splits", source: "sources" };

// --- keys and clicks ------------------------------------------------------------------------------------------------

list.addEventListener("click", (event) => {
  const pressed = event.target.closest(".card");
  if (pressed) showDetail(Number(pressed.dataset.row));
});

list.addEventListener("keydown", (event) => {
  const from = event.target.closest(".card");
  const to = from && neighbour(from, event.key);
  if (!to) return;
  event.preventDefault();
  to.focus({ preventScroll: true });
  to.scrollIntoView({ block: "nearest", inline: "nearest" });
});

function neighbour(from, key) {
  if (key === "ArrowRight") return from.nextElementSibling ?? beside(from, 1);
  if (key === "ArrowLeft") return from.previousElementSibling ?? beside(from, -1);
  const line = Number(from.closest(".strip").dataset.line) + ({ ArrowDown: 1, ArrowUp: -1 }[key] ?? NaN);
  if (!lines[line]) return null;
  mountLine(line);
  const cards = lines[line].flatMap(({ at }) => [...mounted.get(at).querySelectorAll(".card")]);
  const middle = (card) => { const { left, right } = card.getBoundingClientRect(); return (left + right) / 2; };
  const far = (card) => Math.abs(middle(card) - middle(from));
  return cards.reduce((best, card) => (far(card) < far(best) ? card : best));
}

// The end of the next or the last strip of the same line.
function beside(from, step) {
  const strip = from.closest(".strip");
  const other = mounted.get(Number(strip.dataset.at) + step);
  if (!other || other.dataset.line !== strip.dataset.line) return null;
  return step > 0 ? other.querySelector(".card") : other.querySelector(".card:last-child");
}

detail.addEventListener("keydown", (event) => {
  const row = Number(detail.dataset.row);
  const strip = shown.find(({ rows }) => rows.includes(row));
  if (!strip || (event.key !== "ArrowRight" && event.key !== "ArrowLeft")) return;
  const next = strip.rows[strip.rows.indexOf(row) + (event.key === "ArrowRight" ? 1 : -1)];
  if (next !== undefined) showDetail(next);
});
detail.addEventListener("click", (event) => { if (event.target === detail) detail.close(); });
detail.addEventListener("close", () => {
  const card = list.querySelector(`.card[data-row="${detail.dataset.row}"]`);
  if (card) card.focus();
});

let asking = 0;
const soon = () => { if (!asking) asking = requestAnimationFrame(() => { asking = 0; place(); }); };
addEventListener("scroll", soon, { passive: true });
addEventListener("resize", () => requestAnimationFrame(layOut));
