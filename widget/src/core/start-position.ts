// Where a reel that is opened anew starts: functions of its timeline, which is known only then.
import { following, itemOf, nextTarget, orderOf, withinItem, type Item, type Timeline } from './timeline';

/** Seconds on the timeline at which to start; called again while there is nothing there yet. */
export type StartPosition = (timeline: Timeline) => number;

/** What shows now, as far as a start depends on it. */
export interface Shown {
  readonly item: Item | null;
  /** Seconds on the timeline. */
  readonly time: number;
  readonly timeline: Timeline;
}

/** The start of a video, or of the reel when it is not in it; null, which needs no timeline, for the reel's start. */
export function startOf(videoId: string | null): StartPosition | null {
  return videoId === null ? null : (timeline) => timeline[itemOf(timeline, videoId, 0)]?.start ?? 0;
}

/** `offset` seconds from a video's start; the reel's start when the video is not in it. */
export function offsetIn(videoId: string, offset: number): StartPosition {
  return (timeline) => {
    const item = timeline[itemOf(timeline, videoId, 0)];
    return item === undefined ? 0 : withinItem(item, offset);
  };
}

/** The start of the showing video again; when it is gone, of what followed it. */
export function again(shown: Shown): StartPosition {
  const { item } = shown;
  const after = afterItem(shown);
  return (timeline) => timeline[itemOf(timeline, item?.videoId ?? '', 0)]?.start ?? after(timeline);
}

/** The start of what follows the showing item in a new version of its reel; when it is gone, of what followed it in the old one. */
export function afterItem(shown: Shown): StartPosition {
  const current = shown.item?.videoId ?? '';
  const oldOrder = orderOf(shown.timeline);
  return (timeline) => {
    const order = orderOf(timeline);
    const after = oldOrder.slice(oldOrder.indexOf(current) + 1);
    const next = order.includes(current) ? following(order, current) : after.find((id) => order.includes(id));
    return startOf(next ?? null)?.(timeline) ?? 0;
  };
}

/** The same offset in the same video: `shown` says where it is by then, for it may play on. With `skip` the start of the next item. */
export function resume(shown: Pick<Shown, 'item' | 'time'>, skip = false): StartPosition | null {
  if (shown.item === null) return null;
  return (timeline) => {
    const { item, time } = shown;
    const same = item === null ? undefined : timeline[itemOf(timeline, item.videoId, time)];
    if (item === null || same === undefined) return 0;
    return skip ? nextTarget(timeline, same.start) : same.start + (time - item.start);
  };
}
