// Which rows of a long list are built: those in sight and some around them. Lengths in pixels.

/** Rows that are built together, so that a list that is scrolled is not rendered again for each of them. */
const STEP = 2;

/** Where each row begins; the last one is the end of all. */
export type Places = readonly number[];

export interface Span {
  readonly from: number;
  /** The first row after it. */
  readonly to: number;
}

export function placesOf(heights: readonly number[]): Places {
  let place = 0;
  return [0, ...heights.map((height) => (place += height))];
}

/** Index of the row at a height of the list; the nearest one outside of it, 0 where there is none. */
export function rowAt(places: Places, place: number): number {
  let [low, high] = [0, Math.max(0, places.length - 2)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((places[middle] ?? 0) <= place) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The rows that show between `top` and `top + height`, and those within `margin` of them. */
export function spanOf(places: Places, top: number, height: number, margin: number): Span {
  const count = places.length - 1;
  const first = rowAt(places, top - margin);
  const last = rowAt(places, top + height + margin);
  return { from: Math.floor(first / STEP) * STEP, to: Math.min(count, Math.ceil((last + 1) / STEP) * STEP) };
}

/** By how much most of the rows that were `seen` (each with its place before) have moved: the list scrolls along, and they stand still. */
export function shiftOf(seen: ReadonlyMap<string, number>, place: (id: string) => number | undefined): number {
  const shifts = [...seen].flatMap(([id, before]) => {
    const now = place(id);
    return now === undefined ? [] : [now - before];
  });
  return shifts.sort((a, b) => a - b)[Math.floor(shifts.length / 2)] ?? 0;
}

/** How far to scroll so that a row and the next one show whole, as little as possible; the row alone begins the list where there is no room for two. */
export function revealed(places: Places, index: number, top: number, height: number): number {
  const [start = 0, end = 0, next = end] = [places[index], places[index + 1], places[index + 2]];
  if (start < top || next - start > height) return start;
  return Math.max(top, next - height);
}
