// The wall of pictures: only what is near the window exists in the page, whatever the library holds.
// Months come with their sums, so that the whole height is known before anything of it is loaded.

import { ask, tell } from "./frame.js";
import { GAP, HEAD, firstBehind, guessed, rows } from "./wall.js";
import { Queue } from "./queue.js";
import { openViewer } from "./viewer.js";

const AHEAD = 1.2; // windows above and below that are kept ready
const SETTLED_MS = 90; // nothing is asked for while the wall flies past
const library = document.getElementById("library");
const wall = document.getElementById("wall");
const scrubber = document.getElementById("scrubber");
const selection = document.getElementById("selection");
const words = library.dataset.words;
const picked = new Map(); // id -> true
let sections = []; // {name, title, files, ratios, top, height, data, rows}
let width = 0;
let shown = new Map(); // "section:index" -> element
let images = new Map(); // key -> img that waits for its picture
let lastMove = 0, frame = 0, anchor = null;

const requests = new Queue(3, (key) => (typeof key === "number" ? loadMonth(key) : loadPicture(key)));

async function begin() {
  if (words) sections = [await found(null)];
  else sections = (await ask("GET", "/api/v2/months")).items.map(section);
  if (!sections.length || (words && !sections[0].data.ids.length)) return;
  document.getElementById("more")?.remove();
  wall.textContent = "";
  wall.classList.add("is-live");
  measure();
  offerScrubber();
  addEventListener("scroll", () => { lastMove = performance.now(); draw(); }, { passive: true });
  addEventListener("resize", measure);
  wall.addEventListener("click", clicked);
  wall.addEventListener("keydown", moved);
  selection.addEventListener("click", chosen);
}

function section(month) {
  const date = new Date(`${month.month}-15`);
  const title = isNaN(date) ? library.dataset.undated : date.toLocaleDateString(undefined, { month: "long", year: "numeric" });
  return { name: month.month, title, files: month.files, ratios: month.ratios, data: null, rows: null };
}

// --- what is loaded --------------------------------------------------------------------------

async function found(cursor) {
  const page = await ask("GET", `/api/v2/files?${new URLSearchParams({ q: words, state: "done", limit: 500, ...(cursor && { cursor }) })}`);
  const seen = page.items.filter((file) => "pv".includes(file.category[0]) && file.bundle_role !== "live_video" && file.bundle_role !== "raw");
  const data = { ids: [], taken: [], ratios: [], kinds: "", durations: [], keys: [] };
  for (const file of seen) {
    const turned = file.orientation >= 5, known = file.width && file.height;
    data.ids.push(file.id);
    data.taken.push(file.taken_at || "");
    data.ratios.push(known ? Math.min(4, Math.max(0.3, turned ? file.height / file.width : file.width / file.height)) : 1);
    data.kinds += file.category[0];
    data.durations.push(file.duration_s);
    data.keys.push((file.sha256 || "").slice(0, 12));
  }
  return { name: page.next || "", title: "", files: data.ids.length, ratios: 0, data, rows: null, next: page.next };
}

async function loadMonth(index) {
  const one = sections[index];
  let data = null, cursor = "";
  do {
    const page = await ask("GET", `/api/v2/months/${one.name}?limit=2000${cursor && `&cursor=${cursor}`}`);
    if (data === null) data = page;
    else for (const name of ["ids", "taken", "ratios", "durations", "keys", "kinds"]) data[name] = data[name].concat(page[name]);
    cursor = page.next;
  } while (cursor);
  one.data = data;
  arrange();
}

function loadPicture(key) {
  const image = images.get(key);
  if (!image || !image.isConnected) return Promise.resolve();
  return new Promise((done) => {
    image.onload = () => { image.classList.add("is-there"); done(); };
    image.onerror = () => { image.closest(".tile")?.classList.add("is-blank"); done(); };
    image.src = image.dataset.src;
  });
}

// --- where everything lies -------------------------------------------------------------------

function measure() {
  if (wall.clientWidth === width) return draw();
  width = wall.clientWidth;
  for (const one of sections) one.rows = null;
  arrange();
}

function arrange() {
  remember();
  let top = 0;
  for (const one of sections) {
    if (one.data && !one.rows) Object.assign(one, laid(one));
    if (!one.data) one.height = guessed(one.ratios, width);
    one.top = top;
    top += one.height + GAP;
  }
  wall.style.height = `${top}px`;
  for (const element of shown.values()) element.remove();
  shown = new Map();
  recall();
  draw();
}

function laid(one) {
  const { rows: found, height } = rows(one.data.ratios, width);
  return { rows: found, height: one.title ? height : height - HEAD };
}

// What is at the upper edge of the window stays there when something above it changes its height.
function remember() {
  const y = scrollY - wall.offsetTop;
  const index = firstBehind(sections.length, (i) => sections[i].top + sections[i].height, y);
  anchor = y > 0 && sections[index]?.top !== undefined ? { one: sections[index], share: (y - sections[index].top) / sections[index].height } : null;
}

function recall() {
  if (anchor) scrollTo(0, wall.offsetTop + anchor.one.top + anchor.share * anchor.one.height);
}

// --- what is drawn ---------------------------------------------------------------------------

function draw() {
  if (!frame) frame = requestAnimationFrame(() => { frame = 0; drawNow(); });
}

function drawNow() {
  const ahead = innerHeight * AHEAD, y = scrollY - wall.offsetTop;
  const low = y - ahead, high = y + innerHeight + ahead;
  const keep = new Map(), wanted = [];
  let index = firstBehind(sections.length, (i) => sections[i].top + sections[i].height, low);
  for (; index < sections.length && sections[index].top < high; index++) {
    if (sections[index].title) put(keep, `${index}:title`, () => titled(index));
    if (sections[index].data) drawRows(keep, index, low, high); else wanted.push(index);
  }
  for (const [key, element] of shown) if (!keep.has(key)) { element.remove(); images.delete(key); }
  shown = keep;
  if (words) more(high);
  if (performance.now() - lastMove < SETTLED_MS) return void setTimeout(draw, SETTLED_MS);
  wanted.sort((a, b) => Math.abs(sections[a].top - y) - Math.abs(sections[b].top - y));
  requests.wanted([...wanted, ...[...images.keys()].filter((key) => !images.get(key).src)]);
  showPlace();
}

function drawRows(keep, index, low, high) {
  const one = sections[index], shift = one.title ? 0 : -HEAD;
  const first = firstBehind(one.rows.length, (i) => one.top + shift + one.rows[i].top + one.rows[i].height, low);
  for (let r = first; r < one.rows.length && one.top + shift + one.rows[r].top < high; r++) {
    const row = one.rows[r];
    for (let i = row.from; i < row.upto; i++) put(keep, `${index}:${i}`, () => tile(index, i, row, one.top + shift + row.top));
  }
}

function put(keep, key, make) {
  let element = shown.get(key);
  if (!element) {
    element = make();
    wall.append(element);
    const image = element.querySelector("img");
    if (image?.dataset.src) images.set(key, image);
  }
  keep.set(key, element);
}

function titled(index) {
  const element = document.createElement("div");
  element.className = "month";
  element.style.top = `${sections[index].top}px`;
  element.append(Object.assign(document.createElement("h2"), { textContent: sections[index].title }));
  return element;
}

function tile(index, i, row, top) {
  const { data } = sections[index], id = data.ids[i];
  const element = document.createElement("div");
  element.className = picked.has(id) ? "tile is-picked" : "tile";
  element.dataset.place = `${index}:${i}`;
  element.style.cssText = `width:${row.widths[i - row.from]}px;height:${row.height}px;transform:translate(${row.lefts[i - row.from]}px,${top}px)`;
  const link = Object.assign(document.createElement("a"), { href: `/library/${id}` });
  const image = Object.assign(new Image(), { decoding: "async", alt: named(data, i) });
  if (data.keys[i]) image.dataset.src = `/api/v2/files/${id}/derivatives/thumbnail?v=${data.keys[i]}`;
  else element.classList.add("is-blank");
  link.append(image);
  if (data.kinds[i] === "v") link.append(Object.assign(document.createElement("span"), { className: "length", textContent: length(data.durations[i]) }));
  element.append(link, pickButton(id));
  return element;
}

function pickButton(id) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "pick" });
  button.setAttribute("aria-label", library.dataset.select);
  button.setAttribute("aria-pressed", picked.has(id));
  button.innerHTML = `<svg aria-hidden="true"><use href="${document.querySelector(".brand use").getAttribute("href").split("#")[0]}#check"></use></svg>`;
  return button;
}

function named(data, i) {
  const kind = data.kinds[i] === "v" ? library.dataset.video : library.dataset.photo;
  return data.taken[i] ? `${kind}, ${new Date(data.taken[i]).toLocaleDateString(undefined, { dateStyle: "long" })}` : kind;
}

const length = (seconds) => (seconds == null ? "" : `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`);

let isLoadingMore = false;
async function more(high) {
  const last = sections.at(-1);
  if (isLoadingMore || !last.next || last.top + last.height > high) return;
  isLoadingMore = true;
  sections.push(await found(last.next));
  isLoadingMore = false;
  arrange();
}

// --- jumping to a time -----------------------------------------------------------------------

function offerScrubber() {
  if (words || document.documentElement.scrollHeight < innerHeight * 3) return;
  scrubber.hidden = false;
  scrubber.append(document.createElement("i"));
  let year = "";
  for (const one of sections) {
    if (one.name.slice(0, 4) === year || !/^\d/.test(one.name)) continue;
    year = one.name.slice(0, 4);
    const mark = Object.assign(document.createElement("b"), { textContent: year });
    mark.style.top = `${(100 * one.top) / wall.clientHeight}%`;
    const before = [...scrubber.querySelectorAll("b")].at(-1);
    if (!before || parseFloat(mark.style.top) - parseFloat(before.style.top) > 3) scrubber.append(mark);
  }
  const to = (event) => {
    const box = scrubber.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientY - box.top) / box.height));
    scrollTo(0, wall.offsetTop + share * (wall.clientHeight - innerHeight));
  };
  scrubber.addEventListener("pointerdown", (event) => { scrubber.setPointerCapture(event.pointerId); scrubber.classList.add("is-moving"); to(event); });
  scrubber.addEventListener("pointermove", (event) => { if (scrubber.hasPointerCapture(event.pointerId)) to(event); });
  scrubber.addEventListener("pointerup", () => scrubber.classList.remove("is-moving"));
  scrubber.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 12, PageUp: -12 }[event.key];
    if (!step) return;
    event.preventDefault();
    const index = Math.min(sections.length - 1, Math.max(0, current() + step));
    scrollTo(0, wall.offsetTop + sections[index].top);
  });
  showPlace();
}

const current = () => Math.min(sections.length - 1, firstBehind(sections.length, (i) => sections[i].top + sections[i].height, scrollY - wall.offsetTop));

function showPlace() {
  if (scrubber.hidden) return;
  const share = Math.max(0, scrollY - wall.offsetTop) / Math.max(1, wall.clientHeight - innerHeight);
  const output = scrubber.querySelector("output");
  scrubber.querySelector("i").style.top = output.style.top = `${100 * Math.min(1, share)}%`;
  output.textContent = sections[current()].title;
  scrubber.setAttribute("aria-valuetext", output.textContent);
  scrubber.setAttribute("aria-valuenow", Math.round(100 * Math.min(1, share)));
}

// --- looking, choosing, doing ----------------------------------------------------------------

function clicked(event) {
  const element = event.target.closest(".tile");
  if (!element || event.ctrlKey || event.metaKey) return;
  const [index, i] = element.dataset.place.split(":").map(Number);
  if (event.target.closest(".pick")) return pick(element, sections[index].data.ids[i]);
  event.preventDefault();
  if (picked.size) return pick(element, sections[index].data.ids[i]);
  openViewer(neighbours(index, i));
}

// What the viewer walks along: where it is, and what comes before and after.
function neighbours(index, i) {
  return {
    id: sections[index].data.ids[i],
    newer: () => step(index, i, -1),
    older: () => step(index, i, 1),
  };
}

async function step(index, i, by) {
  let at = i + by;
  while (at < 0 || at >= (sections[index].data?.ids.length ?? 0)) {
    index += by;
    if (!sections[index]) return null;
    if (!sections[index].data) await loadMonth(index);
    at = by > 0 ? 0 : sections[index].data.ids.length - 1;
  }
  return neighbours(index, at);
}

function moved(event) {
  const element = event.target.closest(".tile");
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: "up", ArrowDown: "down" }[event.key];
  if (!element) return;
  const [index, i] = element.dataset.place.split(":").map(Number);
  if (event.key === " ") { event.preventDefault(); return pick(element, sections[index].data.ids[i]); }
  if (!by) return;
  event.preventDefault();
  const next = typeof by === "number" ? [index, i + by] : below(index, i, by === "down" ? 1 : -1);
  shown.get(`${next[0]}:${next[1]}`)?.querySelector("a").focus({ preventScroll: false });
}

function below(index, i, by) {
  const one = sections[index], r = one.rows.findIndex((row) => i < row.upto);
  const row = one.rows[r], other = one.rows[r + by];
  if (!other) return by > 0 ? [index + 1, 0] : [index - 1, (sections[index - 1]?.data?.ids.length ?? 1) - 1];
  const middle = row.lefts[i - row.from] + row.widths[i - row.from] / 2;
  const nearest = other.lefts.findIndex((left, n) => left + other.widths[n] >= middle);
  return [index, other.from + Math.max(0, nearest)];
}

function pick(element, id) {
  if (!picked.delete(id)) picked.set(id, true);
  element.classList.toggle("is-picked", picked.has(id));
  element.querySelector(".pick").setAttribute("aria-pressed", picked.has(id));
  showSelection();
}

function showSelection() {
  selection.hidden = picked.size === 0;
  wall.classList.toggle("is-picking", picked.size > 0);
  const output = selection.querySelector("output");
  output.textContent = output.dataset.one.replace("{}", picked.size);
}

async function chosen(event) {
  const button = event.target.closest("button");
  if (button?.dataset.do === "clear") return unpick();
  if (button?.dataset.do !== "trash") return;
  const ids = [...picked.keys()];
  try {
    const done = await ask("POST", "/api/v2/batches", { operation: { kind: "trash" }, files: ids });
    unpick();
    await again();
    tell(button.dataset.done.replace("{}", ids.length), async () => {
      await ask("POST", `/api/v2/jobs/${done.job}/undo`, {});
      await again();
      tell(button.dataset.undone);
    });
  } catch (error) { tell(error.message); }
}

function unpick() {
  picked.clear();
  for (const element of wall.querySelectorAll(".is-picked")) element.classList.remove("is-picked");
  showSelection();
}

async function again() {
  sections = words ? [await found(null)] : (await ask("GET", "/api/v2/months")).items.map(section);
  arrange();
}

begin();
