// How members and videos are called on the page.
import { localpart, titleOf } from '../core/format';
import type { Member, Video } from '../core/model';
import type { Translate } from './text';

export function nameOf(member: Member): string {
  return member.displayName ?? localpart(member.userId);
}

export function titleFor(video: Video, t: Translate): string {
  return video.title === null ? t('widget-untitled') : titleOf(video.title);
}
