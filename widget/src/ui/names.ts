// How members and videos are called on the page.
import { localpart, titleOf } from '../core/format';
import { IN_TURN } from '../core/together';
import type { Member, Video } from '../core/model';
import type { Selection } from '../core/state';
import type { Translate } from './text';

export function nameOf(member: Member): string {
  return member.displayName ?? localpart(member.userId);
}

/** More than these are counted instead of named. */
const NAMED = 3;

/** Whose videos a selection holds. */
export function labelOf({ member, turns, key }: Pick<Selection, 'member' | 'turns' | 'key'>, t: Translate): string {
  if (member !== null) return nameOf(member);
  if (turns.length === 0) return t('widget-everyone');
  if (key === IN_TURN) return t('widget-in-turn');
  if (turns.length > NAMED) return t('widget-several', { count: turns.length });
  return turns.map(nameOf).join(t('widget-and'));
}

/** A speed as players write it: `1.25×`. */
export function speedText(speed: number, t: Translate): string {
  return t('widget-speed-value', { speed: `${speed}` });
}

export function titleFor(video: Video, t: Translate): string {
  return video.title === null ? t('widget-untitled') : titleOf(video.title);
}
