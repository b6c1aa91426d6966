// Where each picture of the wall lies: rows of equal height, filled to the edge; months with few
// pictures stand side by side. Pure arithmetic; nothing here touches the page.

export const GAP = 4;
export const HEAD = 44; // the line with the month's name
const BETWEEN = 20; // between months that share a row
const NAME = 150; // a month's name needs this much
const SMALL = 0.7; // of the width: what needs more has its rows to itself

/** How high a row should be for a wall this wide. */
export const rowHeight = (width) => (width < 600 ? 118 : width < 1400 ? 190 : 230);

/** How wide a month is in one row; known before it is loaded. */
export const lineWidth = (files, ratios, width) => ratios * rowHeight(width) + GAP * (files - 1);

/** Height of a month that is not loaded yet, from the sum of its ratios. */
export function guessed(ratios, width) {
  const height = rowHeight(width);
  return HEAD + Math.max(1, Math.ceil((ratios * height) / width)) * (height + GAP);
}

/** Rows for these ratios below `head`: [{top, height, from, upto, lefts, widths}] and their height. */
export function rows(ratios, width, head = HEAD) {
  const wanted = rowHeight(width), found = [];
  let from = 0, sum = 0, top = head;
  for (let i = 0; i < ratios.length; i++) {
    sum += ratios[i];
    const room = width - GAP * (i - from);
    const isLast = i === ratios.length - 1;
    if (sum * wanted < room && !isLast) continue;
    const height = isLast ? Math.min(wanted, room / sum) : room / sum;
    found.push(row(ratios, from, i + 1, top, height));
    top += height + GAP;
    from = i + 1;
    sum = 0;
  }
  return { rows: found, height: top };
}

function row(ratios, from, upto, top, height) {
  const lefts = [], widths = [];
  let left = 0;
  for (let i = from; i < upto; i++) {
    lefts.push(left);
    widths.push(ratios[i] * height);
    left += ratios[i] * height + GAP;
  }
  return { top, height, from, upto, lefts, widths };
}

/** Give every section its `left`, `top` and `height`; the height of all of them together.
 *  A section has {title, files, ratios, data, rows}; `rows` are laid where they are missing. */
export function laid(sections, width) {
  let top = 0, at = 0;
  while (at < sections.length) {
    const upto = behindBand(sections, at, width);
    let left = 0, height = 0;
    for (const one of sections.slice(at, upto)) {
      lay(one, width);
      Object.assign(one, { left, top });
      left += Math.max(NAME, lineWidth(one.files, one.ratios, width)) + BETWEEN;
      height = Math.max(height, one.height);
    }
    for (const one of sections.slice(at, upto)) one.height = height;
    top += height + GAP;
    at = upto;
  }
  return top;
}

// Behind the last section that stands in one row with the one at `at`.
function behindBand(sections, at, width) {
  let used = 0, upto = at;
  for (; upto < sections.length; upto++) {
    const own = Math.max(NAME, lineWidth(sections[upto].files, sections[upto].ratios, width));
    if (own > SMALL * width || used + own > width || !sections[upto].title) break;
    used += own + BETWEEN;
  }
  return Math.max(at + 1, upto);
}

function lay(one, width) {
  const head = one.title ? HEAD : 0;
  if (one.data && !one.rows) Object.assign(one, rows(one.data.ratios, width, head), { width });
  if (!one.data) one.height = guessed(one.ratios, width) - HEAD + head;
}

/** Index of the first of `count` things (lying one below the other) that ends behind `y`. */
export function firstBehind(count, bottomOf, y) {
  let low = 0, high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bottomOf(middle) > y) high = middle; else low = middle + 1;
  }
  return low;
}
