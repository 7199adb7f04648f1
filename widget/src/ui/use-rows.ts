// The window of a long list: which rows are built, where they lie, and how one is brought into view.
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { offsetsOf, revealed, rowAt, shiftOf, spanOf, type RowOffsets, type Span } from '../core/rows';

/** Pixels around what shows in which rows are built, at least: the browser scrolls faster than we build. */
const MARGIN = 420;

interface Measures {
  /** Pixels: of a row, and of one with more to say. */
  readonly row: number;
  readonly tall: number;
  /** Where the rows begin, what covers the top of them, and how much of them shows. */
  readonly top: number;
  readonly cover: number;
  readonly height: number;
}

export interface Row {
  readonly id: string;
  readonly tall: boolean;
}

export interface Rows {
  readonly offsets: RowOffsets;
  readonly span: Span;
  /** Pixels of the list that show; 0 until it has been measured. */
  readonly room: number;
  /** To be called when it was scrolled. */
  readonly look: () => void;
  readonly reveal: (index: number) => void;
  /** The row shows, at least in part. */
  readonly shows: (index: number) => boolean;
  /** Revealing a row would take another one out of sight. */
  readonly hides: (index: number, other: number) => boolean;
}

interface Refs {
  readonly scroller: { readonly current: HTMLElement | null };
  readonly list: { readonly current: HTMLElement | null };
}

function measure(scroller: HTMLElement, list: HTMLElement): Measures {
  const style = getComputedStyle(list);
  const pixels = (name: string): number => Number.parseFloat(style.getPropertyValue(name));
  const before = list.previousElementSibling;
  const covers = before instanceof HTMLElement && getComputedStyle(before).position === 'sticky';
  return { row: pixels('--row'), tall: pixels('--row-tall'), top: list.offsetTop, cover: covers ? before.offsetHeight : 0, height: scroller.clientHeight };
}

const same = <T extends object>(one: T, other: T): boolean => Object.entries(one).every(([key, value]) => other[key as keyof T] === value);

/** `continued`: the list has begun before these rows, which stand still when others come before them. */
export function useRows({ scroller, list }: Refs, rows: readonly Row[], continued = false): Rows {
  const [measures, setMeasures] = useState<Measures>({ row: 70, tall: 100, top: 0, cover: 0, height: 0 });
  const [span, setSpan] = useState<Span>({ from: 0, to: 12 });
  const seen = useRef<ReadonlyMap<string, number>>(new Map());
  const scrolled = useRef(0);
  const was = useRef(continued);
  const { row, tall } = measures;
  const offsets = useMemo(() => offsetsOf(rows.map((each) => (each.tall ? tall : row))), [rows, row, tall]);

  const look = (): void => {
    if (scroller.current === null) return;
    scrolled.current = scroller.current.scrollTop;
    const top = scrolled.current - measures.top;
    const next = spanOf(offsets, top, measures.height, Math.max(MARGIN, measures.height));
    setSpan((before) => (same(before, next) ? before : next));
    const visible = rows.slice(rowAt(offsets, top), rowAt(offsets, top + measures.height) + 1);
    seen.current = new Map(visible.map(({ id }, index) => [id, offsets[rowAt(offsets, top) + index] ?? 0]));
  };

  useLayoutEffect(() => {
    if (scroller.current === null || list.current === null) return undefined;
    const [around, inside] = [scroller.current, list.current];
    const update = (): void => setMeasures((before) => {
      const now = measure(around, inside);
      return same(before, now) ? before : now;
    });
    // It reports the first size as well, after the browser has laid out the page and before it paints: measured here, it
    // would lay it out twice.
    const observer = new ResizeObserver(update);
    observer.observe(around);
    return () => observer.disconnect();
    // What is above the rows comes and goes with their number.
  }, [rows.length > 0]);

  useLayoutEffect(() => {
    // Before it is measured nothing is scrolled: a look would lay the page out before its time.
    if (measures.height === 0) return;
    const around = scroller.current;
    if (around !== null && (was.current || scrolled.current > measures.top)) {
      const at = new Map(rows.map(({ id }, index) => [id, offsets[index]]));
      const shift = shiftOf(seen.current, (id) => at.get(id));
      // A list that became shorter was scrolled by the browser already.
      const cut = around.scrollTop < scrolled.current && around.scrollTop + around.clientHeight >= around.scrollHeight - 1;
      if (shift !== 0) around.scrollTop = (cut ? scrolled.current : around.scrollTop) + shift;
    }
    was.current = continued;
    look();
  }, [offsets, measures]);

  /** How far to scroll to reveal a row, and how far it is scrolled now: pixels of the rows that nothing covers. */
  const wayTo = (index: number): { readonly now: number; readonly wanted: number } => {
    const { top, cover, height } = measures;
    const now = (scroller.current?.scrollTop ?? 0) - top + cover;
    return { now, wanted: revealed(offsets, index, now, height - cover) };
  };

  const reveal = (index: number): void => {
    if (scroller.current === null || measures.height === 0) return;
    const { now, wanted } = wayTo(index);
    // `scrollIntoView` would move the page around the frame, too.
    if (wanted !== now) scroller.current.scrollTop = wanted + measures.top - measures.cover;
    look();
  };

  const shows = (index: number): boolean => {
    const { top, height } = measures;
    const begin = (scroller.current?.scrollTop ?? 0) - top;
    return index >= 0 && (offsets[index + 1] ?? 0) > begin && (offsets[index] ?? 0) < begin + height;
  };

  const hides = (index: number, other: number): boolean => {
    const [begin, room] = [wayTo(index).wanted, measures.height - measures.cover];
    return shows(other) && ((offsets[other + 1] ?? 0) <= begin || (offsets[other] ?? 0) >= begin + room);
  };

  return { offsets, span, room: measures.height, look, reveal, shows, hides };
}
