// Where a wall's pictures come from: the whole library by month, what a search finds, or an album.
// A source gives sections {name, title, files, ratios, data}: `data` holds lists of equal length
// (ids, taken, ratios, durations, keys; kinds as letters), or null until `load` brings it.

import { ask } from "./frame.js";

const PAGE = 500;
const SHOWN = "(type:photo OR type:video) is:done";

/** The source for what stands on the wall: data-find="words" or "album:ID"; nothing: everything. */
export function sourceOf(wall) {
  const find = wall.dataset.find ?? "", album = find.match(/^album:([0-9a-f-]{36})$/)?.[1];
  if (album) return pages(`/api/v2/albums/${album}/files`, {}, wall, null);
  if (find) return pages("/api/v2/files", { q: find, state: "done" }, wall, `(${find}) ${SHOWN}`);
  return months(wall);
}

function months(wall) {
  return {
    query: SHOWN,
    isWhole: true,
    sections: async () => (await ask("GET", "/api/v2/months")).items.map((one) => ({ ...empty(one.month, wall), files: one.files, ratios: one.ratios })),
    load: loadMonth,
    more: async () => false,
  };
}

async function loadMonth(one) {
  let data = null, cursor = "";
  do {
    const page = await ask("GET", `/api/v2/months/${one.name}?limit=2000${cursor && `&cursor=${cursor}`}`);
    if (data === null) data = page;
    else for (const name of ["ids", "taken", "ratios", "durations", "keys", "kinds"]) data[name] = data[name].concat(page[name]);
    cursor = page.next;
  } while (cursor);
  one.data = data;
  one.rows = null;
}

// Page by page, the newest first; months come into being as their pictures arrive.
function pages(url, asked, wall, query) {
  let sections = [], next = null;
  const read = async (cursor) => {
    const page = await ask("GET", `${url}?${new URLSearchParams({ ...asked, limit: PAGE, ...(cursor && { cursor }) })}`);
    for (const file of page.items.filter(isShown)) add(sectionFor(file, sections, wall), file);
    next = page.next;
  };
  return {
    query,
    isWhole: false,
    sections: async () => { sections = []; await read(null); return sections; },
    load: async () => {},
    more: async () => { if (!next) return false; await read(next); return true; },
  };
}

const isShown = (file) => "pv".includes(file.category?.[0] ?? "-") && file.bundle_role !== "live_video" && file.bundle_role !== "raw";

function sectionFor(file, sections, wall) {
  const month = file.taken_at?.slice(0, 7) ?? "undated", last = sections.at(-1);
  if (last && (last.name === month || (last.name !== "undated" && month > last.name && month !== "undated"))) return last;
  sections.push({ ...empty(month, wall), data: { ids: [], taken: [], ratios: [], kinds: "", durations: [], keys: [] } });
  return sections.at(-1);
}

function add(section, file) {
  const ratio = file.ratio ?? shape(file), { data } = section;
  data.ids.push(file.id);
  data.taken.push(file.taken_at ?? "");
  data.ratios.push(ratio);
  data.kinds += file.category[0];
  data.durations.push(file.duration_s);
  data.keys.push(file.key ?? (file.sha256 ?? "").slice(0, 12));
  section.files++;
  section.ratios += ratio;
  section.rows = null;
}

function shape({ width, height, orientation }) {
  if (!width || !height) return 1;
  return Math.min(4, Math.max(0.3, orientation >= 5 ? height / width : width / height));
}

function empty(month, wall) {
  const date = new Date(`${month}-15`);
  const title = isNaN(date) ? wall.dataset.undated : date.toLocaleDateString(undefined, { month: "long", year: "numeric" });
  return { name: month, title, files: 0, ratios: 0, data: null, rows: null };
}
