// The list of a large room, which is loaded where it is scrolled to.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ListPart } from '../core/room/parts';
import { listsOf, windowOf } from '../core/lists';
import type { Span } from '../core/rows';
import { EVERYONE, type Selection } from '../core/state';
import { IN_TURN } from '../core/together';
import { useVisit } from './visit';

/** Milliseconds after which a page that did not come is requested again. */
const AGAIN = 3_000;

export interface Pages {
  /** Where rows are on their way; null while none are. */
  readonly loading: 'before' | 'after' | null;
  /** They did not come, and are requested again. */
  readonly failed: boolean;
  /** Requests them at once. */
  readonly retry: () => void;
  /** Loads another part of the list in place of this one; returns whether it is there. */
  readonly jump: (part: ListPart) => Promise<boolean>;
}

interface Shown {
  readonly span: Span;
  readonly count: number;
  /** Pixels; 0 until the list has been measured. */
  readonly room: number;
  /** Something is searched for, which may be anywhere. */
  readonly searched: boolean;
}

/** Loads the next page where the built rows reach the end of what is known. */
export function usePages(selection: Selection, { span, count, room, searched }: Shown): Pages {
  const visit = useVisit();
  const { window, key, turns } = selection;
  const [tries, setTries] = useState(0);
  const [loading, setLoading] = useState<Pages['loading']>(null);
  const [failed, setFailed] = useState(false);
  const there = useRef(true);
  useEffect(() => () => { there.current = false; }, []);
  const lists = key === IN_TURN ? [EVERYONE] : listsOf(key, turns);
  const load = async (part: ListPart): Promise<boolean> => {
    const now = visit.state.get().room;
    const unknown = lists.filter((of) => now !== null && windowOf(now, of) !== null);
    const loaded = await Promise.all(unknown.map((of) => visit.list(of, part)));
    return loaded.every((each) => each);
  };
  // A list that is not there at all is loaded by the visit.
  const wanted = window === null || !window.loaded || room === 0 ? null : searched ? 'whole' : window.after && span.to >= count ? 'after' : window.before && span.from === 0 ? 'before' : null;
  useEffect(() => {
    if (wanted === null) {
      setLoading(null);
      setFailed(false);
      return undefined;
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    setLoading(wanted === 'before' ? 'before' : 'after');
    let current = true;
    void load(wanted).then((loaded) => {
      if (!current || !there.current) return;
      if (loaded) setLoading(null);
      else timer = setTimeout(() => setTries(tries + 1), AGAIN);
      setFailed(!loaded);
    });
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [wanted, wanted === 'whole' || count, tries]);
  const jump = async (part: ListPart): Promise<boolean> => (lists.length === 1 ? load(part) : false);
  const retry = (): void => {
    setFailed(false);
    setTries(tries + 1);
  };
  return { loading: window?.loaded === false ? 'after' : loading, failed, retry, jump };
}
