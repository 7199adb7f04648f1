// How members and videos are called on the page.
import { takenOf, type Taken } from '../core/camera';
import { localpart, titleOf } from '../core/format';
import { IN_TURN } from '../core/together';
import type { Member, Video } from '../core/model';
import type { Selection } from '../core/state';
import type { Translate } from './text';

export function nameOf(member: Member): string {
  return member.displayName ?? localpart(member.userId);
}

/** How the viewer knows somebody; themselves as 'You'. */
export function calledBy(viewer: string | null, member: Member, t: Translate): string {
  return member.userId === viewer ? t('widget-you') : nameOf(member);
}

/** For texts that speak to the viewer about what is theirs. */
export const isOwn = (viewer: string | null, member: Member | null): 'yes' | 'no' => (member !== null && member.userId === viewer ? 'yes' : 'no');

/** More than these are counted instead of named. */
const NAMED = 3;

/** Whose videos a selection holds. */
export function labelOf({ member, turns, key }: Pick<Selection, 'member' | 'turns' | 'key'>, viewer: string | null, t: Translate): string {
  if (member !== null) return calledBy(viewer, member, t);
  if (turns.length === 0) return t('widget-everyone');
  if (key === IN_TURN) return t('widget-in-turn');
  if (turns.length > NAMED) return t('widget-several', { count: turns.length });
  return turns.map((each) => calledBy(viewer, each, t)).join(t('widget-and'));
}

/** A speed as players write it: `1.25×`. */
export function speedText(speed: number, t: Translate): string {
  return t('widget-speed-value', { speed: `${speed}` });
}

export function titleFor(video: Video, t: Translate): string {
  if (video.title === null) return t('widget-untitled');
  const taken = takenOf(video.title, video.createdAt);
  return taken === null ? titleOf(video.title) : cameraTitle(taken, video, t);
}

function cameraTitle({ date, timed, screen }: Taken, { kind }: Video, t: Translate): string {
  const parts = [date.getFullYear() !== new Date().getFullYear() && 'year', timed && 'time'].filter((part) => part !== false);
  const when = t('widget-camera-when', { date, with: parts.length === 0 ? 'day' : parts.join('-') });
  return t('widget-camera', { kind: screen ? 'screen' : kind, when });
}
