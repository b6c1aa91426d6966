// Where each picture of the wall lies: rows of equal height, filled to the edge.
// Pure arithmetic; nothing here touches the page.

export const GAP = 4;
export const HEAD = 44; // the line with the month's name

/** How high a row should be for a wall this wide. */
export const rowHeight = (width) => (width < 600 ? 118 : width < 1400 ? 190 : 230);

/** Height of a month that is not loaded yet, from the sum of its ratios. */
export function guessed(ratios, width) {
  const height = rowHeight(width);
  return HEAD + Math.max(1, Math.ceil((ratios * height) / width)) * (height + GAP);
}

/** Rows for these ratios: [{top, height, from, upto, lefts, widths}], and how high they are together. */
export function rows(ratios, width) {
  const wanted = rowHeight(width), found = [];
  let from = 0, sum = 0, top = HEAD;
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

/** Index of the first of `tops` (rising) that ends behind `y`. */
export function firstBehind(count, bottomOf, y) {
  let low = 0, high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bottomOf(middle) > y) high = middle; else low = middle + 1;
  }
  return low;
}
