// What the room's channel shows when: the same for everybody who has the schedule and the server's time.
import type { Schedule, Turn } from './model';

/** What the channel shows. */
export interface ChannelPosition {
  readonly videoId: string;
  /** Seconds from the video's start. */
  readonly offset: number;
}

/** What shows at `now`, milliseconds since the epoch on the server's clock; null when nothing does. */
export function channelAt({ startsAt, items, before, until }: Schedule, now: number): ChannelPosition | null {
  const since = (now - startsAt) / 1000;
  if (since < 0) {
    // Without one, the clock is not yet exact: the list is about to begin.
    const turn = before ?? items[0];
    return turn === undefined ? null : { videoId: turn.id, offset: before === null ? 0 : Math.max(0, before.duration + since) };
  }
  const length = items.reduce((sum, { duration }) => sum + duration, 0);
  // Where others follow that are not known yet, the last one's end stays.
  if (until !== null && since >= length) return within(items, length);
  return length > 0 ? within(items, since % length) : null;
}

function within(items: readonly Turn[], position: number): ChannelPosition | null {
  let start = 0;
  let last: ChannelPosition | null = null;
  for (const { id, duration } of items) {
    last = { videoId: id, offset: position - start };
    start += duration;
    if (position < start) return last;
  }
  return last;
}
