// The selected list: what plays, what can be picked, and what is on its way. Only the rows around what shows are built.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { hasMuchToSay } from '../core/model';
import { movedTo } from '../core/order';
import { inOrder, selectionOf, spoilerKey, type Entry, type Selection } from '../core/state';
import type { Playback } from '../player/playback';
import { SearchIcon } from './icons';
import { drag, focusRequest, menuOf, renaming, rowHandler, type Focus } from './manage/list-state';
import { calledBy, isOwn, labelOf, nameOf, titleFor } from './names';
import { useText, type Translate } from './text';
import { useNow } from './use-now';
import { partOf, rowOf, useListFocus } from './use-list-focus';
import { usePages, type Pages } from './use-pages';
import { useRows, type Rows } from './use-rows';
import { useStore } from './use-store';
import { Row } from './video-row';
import { useVisit } from './visit';

/** From so many videos on there is a field to search them. */
const MANY = 30;

interface ListProps {
  selection: Selection;
  playback: Pick<Playback, 'videoId' | 'reel' | 'playing' | 'order'>;
  onPick: (entry: Entry) => void;
}

/** Those whose title or sender has all the words. */
function matching(entries: readonly Entry[], query: string, viewer: string | null, t: Translate): readonly Entry[] {
  const words = query.toLocaleLowerCase().split(/\s+/).filter((word) => word !== '');
  if (words.length === 0) return entries;
  return entries.filter(({ video, owner }) => {
    const text = `${titleFor(video, t)} ${video.title ?? ''} ${nameOf(owner)} ${calledBy(viewer, owner, t)}`.toLocaleLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** The entries while one of them is dragged: it stands where it would be dropped. */
function withDrag(entries: readonly Entry[], videoId: string, to: number): readonly Entry[] {
  const byId = new Map(entries.map((entry) => [entry.video.id, entry]));
  return movedTo([...byId.keys()], videoId, to).flatMap((id) => byId.get(id) ?? []);
}

/** By how many rows a key moves the focus; null when it means something else. */
function stepOf(key: string, page: number): number | null {
  const steps: Record<string, number> = { ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page, Home: -Infinity, End: Infinity };
  return steps[key] ?? null;
}

interface Current {
  readonly id: string | null;
  readonly index: number;
  /** It may be in a part of the list that is not known. */
  readonly elsewhere: boolean;
  /** Where the row is that has the keyboard's focus; -1 where none has it. */
  readonly held: () => number;
}

/** Keeps the row that plays in view, for as long as the viewer has it there and the keyboard nowhere else: `onScroll` and `leave` are how they go elsewhere. */
function useFollowing({ id: current, index, elsewhere, held }: Current, indexes: ReadonlyMap<string, number>, { room, look, reveal, shows, hides }: Rows, { jump }: Pages): { readonly onScroll: () => void; readonly leave: () => void } {
  const before = useRef<string | null>(null);
  const following = useRef(true);
  useEffect(() => {
    if (room === 0) return;
    const last = indexes.get(before.current ?? '') === indexes.size - 1;
    // Whoever looks elsewhere in the list is left alone; whoever saw the row still does when the list has less room.
    const followed = before.current === null || (before.current === current ? following.current : shows(indexes.get(before.current) ?? -1));
    if (index !== -1 && followed && !hides(index, held())) reveal(index);
    before.current = current;
    following.current = index === -1 && elsewhere ? followed : shows(index);
    if (index !== -1 || !elsewhere || !followed || current === null) return;
    if (last) void jump('after');
    else if (!shows(held())) void jump({ around: current });
  }, [current, index === -1, room, elsewhere]);
  const onScroll = (): void => {
    look();
    following.current = shows(index);
  };
  return { onScroll, leave: () => (following.current = false) };
}

interface FindProps {
  query: string;
  /** What was found; null while it is searched for. */
  count: number | null;
  onQuery: (query: string) => void;
}

function Find({ query, count, onQuery }: FindProps) {
  const t = useText();
  return (
    <div class="find">
      <SearchIcon />
      <input type="search" class="find-field" aria-label={t('widget-find')} placeholder={t('widget-find')} data-testid="find" value={query} onInput={(event) => onQuery(event.currentTarget.value)} />
      <span class="unseen" role="status">{query === '' || count === null ? '' : t('widget-found', { count })}</span>
    </div>
  );
}

/** Rows are on their way: screen readers hear of it as the list is busy. Or they did not come. */
function More({ at, searched, pages: { failed, retry } }: { at: 'begin' | 'end'; searched: boolean; pages: Pages }) {
  const t = useText();
  if (failed) {
    return (
      <div class="rows-more" data-testid="rows-failed" data-at={at} role="status">
        <span>{t('widget-loading-failed')}</span>
        <button type="button" class="pill" data-testid="rows-retry" onClick={retry}>{t('widget-retry')}</button>
      </div>
    );
  }
  return <p class="rows-more" data-testid="rows-more" data-at={at} aria-hidden="true"><span class="spinner" />{t(searched ? 'widget-searching' : 'widget-loading-more')}</p>;
}

export function VideoList({ selection, playback, onPick }: ListProps) {
  const t = useText();
  const visit = useVisit();
  const viewer = useStore(visit.state, (state) => state.viewer);
  const now = useNow();
  const scroller = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const { member, window } = selection;
  const shown = playback.reel === selection.key;
  const alone = playback.videoId !== null && playback.reel === spoilerKey(playback.videoId);
  const current = shown || alone ? playback.videoId : null;
  const [query, setQuery] = useState('');
  const moved = useStore(drag);
  const renamed = useStore(renaming);
  const menu = useStore(menuOf)?.videoId;

  // The channel plays in an order of its own; a member's videos are listed as they were put, also while the reel still plays them as before.
  // So is a part of a long list, which is sorted as its next pages are.
  const all = useMemo(
    () => (shown && member === null && window === null ? inOrder(selection.entries, playback.order) : selection.entries),
    [selection.entries, shown, member === null, window === null, playback.order],
  );
  const length = window === null ? all.length : selection.total;
  const found = useMemo(() => matching(all, query, viewer, t), [all, query, viewer, t]);
  const entries = useMemo(() => (moved === null ? found : withDrag(found, moved.videoId, moved.to)), [found, moved?.videoId, moved?.to]);
  const rows = useMemo(() => entries.map(({ video }) => ({ id: video.id, tall: hasMuchToSay(video) })), [entries]);
  const indexes = useMemo(() => new Map(rows.map(({ id }, index) => [id, index])), [rows]);
  const view = useRows({ scroller, list }, rows, window?.before === true && query === '');
  const { offsets, span } = view;
  const pages = usePages(selection, { span, count: rows.length, room: view.room, searched: query !== '' });
  const middle = window === null ? undefined : rows[Math.floor((span.from + Math.min(span.to, rows.length)) / 2)]?.id;
  useEffect(() => {
    if (middle !== undefined) visit.see(middle);
  }, [middle]);
  const movable = member?.canOrder === true && query === '' && all.length > 1;

  const currentIndex = current === null ? -1 : (indexes.get(current) ?? -1);
  const height = offsets.at(-1) ?? 0;
  const elsewhere = window?.loaded === true && query === '';
  const { onScroll, leave } = useFollowing({ id: current, index: currentIndex, elsewhere, held: () => indexes.get(rowOf(list.current?.querySelector(':focus-visible') ?? null)?.dataset.videoId ?? '') ?? -1 }, indexes, view, pages);
  const { focused, focusOn, onFocusIn, onFocusOut } = useListFocus(list, rows, indexes, view.reveal, renamed);

  /** To where nothing is known yet. */
  const focusBeyond = async (part: 'begin' | 'end', of: Focus['part']): Promise<void> => {
    leave();
    await pages.jump(part);
    const entry = selectionOf(visit.state.get())?.entries.at(part === 'begin' ? 0 : -1);
    if (entry !== undefined) focusRequest.set({ videoId: entry.video.id, part: of });
  };
  const focusCurrent = async (): Promise<void> => {
    if (current === null) return;
    if (currentIndex === -1) await pages.jump({ around: current });
    focusRequest.set({ videoId: current, part: 'body' });
  };
  /** What is found is shown from its begin. */
  const search = (wanted: string): void => {
    if (wanted !== '' && scroller.current !== null) scroller.current.scrollTop = 0;
    setQuery(wanted);
  };
  const entryAt = (target: EventTarget | null): Entry | undefined => {
    const id = rowOf(target)?.dataset.videoId;
    return id === undefined ? undefined : entries[indexes.get(id) ?? -1];
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const entry = entryAt(event.target);
    if (entry === undefined || event.target instanceof HTMLInputElement) return;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / 70));
    const step = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey ? null : stepOf(event.key, page);
    if (step === -Infinity && elsewhere && window.before) void focusBeyond('begin', partOf(event.target));
    else if (step === Infinity && elsewhere && window.after) void focusBeyond('end', partOf(event.target));
    else if (step !== null) focusOn((indexes.get(entry.video.id) ?? 0) + step, partOf(event.target));
    else if (rowHandler.get()?.handleKey(event, entry) !== true) return;
    event.preventDefault();
  };
  const onContextMenu = (event: MouseEvent): void => {
    const entry = entryAt(event.target);
    if (entry === undefined || event.target instanceof HTMLInputElement) return;
    event.preventDefault();
    const mouse = event instanceof PointerEvent && event.pointerType === 'mouse' && event.button === 2;
    menuOf.set({ videoId: entry.video.id, at: mouse ? { x: event.clientX, y: event.clientY } : null });
  };
  const onPointerDown = (event: PointerEvent): void => {
    const entry = entryAt(event.target);
    const grip = event.target instanceof Element && event.target.closest('.row-grip') !== null;
    if (entry === undefined || !movable || event.button !== 0 || partOf(event.target) === 'more' || event.target instanceof HTMLInputElement) return;
    // A finger on the row scrolls; on the handle it drags.
    if (event.pointerType !== 'mouse' && !grip) return;
    if (scroller.current === null || list.current === null) return;
    rowHandler.get()?.startDrag(event, entry, { scroller: scroller.current, list: list.current, offsets, index: indexes.get(entry.video.id) ?? 0 });
  };
  // What has the focus, or is being dragged or edited, stays while it is scrolled out of sight.
  const kept = [focused, moved?.videoId, renamed, menu].flatMap((id) => (id === null || id === undefined ? [] : indexes.get(id) ?? []));
  const built = [...new Set([...Array.from({ length: Math.max(0, Math.min(span.to, rows.length) - span.from) }, (_, at) => span.from + at), ...kept])].sort((a, b) => a - b);
  const label = labelOf(selection, viewer, t);
  const away = length > MANY && (currentIndex === -1 ? elsewhere && current !== null : currentIndex < span.from || currentIndex >= span.to);
  // A part of the list is counted from its begin.
  const [first, size] = window === null || query !== '' ? [0, rows.length] : [window.start, Math.max(length, window.start + rows.length)];
  return (
    <section class="videos" aria-label={t('widget-list-of', { name: label, own: isOwn(viewer, member) })}>
      <header class="videos-head">
        <h2><bdi>{label}</bdi></h2>
        <span>{t('widget-count', { count: window === null ? all.filter(({ video }) => video.state !== 'failed').length : length })}</span>
      </header>
      <div class="videos-scroll" ref={scroller} onScroll={onScroll} data-sorting={moved !== null} data-long={length > MANY}>
        {pages.loading === 'before' && <More at="begin" searched={false} pages={pages} />}
        {length > MANY && <Find query={query} count={pages.loading === null ? entries.length : null} onQuery={search} />}
        <ul
          data-testid="videos"
          ref={list}
          aria-busy={pages.loading !== null}
          style={{ '--height': `${height}px` }}
          onKeyDown={onKeyDown}
          onContextMenu={onContextMenu}
          onPointerDown={onPointerDown}
          onFocusIn={onFocusIn}
          onFocusOut={onFocusOut}
        >
          {built.map((index) => {
            const entry = entries[index];
            return entry && (
              <Row
                key={entry.video.id}
                entry={entry}
                by={member === null ? calledBy(viewer, entry.owner, t) : null}
                current={entry.video.id === current}
                moving={playback.playing}
                renamed={entry.video.id === renamed}
                place={entry.video.id === moved?.videoId ? moved.top : offsets[index] ?? 0}
                now={now}
                index={first + index}
                count={size}
                movable={movable}
                dragged={entry.video.id === moved?.videoId}
                onPick={onPick}
              />
            );
          })}
        </ul>
        {pages.loading === 'after' && <More at="end" searched={query !== ''} pages={pages} />}
        {entries.length === 0 && query !== '' && pages.loading === null && <p class="find-none">{t('widget-found', { count: 0 })}</p>}
      </div>
      {away && <button type="button" class="pill to-current" data-testid="to-current" onClick={() => void focusCurrent()}>{t('widget-to-current')}</button>}
    </section>
  );
}
