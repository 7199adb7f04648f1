// The room: header, timeline and composer, and the widget beside or above them. From another room nothing of it is seen but a widget that floats.
import { useState } from 'preact/hooks';
import { useStore } from '../../src/ui/use-store';
import { nameOf } from '../matrix/room';
import { themeName, type Settings } from '../settings';
import type { Visit } from '../visit';
import { Composer } from './composer';
import { Dialogs } from './dialogs';
import { Header, type HeaderChoices } from './header';
import { Timeline } from './timeline';
import { WidgetPane } from './widget-pane';

interface RoomPageProps extends Omit<HeaderChoices, 'away' | 'onAway' | 'onReload'> {
  readonly visit: Visit;
  readonly settings: Settings;
}

export function RoomPage({ visit, settings: { layout, contrast, ...policy }, ...choices }: RoomPageProps) {
  const room = useStore(visit.room);
  const connected = useStore(visit.connected);
  const signedOut = useStore(visit.signedOut);
  const [away, setAway] = useState(false);
  const [loads, setLoads] = useState(0);
  const pane = <WidgetPane visit={visit} room={room} theme={themeName(choices.theme, contrast)} language={choices.language} policy={policy} away={away} loads={loads} onBack={() => setAway(false)} />;
  const dialogs = <Dialogs prompts={visit.prompts} />;
  if (layout === 'widget') return <div class="only-widget">{pane}{dialogs}</div>;
  return (
    <div class="room" data-away={away}>
      <Header title={away ? 'Another room' : room.name ?? 'Room'} userId={visit.account.userId} userName={nameOf(room, visit.account.userId)} away={away} onAway={setAway} onReload={() => setLoads(loads + 1)} {...choices} />
      <main class="room-body">
        <section class="chat" aria-label="Chat">
          {signedOut && <p class="banner" role="alert">The homeserver signed this session out. Sign out here too, and in again.</p>}
          {!connected && <p class="banner" role="status" data-testid="connection">Connection lost. Reconnecting…</p>}
          {room.membership === 'left' && <p class="banner" role="status" data-testid="not-member">You are not a member of this room.</p>}
          <Timeline room={room} outbox={visit.outbox} userId={visit.account.userId} />
          <Composer outbox={visit.outbox} disabled={room.membership !== 'joined' } />
        </section>
        {away && <p class="elsewhere" data-testid="elsewhere">Nothing happens in this room.</p>}
        {pane}
      </main>
      {dialogs}
    </div>
  );
}
