// On the video of the room's channel: whether it is live, the way back there, and who else watches.
import { useEffect, useRef, useState } from 'preact/hooks';
import { EVERYONE } from '../core/state';
import type { Channel } from '../visit/channel';
import type { Mode } from '../player/live-sync';
import './style/live.css';
import { useText } from './text';
import { useStore } from './use-store';
import { useVisit } from './visit';
import { Watching } from './watching';

/** What a screen reader announces when it changes: not at the beginning, when there is enough to hear. */
function useSpoken(mode: Mode): string {
  const t = useText();
  const before = useRef(mode);
  const [spoken, setSpoken] = useState('');
  useEffect(() => {
    if (before.current !== mode) setSpoken(t(mode === 'live' ? 'widget-live-note' : 'widget-away-note'));
    before.current = mode;
  }, [mode]);
  return spoken;
}

function LiveMark({ channel }: { channel: Channel }) {
  const t = useText();
  const visit = useVisit();
  const mode = useStore(channel.mode);
  const spoken = useSpoken(mode);
  const back = (event: MouseEvent): void => {
    // The button goes away with this; whoever uses the keyboard is left on the player.
    if (event.currentTarget instanceof HTMLElement) event.currentTarget.closest<HTMLElement>('.stage')?.focus({ preventScroll: true });
    visit.select(EVERYONE);
  };
  return (
    <>
      {mode === 'live'
        ? <span class="live-mark" data-testid="live-mark" title={t('widget-live-note')}><span class="live-dot" />{t('widget-live')}</span>
        : <button type="button" class="live-mark live-back" data-testid="live" onClick={back}><span class="live-dot" />{t('widget-back-to-live')}</button>}
      <span class="unseen" role="status">{spoken}</span>
    </>
  );
}

/** Nothing while something else than the channel is selected. */
export function LiveBar() {
  const { channel } = useVisit();
  return channel && <Shown channel={channel} />;
}

function Shown({ channel }: { channel: Channel }) {
  const off = useStore(channel.mode, (mode) => mode === 'off');
  if (off) return null;
  return (
    <div class="live-bar">
      <Watching />
      <LiveMark channel={channel} />
    </div>
  );
}
