// Going along a wall: by arrow keys from tile to tile, and in the viewer from picture to picture.

/** Where a tile stands: {index, i}; null beside the tiles. */
export function placeOf(element) {
  const at = element?.closest(".tile")?.dataset.place;
  if (!at) return null;
  const [index, i] = at.split(":").map(Number);
  return { index, i };
}

export const idAt = (wall, { index, i }) => wall.sections[index].data.ids[i];

/** The next place in this direction, loading what is not known yet; null at the end. */
export async function step(wall, { index, i }, by) {
  let at = i + by, section = index;
  while (at < 0 || at >= (wall.sections[section].data?.ids.length ?? 0)) {
    section += by;
    if (!wall.sections[section]) return null;
    await wall.load(section);
    at = by > 0 ? 0 : wall.sections[section].data.ids.length - 1;
  }
  return { index: section, i: at };
}

/** What the viewer walks along: where it is, and what comes before and after. */
export function neighbours(wall, place) {
  const beside = async (by) => {
    const next = await step(wall, place, by);
    return next && neighbours(wall, next);
  };
  return { id: idAt(wall, place), newer: () => beside(-1), older: () => beside(1) };
}

/** Arrow keys go from tile to tile; answers where they led, or null. */
export function walked(wall, event) {
  const place = placeOf(event.target);
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: "up", ArrowDown: "down" }[event.key];
  if (!place || !by) return null;
  event.preventDefault();
  const next = typeof by === "number" ? beside(wall, place, by) : below(wall, place, by === "down" ? 1 : -1);
  const element = next && wall.shown.get(`${next.index}:${next.i}`);
  if (!element) return null;
  element.querySelector("a").focus();
  return next;
}

function beside(wall, { index, i }, by) {
  const count = wall.sections[index].data.ids.length;
  if (i + by >= 0 && i + by < count) return { index, i: i + by };
  const other = wall.sections[index + by];
  return other?.data ? { index: index + by, i: by > 0 ? 0 : other.data.ids.length - 1 } : null;
}

// The tile whose middle is nearest in the row above or below, also across months.
function below(wall, { index, i }, by) {
  const one = wall.sections[index], r = one.rows.findIndex((row) => i < row.upto), row = one.rows[r];
  const x = one.left + row.lefts[i - row.from] + row.widths[i - row.from] / 2;
  if (one.rows[r + by]) return { index, i: nearest(one, one.rows[r + by], x) };
  let other = index + by;
  while (wall.sections[other]?.top === one.top) other += by; // beside it, not below
  const top = wall.sections[other]?.top;
  let best = null;
  for (; wall.sections[other]?.top === top && top !== undefined; other += by) {
    const section = wall.sections[other];
    if (!section.data) continue;
    const i = nearest(section, by > 0 ? section.rows[0] : section.rows.at(-1), x);
    const far = Math.abs(middle(section, i) - x);
    if (!best || far < best.far) best = { index: other, i, far };
  }
  return best;
}

function nearest(section, row, x) {
  const n = row.lefts.findIndex((left, n) => section.left + left + row.widths[n] >= x);
  return n < 0 ? row.upto - 1 : row.from + n;
}

function middle(section, i) {
  const row = section.rows.find((row) => i < row.upto);
  return section.left + row.lefts[i - row.from] + row.widths[i - row.from] / 2;
}
