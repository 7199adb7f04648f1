// What the sender of a spoiler says of it, in the viewer's language.
import type { Translate } from './text';

export function spoilerText(reason: string | null, t: Translate): string {
  return reason === null ? t('widget-spoiler') : t('widget-spoiler-because', { reason });
}
