// Histograms of all scores: every crop behind, those that are asked for in front, and the thresholds that judged.

const WIDE = 320, TALL = 110, BINS = 48;

function histogram(measure, chosen) {
  const values = column(measure.of, measure.column);
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  if (!sorted.length) return null;
  const range = rangeOf(sorted, measure.limits);
  const all = binned(values, range, () => true);
  const some = binned(values, range, (at) => chosen[measure.of][at]);
  const top = Math.max(...all, 1);
  const { least, most } = range;
  const x = (value) => ((Math.min(Math.max(value, least), most) - least) / (most - least)) * WIDE;
  const size = { viewBox: `0 -18 ${WIDE} ${TALL + 34}` };
  const picture = draw("svg", { ...size, role: "img", "aria-label": spokenChart(measure, sorted) },
    ...measure.limits.map((limit) => shade(limit, x)),
    draw("path", { class: "all", d: bars(all, top) }),
    draw("path", { class: "some", d: bars(some, top) }),
    draw("line", { class: "axis", x1: 0, x2: WIDE, y1: TALL, y2: TALL }),
    ...ticks(range),
    ...measure.limits.flatMap((limit, at) => line(limit, at, x)));
  const missing = values.length - sorted.length;
  const notes = [
    measure.outside !== null ? `${spoken.format(measure.outside)} outside` : "",
    missing ? `${spoken.format(missing)} without` : "",
  ].filter(Boolean).join(", ");
  return make("figure", { className: "chart" },
    make("figcaption", {}, make("b", { text: said(measure.column) }), span("soft", notes)), picture);
}

// From half a percent to 99.5 of the values, and on to the thresholds: one far value must not flatten all others.
function rangeOf(sorted, limits) {
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const ends = limits.map(({ value }) => value);
  let least = Math.min(at(0.005), ...ends), most = Math.max(at(0.995), ...ends);
  const whole = sorted.every(Number.isInteger);
  if (least === most) [least, most] = [least - 0.5, most + 0.5];
  else if (whole && most - least < BINS) [least, most] = [least - 0.5, most + 0.5];
  else { const edge = (most - least) * 0.02; least -= edge; most += edge; }
  return { least, most, bins: whole && most - least <= BINS ? Math.round(most - least) : BINS };
}

function binned(values, { least, most, bins }, counts) {
  const found = new Array(bins).fill(0);
  values.forEach((value, at) => {
    if (Number.isNaN(value) || !counts(at)) return;
    const bin = Math.floor(((value - least) / (most - least)) * bins);
    found[Math.min(bins - 1, Math.max(0, bin))] += 1;
  });
  return found;
}

// Heights are square roots, so that a few crops beside a great many are still seen.
function bars(numbers, top) {
  const wide = WIDE / numbers.length;
  return numbers.map((number, at) => {
    const high = number ? Math.max(1, Math.sqrt(number / top) * TALL) : 0;
    const [left, up, across] = [at * wide + 0.5, high, wide - 1].map((length) => length.toFixed(1));
    return high ? `M${left},${TALL}v-${up}h${across}v${up}z` : "";
  }).join("");
}

function shade({ side, value, reason }, x) {
  if (!reason) return "";
  const at = x(value);
  const [from, to] = side === "least" ? [0, at] : [at, WIDE];
  return draw("rect", { class: "outside", x: from, y: 0, width: to - from, height: TALL });
}

function line(limit, at, x) {
  const where = x(limit.value);
  const [aside, anchor] = where > WIDE / 2 ? [-4, "end"] : [4, "start"];
  const down = 12 * (at % 2);
  const kind = limit.reason ? "limit" : "border";
  return [
    draw("line", { class: kind, x1: where, x2: where, y1: -16 + down, y2: TALL }),
    draw("text", { class: kind, x: where + aside, y: -8 + down, "text-anchor": anchor, text: limitText(limit) }),
  ];
}

function ticks({ least, most }) {
  const step = niceStep((most - least) / 4);
  const found = [];
  for (let value = Math.ceil(least / step) * step; value <= most; value += step) {
    const where = ((value - least) / (most - least)) * WIDE;
    if (where < 8 || where > WIDE - 8) continue;
    const text = spoken.format(Number(value.toPrecision(6)));
    found.push(draw("text", { class: "tick", x: where, y: TALL + 14, "text-anchor": "middle", text }));
  }
  return found;
}

function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find((times) => times * power >= rough);
}

function spokenChart({ column: name, limits }, sorted) {
  const middle = sorted[Math.floor(sorted.length / 2)];
  const [least, most, median] = [sorted[0], sorted[sorted.length - 1], middle].map(told);
  return [`${said(name)}: from ${least} to ${most}, median ${median}`, ...limits.map(limitText)].join(", ");
}

function showScores(images, captions) {
  const image = has("caption", "image") ? column("caption", "image") : [];
  const told = Uint8Array.from(captions, (fits, at) => fits && images[image[at]]);
  const charts = facts.measures.map((measure) => histogram(measure, { image: images, caption: told })).filter(Boolean);
  byId("panel-scores").replaceChildren(
    make("p", { className: "legend soft" },
      make("span", { className: "key all" }), "all ", make("span", { className: "key some" }), "those asked for ",
      ...(facts.kind === "work" ? [make("span", { className: "key limit" }), "thresholds that judged "] : []),
      make("span", { text: " (heights are square roots)" })),
    make("div", { className: "charts" }, ...charts));
}

function showCounts() {
  byId("panel-counts").replaceChildren(...facts.tables.map(table));
}
