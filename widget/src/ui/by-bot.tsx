// Says, until the viewer has done so once, that the bot sends what they say here, with their name.
import { sentByBot } from '../matrix/sent-by-bot';
import type { Messenger } from '../matrix/messenger';
import { useText } from './text';
import { useStore } from './use-store';

export function ByBot({ messenger, className }: { messenger: Messenger | null; className: string }) {
  const t = useText();
  const known = useStore(sentByBot) === 'yes';
  return messenger?.onBehalf !== true || known ? null : <p class={className} data-testid="by-bot">{t('widget-by-bot')}</p>;
}
