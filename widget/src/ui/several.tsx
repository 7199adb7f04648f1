// Says that what is sent from here would arrive several times, or might, and what to do.
import type { MatrixClient } from '../matrix/client';
import { useText } from './text';
import { useStore } from './use-store';

export function Several({ client: { hosts }, className }: { client: MatrixClient; className: string }) {
  const t = useText();
  const several = useStore(hosts.several);
  if (several === 'no') return null;
  return (
    <div class={className} role="alert" data-testid="several" data-several={several}>
      <p>{t(`widget-several-${several}`)}</p>
      {several === 'perhaps' && <button type="button" class="pill" data-testid="several-anyway" onClick={() => hosts.several.set('no')}>{t('widget-several-anyway')}</button>}
    </div>
  );
}
