// A shuffled list: nothing twice until all were shown, a history to go back in, and stable when the list changes under it.

export interface Shuffle {
  /** Equal seeds give equal orders. */
  readonly seed: number;
  /** Counts how often all were shown. */
  readonly round: number;
  /** Ids that were shown in this round. */
  readonly shown: ReadonlySet<string>;
  /** What was shown, oldest first, with what the viewer went back from. */
  readonly trail: readonly string[];
  /** The index in `trail` of what shows. */
  readonly place: number;
}

/** How far one can go back. */
const MEMORY = 200;

/** Begins with what shows. */
export function beginShuffle(seed: number, id: string | null): Shuffle {
  const trail = id === null ? [] : [id];
  return { seed, round: 0, shown: new Set(trail), trail, place: trail.length - 1 };
}

/** What comes next out of `ids`; null when there are none. */
export function upcoming(shuffle: Shuffle, ids: readonly string[]): string | null {
  const ahead = shuffle.trail[shuffle.place + 1];
  if (ahead !== undefined && ids.includes(ahead)) return ahead;
  const left = ids.filter((id) => !shuffle.shown.has(id));
  if (left.length > 0) return first(left, shuffle.seed, shuffle.round);
  const current = shuffle.trail[shuffle.place];
  const others = ids.filter((id) => id !== current);
  return first(others.length > 0 ? others : ids, shuffle.seed, shuffle.round + 1);
}

/** Something of `ids` shows now: what was to come, or what the viewer picked. */
export function arrive(shuffle: Shuffle, id: string, ids: readonly string[]): Shuffle {
  const { trail, place, shown, round } = shuffle;
  if (trail[place] === id) return shuffle;
  if (trail[place + 1] === id) return { ...shuffle, place: place + 1 };
  const passed = [...trail.slice(0, place + 1), id].slice(-MEMORY);
  const over = ids.every((each) => shown.has(each));
  return { ...shuffle, round: over ? round + 1 : round, shown: new Set(over ? [id] : [...shown, id]), trail: passed, place: passed.length - 1 };
}

/** One step back to something of `ids`; unchanged when there is nothing to go back to. */
export function goBack(shuffle: Shuffle, ids: readonly string[]): Shuffle {
  const place = shuffle.trail.findLastIndex((id, index) => index < shuffle.place && ids.includes(id));
  return place === -1 ? shuffle : { ...shuffle, place };
}

/** The id with the smallest hash: a permutation in which each id has its place whatever others come and go. */
function first(ids: readonly string[], seed: number, round: number): string | null {
  const ranked = ids.map((id) => ({ id, rank: hash(`${seed}/${round}/${id}`) }));
  return ranked.sort((a, b) => a.rank - b.rank || (a.id < b.id ? -1 : 1))[0]?.id ?? null;
}

/** FNV-1a with MurmurHash3's last step, without which similar texts have similar hashes. 32 bits. */
function hash(text: string): number {
  let mixed = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) mixed = Math.imul(mixed ^ text.charCodeAt(index), 0x01000193);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
