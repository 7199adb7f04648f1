// Why others do not see a video, in the viewer's language.
import type { Video } from '../core/model';
import type { Translate } from './text';

export function withheldText({ visibility, heldFor, hiddenBy }: Pick<Video, 'visibility' | 'heldFor' | 'hiddenBy'>, t: Translate): string {
  if (visibility === 'hidden') return hiddenBy === null ? t('widget-state-hidden') : t(`widget-hidden-by-${hiddenBy}`);
  return heldFor === null ? t('widget-state-held') : t(`widget-held-for-${heldFor}`);
}
