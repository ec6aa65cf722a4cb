"use strict";
// The inert blocks of the document: columns are parsed when first needed, texts and pictures as they arrive.

const byId = (name) => document.getElementById(name);
const facts = JSON.parse(byId("facts").textContent);
const columns = new Map();

// {words, codes} for a column of words, a Float64Array (NaN: none) for one of numbers. `of` is "image" or "caption".
function column(of, name) {
  const key = `${of}-${name}`;
  if (!columns.has(key)) {
    const held = JSON.parse(byId(key).textContent);
    byId(key).remove();
    columns.set(key, held.numbers ? numbers(held.numbers) : coded(held));
  }
  return columns.get(key);
}

function numbers(values) {
  return Float64Array.from(values, (value) => (value === null ? NaN : value));
}

function coded({ words, codes }) {
  return { words, codes: codes ? Int32Array.from(codes) : Int32Array.from(words, (_, row) => row) };
}

const has = (of, name) => facts[`${of}_columns`].includes(name);
const isWords = (of, name) => "words" in column(of, name);

function word(of, name, row) {
  const { words, codes } = column(of, name);
  return words[codes[row]];
}

// Captions stand in the order of their images: those of `row` are first[row] to first[row + 1].
const first = (() => {
  const starts = new Int32Array(facts.rows + 1);
  for (const row of column("caption", "image")) starts[row + 1] += 1;
  for (let row = 0; row < facts.rows; row += 1) starts[row + 1] += starts[row];
  return starts;
})();

// --- what arrives while the page is already in use ------------------------------------------------------------------

const reading = () => document.readyState === "loading";
const blockOf = (row) => Math.floor(row / facts.block_rows);
const blockCount = Math.ceil(facts.rows / facts.block_rows);

// A block that stands whole in the document: the parser has gone on behind it.
function arrived(name) {
  const found = byId(name);
  return found && (found.nextSibling || !reading()) ? found : null;
}

const texts = new Map();

// Texts of the captions of one block of images, or null while they are on their way.
function textsOfBlock(number) {
  if (!texts.has(number)) {
    const found = arrived(`texts-${number}`);
    if (!found) return null;
    texts.set(number, JSON.parse(found.textContent));
    found.remove();
  }
  return texts.get(number);
}

// The text of caption number `caption` of image `row`, or null while it is on its way.
function textOf(caption, row) {
  const held = textsOfBlock(blockOf(row));
  return held && held[caption - first[blockOf(row) * facts.block_rows]];
}

const pictures = new Map();

// One picture as a Blob; null while it is on its way; an empty one where there is none. Once its block was opened, its
// bytes lie with the browser and no longer as text in the document.
function pictureOf(row) {
  const number = blockOf(row);
  if (!pictures.has(number)) {
    const found = arrived(`thumbs-${number}`);
    if (!found) return null;
    pictures.set(number, opened(found.textContent));
    found.remove();
  }
  const { blob, ends } = pictures.get(number);
  const at = row % facts.block_rows;
  return blob.slice(at ? ends[at - 1] : 0, ends[at], "image/webp");
}

function opened(text) {
  const line = text.indexOf("\n");
  let end = 0;
  const ends = text.slice(0, line).split(",").map((length) => (end += Number(length)));
  return { blob: new Blob([decoded(text.slice(line + 1))]), ends };
}

function decoded(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

// Calls back when blocks arrived, a few times a second, and once more when all are there.
function whenMoreArrives(act) {
  let waiting = 0;
  const soon = () => {
    if (!waiting) waiting = setTimeout(() => { waiting = 0; act(); }, 120);
  };
  const watch = new MutationObserver(soon);
  watch.observe(document.body, { childList: true });
  document.addEventListener("DOMContentLoaded", () => { watch.disconnect(); clearTimeout(waiting); act(); });
}
