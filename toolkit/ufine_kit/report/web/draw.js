// Making elements. Data reaches the document here, and only as text.

function make(tag, settings = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else element.setAttribute(name === "className" ? "class" : name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

const span = (className, text) => make("span", { className, text });

const SVG = "http://www.w3.org/2000/svg";

function draw(tag, settings = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(settings)) {
    if (name === "text") element.textContent = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const spoken = new Intl.NumberFormat("en", { maximumFractionDigits: 3 });
const one = (nouns) => nouns.replace(/ies$/, "y").replace(/s$/, "");
const count = (number, nouns) => `${spoken.format(number)} ${number === 1 ? one(nouns) : nouns}`;
const told = (value) => (typeof value === "number" ? spoken.format(value) : value);
const said = (name) => String(name).replaceAll("_", " ");

function clock(seconds) {
  const whole = Math.floor(seconds);
  const two = (number) => String(number).padStart(2, "0");
  const rest = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return (whole >= 3600 ? `${Math.floor(whole / 3600)}:${rest}` : rest) + (seconds - whole).toFixed(1).slice(1);
}

// A text with what was searched for marked in it.
function marked(text) {
  const terms = termsOf(asked.query).filter(({ key }) => !key || key === "text");
  const patterns = terms.map(({ pattern }) => pattern.source);
  if (!patterns.length) return [text];
  const pieces = text.split(new RegExp(`(${patterns.join("|")})`, "iu"));
  return pieces.map((piece, at) => (at % 2 ? make("mark", { text: piece }) : piece));
}

function table({ title, head, lines, note }) {
  const numeric = head.map((_, at) => lines.length > 0 && lines.every((line) => typeof line[at] === "number"));
  const cell = (tag) => (value, at) => make(tag, { text: told(value), className: numeric[at] ? "number" : null });
  return make("section", { className: "table" },
    make("h2", { text: title }),
    make("div", { className: "wide" }, make("table", {},
      make("thead", {}, make("tr", {}, ...head.map(cell("th")))),
      make("tbody", {}, ...lines.map((line) => make("tr", {}, ...line.map(cell("td")))))
    )),
    ...(note ? [make("p", { className: note.startsWith("Synthetic") ? "synthetic" : "soft", text: note })] : [])
  );
}
