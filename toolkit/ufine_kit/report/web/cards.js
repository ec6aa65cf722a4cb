// One crop as a card in a strip, and all that is known of it in the detail dialog.

const whys = (row) => (has("image", "reasons") ? word("image", "reasons", row) : []);
const flags = (row) => (has("image", "flags") ? word("image", "flags", row) : []);

// What speaks against a row, in words; a long label makes its card wider.
const against = (row) => [...whys(row), ...flags(row)].map(said).join(", ");
const isLong = (label) => label.length > 11;

// Puts the picture of a row into an <img>; false while it is still on its way.
function fill(image, row) {
  const blob = pictureOf(row);
  if (!blob) return false;
  if (!blob.size) {
    image.replaceWith(span("broken", "no picture"));
    return true;
  }
  const url = URL.createObjectURL(blob);
  const free = () => URL.revokeObjectURL(url);
  image.addEventListener("load", free, { once: true });
  image.addEventListener("error", free, { once: true });
  image.src = url;
  return true;
}

function captionsOf(row) {
  return Array.from({ length: first[row + 1] - first[row] }, (_, at) => first[row] + at);
}

const CAPTION_WORDS = ["granularity", "kind", "style", "writer", "campaign", "checks"]
  .filter((name) => has("caption", name));

// "fine · model · from text 1 · 81 words": where a caption came from.
function origin(caption, row, names) {
  const words = names.flatMap((name) => listed(word("caption", name, caption))).filter(Boolean).map(said);
  const parent = has("caption", "parent") ? column("caption", "parent")[caption] : NaN;
  if (!Number.isNaN(parent)) words.push(`from text ${parent + 1}`);
  if (has("caption", "words")) words.push(count(column("caption", "words")[caption], "words"));
  return words.join(" · ");
}

// A card; `state.complete` turns false when something of it is still on its way.
function card(row, captions, state) {
  const dropped = has("image", "verdict") && word("image", "verdict", row) === "dropped";
  const label = has("image", "seconds") ? clock(column("image", "seconds")[row]) : word("image", "id", row);
  const image = make("img", { alt: "", decoding: "async", draggable: "false" });
  const figure = make("span", { className: "figure" }, image);
  if (!fill(image, row)) state.complete = false;
  const under = make("span", { className: "label" }, span("soft", label));
  const why = against(row);
  if (why) under.append(make("span", { className: "why", text: why, title: why }));
  const shown = captionsOf(row).filter((caption) => captions[caption]);
  const texts = shown.length ? [sayings(shown, row, state)] : [];
  const number = shown.length ? count(shown.length, "texts") : "";
  const about = [`crop ${label}`, dropped ? "dropped" : "", why, number];
  return make("button", {
    type: "button", className: `card${dropped ? " dropped" : ""}${shown.length ? " told" : ""}`, "data-row": row,
    "aria-label": about.filter(Boolean).join(", "),
  }, make("span", { className: isLong(why) ? "look long" : "look" }, figure, under), ...texts);
}

function sayings(captions, row, state) {
  const names = CAPTION_WORDS.filter((name) => name === "granularity" || name === "kind" || name === "checks");
  const shown = captions.slice(0, 2).map((caption) => {
    const text = textOf(caption, row);
    if (text === null) state.complete = false;
    return make("span", { className: "saying" },
      span("origin", origin(caption, row, names)),
      make("span", { className: "text" }, ...marked(text ?? "…")));
  });
  const more = captions.length > 2 ? [span("origin", `and ${captions.length - 2} more`)] : [];
  return make("span", { className: captions.length > 1 ? "sayings two" : "sayings" }, ...shown, ...more);
}

// --- the detail dialog ----------------------------------------------------------------------------------------------

const detail = byId("detail");

function showDetail(row) {
  const image = make("img", { alt: "" });
  fill(image, row);
  const shut = { click: () => detail.close() };
  const close = make("button", { type: "button", className: "quiet close", text: "Close", on: shut });
  detail.replaceChildren(
    make("div", { className: "large" }, image, make("p", { className: "soft small", text: "← → along the strip" })),
    make("div", { className: "known" }, close, ...knownOf(row))
  );
  detail.dataset.row = row;
  if (!detail.open) detail.showModal();
}

function knownOf(row) {
  const parts = [make("h2", { className: "said", text: word("image", "id", row) })];
  const item = (name, text) => make("li", {}, make("b", { text: name }), ` ${text}`);
  const reasons = whys(row).map((name) => item(said(name), facts.hints[name] ?? ""));
  if (reasons.length) parts.push(make("h3", { text: "Reasons against" }), make("ul", { className: "why" }, ...reasons));
  const notes = (facts.findings ?? {})[row] ?? [];
  if (notes.length) {
    const lines = notes.map(([check, level, message]) => item(`${said(check)} (${level})`, message));
    parts.push(make("h3", { text: "Flags" }), make("ul", { className: "why" }, ...lines));
  }
  captionsOf(row).forEach((caption, at) => parts.push(
    make("h3", { text: `Text ${at + 1}` }),
    make("p", { className: "said" }, ...marked(textOf(caption, row) ?? "…")),
    make("p", { className: "origin", text: origin(caption, row, CAPTION_WORDS) })
  ));
  const rest = facts.image_columns.flatMap((name) => known(name, row));
  return [...parts, make("h3", { text: "Known of it" }), make("dl", {}, ...rest)];
}

function known(name, row) {
  if (name === "id" || name === "reasons" || name === "flags") return [];
  const value = isWords("image", name) ? word("image", name, row) : column("image", name)[row];
  if (value === "" || Number.isNaN(value)) return [];
  const bad = typeof value === "number" ? limitsOf(name).filter((limit) => fails(limit, value)) : [];
  const bound = bad.length ? span("why", ` asked for: ${bad.map(limitText).join(", ")}`) : "";
  return [make("dt", { text: said(name) }), make("dd", { className: "said" }, told(value), bound)];
}

const limitsOf = (name) =>
  facts.measures.find((measure) => measure.of === "image" && measure.column === name)?.limits ?? [];
const fails = ({ side, value }, score) => (side === "least" ? score < value : score > value);
const limitText = ({ name, value }) => `${said(name)} ${spoken.format(value)}`;
