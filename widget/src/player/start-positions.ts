// Where a reel that is opened anew has to begin.
import { following, itemOf, nextTarget, orderOf, withinItem, type Timeline } from '../core/timeline';
import type { Failure, Place } from './engine';
import type { Slot } from './slot';

/** The start of a video, or of the reel when it is not in it; null, which needs no look at the items, for the reel's beginning. */
export function startOf(videoId: string | null): Place | null {
  return videoId === null ? null : (timeline) => timeline[itemOf(timeline, videoId, 0)]?.start ?? 0;
}

/** A moment of a video in seconds from its start; the reel's beginning when it is not in it. */
export function momentOf(videoId: string, position: number): Place {
  return (timeline) => {
    const item = timeline[itemOf(timeline, videoId, 0)];
    return item === undefined ? 0 : withinItem(item, position);
  };
}

/** The start of a video again; when it is gone, of what followed it. */
export function again(shown: Slot): Place {
  const { item } = shown;
  const after = afterItem(shown);
  return (timeline) => timeline[itemOf(timeline, item?.videoId ?? '', 0)]?.start ?? after(timeline);
}

/** The start of what follows the showing item in a new version of its reel; when it is gone, of what followed it in the old one. */
export function afterItem(shown: Slot): Place {
  const current = shown.item?.videoId ?? '';
  const oldOrder = orderOf(shown.timeline);
  return (timeline) => {
    const order = orderOf(timeline);
    const after = oldOrder.slice(oldOrder.indexOf(current) + 1);
    const next = order.includes(current) ? following(order, current) : after.find((id) => order.includes(id));
    return startOf(next ?? null)?.(timeline) ?? 0;
  };
}

/** The same moment again: a slot tells where it is by then, for it plays on what it has. The next item when this one cannot be decoded. */
export function resume(shown: Pick<Slot, 'item' | 'time'>, failure: Failure | null): Place | null {
  if (shown.item === null) return null;
  return (timeline: Timeline) => {
    const { item, time } = shown;
    if (item === null) return 0;
    const again = timeline[itemOf(timeline, item.videoId, time)];
    if (again === undefined) return 0;
    return failure === 'media' ? nextTarget(timeline, again.start) : again.start + (time - item.start);
  };
}
