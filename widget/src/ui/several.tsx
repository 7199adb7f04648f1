// Says that what is sent from here would arrive several times, or might, and what to do.
import type { Messenger } from '../matrix/messenger';
import { useText } from './text';
import { useStore } from './use-store';

interface SeveralProps {
  messenger: Messenger;
  className: string;
  /** The viewer may have one message sent all the same. */
  anyway: boolean;
}

export function Several({ messenger: { hosts }, className, anyway }: SeveralProps) {
  const t = useText();
  const several = useStore(hosts.several);
  if (several === 'no' || (several === 'once' && anyway)) return null;
  return (
    <div class={className} role="alert" data-testid="several-hosts" data-several={several}>
      <p>{t(several === 'yes' ? 'widget-several-yes' : 'widget-several-perhaps')}</p>
      {several === 'perhaps' && anyway && <button type="button" class="pill several-anyway" data-testid="several-anyway" onClick={() => hosts.anyway()}>{t('widget-several-anyway')}</button>}
    </div>
  );
}
