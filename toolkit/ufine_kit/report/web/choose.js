// What is to be seen: toggles and search in, rows and strips out. Nothing here touches the document.

const facets = [
  ...Object.entries(facts.image_facets).map(([name, label]) => ({ of: "image", name, label })),
  ...Object.entries(facts.caption_facets).map(([name, label]) => ({ of: "caption", name, label })),
].filter(({ of, name }) => has(of, name));

const SEARCHED = ["id", "person", "tracklet", "video", "source", "upstream"].filter((name) => has("image", name));

// `chosen` maps a facet to the values that are pressed; `every` holds the facets that ask for all of them at once.
const [firstGrouping] = Object.keys(facts.groupings);
const asked = { chosen: new Map(), every: new Set(), query: "", grouping: firstGrouping, order: "place" };

const listed = (value) => (Array.isArray(value) ? value : [value]);
const keyOf = (facet) => `${facet.of}-${facet.name}`;

// Values of a facet with the rows that have each, most first; videos by name.
function valuesOf(facet) {
  const { words, codes } = column(facet.of, facet.name);
  const each = new Float64Array(words.length);
  for (const code of codes) each[code] += 1;
  const found = new Map();
  words.forEach((value, code) => {
    for (const one of listed(value)) found.set(one, (found.get(one) || 0) + each[code]);
  });
  const most = (a, b) => (facet.name === "video" ? 0 : b[1] - a[1]);
  return [...found].sort((a, b) => most(a, b) || (a[0] < b[0] ? -1 : 1));
}

const isMany = (facet) => column(facet.of, facet.name).words.some(Array.isArray);

// By code of the facet's column: does it fit what is pressed? Null where nothing is.
function allowed(facet) {
  const chosen = asked.chosen.get(keyOf(facet));
  if (!chosen || !chosen.size) return null;
  const every = asked.every.has(keyOf(facet));
  return column(facet.of, facet.name).words.map((value) => {
    const held = listed(value);
    return every ? [...chosen].every((one) => held.includes(one)) : held.some((one) => chosen.has(one));
  });
}

// Which rows fit all facets of `of`: Uint8Array, 1 for yes.
function fitting(of, rows) {
  const fits = new Uint8Array(rows).fill(1);
  for (const facet of facets.filter((one) => one.of === of)) {
    const may = allowed(facet);
    if (!may) continue;
    const { codes } = column(of, facet.name);
    for (let row = 0; row < rows; row += 1) if (!may[codes[row]]) fits[row] = 0;
  }
  return fits;
}

// `one "two words" person:p7` -> patterns; the word before the colon names the only column that is looked at.
function termsOf(query) {
  return [...query.matchAll(/(?:(\w+):)?(?:"([^"]*)"|(\S+))/g)].map(([whole, key, quoted, bare]) => {
    const known = key && (key === "text" || SEARCHED.includes(key));
    const said = known ? quoted ?? bare : quoted ?? whole;
    return { key: known ? key : null, pattern: new RegExp(said.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "iu") };
  }).filter(({ pattern }) => pattern.source !== "(?:)");
}

// Rows that a term is found in: by their words, or by a text of theirs among `captions`.
function found({ key, pattern }, captions) {
  const hit = new Uint8Array(facts.rows);
  for (const name of SEARCHED.filter((one) => !key || key === one)) {
    const { words, codes } = column("image", name);
    const fits = words.map((value) => pattern.test(value));
    for (let row = 0; row < facts.rows; row += 1) if (fits[codes[row]]) hit[row] = 1;
  }
  if (key && key !== "text") return hit;
  const image = column("caption", "image");
  for (let number = 0; number < blockCount; number += 1) {
    const start = first[number * facts.block_rows];
    (textsOfBlock(number) || []).forEach((text, at) => {
      if (captions[start + at] && pattern.test(text)) hit[image[start + at]] = 1;
    });
  }
  return hit;
}

// What fits all that is asked: `images` and `captions` as Uint8Array.
function select() {
  const images = fitting("image", facts.rows);
  const captions = fitting("caption", first[facts.rows]);
  if (facets.some((facet) => facet.of === "caption" && allowed(facet))) {
    const told = new Uint8Array(facts.rows);
    column("caption", "image").forEach((row, caption) => { if (captions[caption]) told[row] = 1; });
    for (let row = 0; row < facts.rows; row += 1) images[row] &= told[row];
  }
  for (const term of termsOf(asked.query)) {
    const hit = found(term, captions);
    for (let row = 0; row < facts.rows; row += 1) images[row] &= hit[row];
  }
  return { images, captions };
}

// --- strips ---------------------------------------------------------------------------------------------------------

const grouped = new Map();

// All rows, strip by strip in order of place and time: rows of strip i are rows[starts[i]] to rows[starts[i + 1]].
function strips(name) {
  if (!grouped.has(name)) grouped.set(name, inStrips(name));
  return grouped.get(name);
}

function inStrips(name) {
  const { words, codes } = column("image", name);
  const place = has("image", "video") ? column("image", "video").codes : codes;
  const time = has("image", "seconds") ? column("image", "seconds") : Float64Array.from(codes, (_, row) => row);
  const before = (a, b) => place[a] - place[b] || time[a] - time[b] || a - b;
  const timed = has("image", "seconds") ? [...codes.keys()].sort(before) : [...codes.keys()];
  const rank = new Int32Array(words.length).fill(-1);
  let next = 0;
  for (const row of timed) if (rank[codes[row]] < 0) rank[codes[row]] = next++;
  const starts = new Int32Array(next + 1);
  for (const code of codes) starts[rank[code] + 1] += 1;
  for (let strip = 0; strip < next; strip += 1) starts[strip + 1] += starts[strip];
  const rows = new Int32Array(codes.length);
  const filled = starts.slice();
  for (const row of timed) rows[filled[rank[codes[row]]]++] = row;
  return { rows, starts };
}

// The strips that have something to show: {rows: those that fit, all: how many there are}.
function stripsOf(images) {
  const { rows, starts } = strips(asked.grouping);
  const shown = [];
  for (let strip = 0; strip + 1 < starts.length; strip += 1) {
    const fit = rows.subarray(starts[strip], starts[strip + 1]).filter((row) => images[row]);
    if (fit.length) shown.push({ rows: fit, all: starts[strip + 1] - starts[strip] });
  }
  return asked.order === "size" ? shown.sort((a, b) => b.rows.length - a.rows.length) : shown;
}
