// Which rows of a long list are built: those in sight and some around them. Lengths in pixels.

/** Rows that are built together, so that a list that is scrolled is not rendered again for each of them. */
const STEP = 2;

/** Where each row starts; the last one is the end of all. */
export type RowOffsets = readonly number[];

export interface Span {
  readonly from: number;
  /** The first row after it. */
  readonly to: number;
}

export function offsetsOf(heights: readonly number[]): RowOffsets {
  let offset = 0;
  return [0, ...heights.map((height) => (offset += height))];
}

/** Index of the row at an offset; the nearest one outside of the list, 0 where there is none. */
export function rowAt(offsets: RowOffsets, offset: number): number {
  let [low, high] = [0, Math.max(0, offsets.length - 2)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((offsets[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The rows that show between `top` and `top + height`, and those within `margin` of them. */
export function spanOf(offsets: RowOffsets, top: number, height: number, margin: number): Span {
  const count = offsets.length - 1;
  const first = rowAt(offsets, top - margin);
  const last = rowAt(offsets, top + height + margin);
  return { from: Math.floor(first / STEP) * STEP, to: Math.min(count, Math.ceil((last + 1) / STEP) * STEP) };
}

/** By how much most of the rows that were `seen` (each with its offset before) have moved: the list scrolls along, and they stand still. */
export function shiftOf(seen: ReadonlyMap<string, number>, offset: (id: string) => number | undefined): number {
  const shifts = [...seen].flatMap(([id, before]) => {
    const now = offset(id);
    return now === undefined ? [] : [now - before];
  });
  return shifts.sort((a, b) => a - b)[Math.floor(shifts.length / 2)] ?? 0;
}

/** How far to scroll so that a row and the next one show whole, as little as possible; the row alone begins the list where there is no room for two. */
export function revealed(offsets: RowOffsets, index: number, top: number, height: number): number {
  const [start = 0, end = 0, next = end] = [offsets[index], offsets[index + 1], offsets[index + 2]];
  if (start < top || next - start > height) return start;
  return Math.max(top, next - height);
}
