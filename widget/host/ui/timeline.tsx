// The entries of the room, and the drafts that are being sent.
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { useStore } from '../../src/ui/use-store';
import type { Outbox } from '../matrix/outbox';
import type { Room } from '../matrix/room';
import { DraftItem } from './draft-item';
import { EntryItem } from './entry-item';

/** Pixels from the end within which new messages keep the end in view. */
const NEAR = 80;

interface TimelineProps {
  readonly room: Room;
  readonly outbox: Outbox;
  readonly userId: string;
}

export function Timeline({ room, outbox, userId }: TimelineProps) {
  const drafts = useStore(outbox.drafts);
  const list = useRef<HTMLDivElement>(null);
  const following = useRef(true);

  const follow = (): void => {
    if (following.current && list.current !== null) list.current.scrollTop = list.current.scrollHeight;
  };
  useLayoutEffect(follow, [room.entries, drafts]);
  useEffect(() => {
    if (list.current === null) return undefined;
    const observer = new ResizeObserver(follow);
    observer.observe(list.current);
    return () => observer.disconnect();
  }, []);

  const watch = ({ currentTarget: { scrollHeight, scrollTop, clientHeight } }: { currentTarget: HTMLElement }): void => {
    following.current = scrollHeight - scrollTop - clientHeight < NEAR;
  };

  return (
    <div class="timeline" data-testid="timeline" role="log" aria-label="Messages" tabIndex={0} ref={list} onScroll={watch}>
      {room.membership === 'unknown' && <p class="timeline-hint">Opening the room…</p>}
      {room.entries.map((entry, index) => (
        <EntryItem key={entry.id} entry={entry} before={room.entries[index - 1]} room={room} own={entry.sender === userId} />
      ))}
      {drafts.map((draft) => (
        <DraftItem key={draft.id} draft={draft} onRetry={() => outbox.retry(draft.id)} onDiscard={() => outbox.discard(draft.id)} />
      ))}
    </div>
  );
}
