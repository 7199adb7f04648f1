// Orders of ids, and what becomes of two people's changes of one.

export type Ids = readonly string[];

/** `now` with what was moved between `base` and `wanted` moved in it, too: behind the same neighbour. */
export function mergedOrder(base: Ids, wanted: Ids, now: Ids): Ids {
  const here = new Set(now);
  const places = new Map(base.map((id, index) => [id, index]));
  const kept = wanted.filter((id) => here.has(id) && places.has(id));
  const still = longestRising(kept.map((id) => places.get(id) ?? 0));
  const moved = new Set(kept.filter((_, index) => !still.has(index)));
  const order = now.filter((id) => !moved.has(id));
  kept.forEach((id, index) => {
    const before = kept[index - 1];
    if (moved.has(id)) order.splice(before === undefined ? 0 : order.indexOf(before) + 1, 0, id);
  });
  return order;
}

/** The indexes of a longest rising part of `numbers`: what need not be moved. */
function longestRising(numbers: readonly number[]): ReadonlySet<number> {
  const ends: number[] = []; // of each length, the index of the part that ends lowest
  const before = numbers.map((number, index) => {
    let length = ends.findIndex((end) => (numbers[end] ?? 0) >= number);
    if (length === -1) length = ends.length;
    ends[length] = index;
    return ends[length - 1];
  });
  const found = new Set<number>();
  for (let index = ends.at(-1); index !== undefined; index = before[index]) found.add(index);
  return found;
}

/** The same ids with one of them at `index`. */
export function movedTo(ids: Ids, id: string, index: number): Ids {
  const others = ids.filter((other) => other !== id);
  return [...others.slice(0, Math.max(0, index)), id, ...others.slice(Math.max(0, index))];
}
