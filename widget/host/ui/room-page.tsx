// The room: header, timeline and composer, and the widget beside or above them.
import { useStore } from '../../src/ui/use-store';
import { nameOf } from '../matrix/room';
import { themeName, type Settings } from '../settings';
import type { Visit } from '../visit';
import { Composer } from './composer';
import { Header, type HeaderChoices } from './header';
import { Timeline } from './timeline';
import { WidgetPane } from './widget-pane';

interface RoomPageProps extends HeaderChoices {
  readonly visit: Visit;
  readonly layout: Settings['layout'];
  readonly refusal: Settings['refusal'];
  readonly contrast: boolean;
}

export function RoomPage({ visit, layout, refusal, contrast, ...choices }: RoomPageProps) {
  const room = useStore(visit.room);
  const connected = useStore(visit.connected);
  const signedOut = useStore(visit.signedOut);
  const pane = <WidgetPane visit={visit} room={room} theme={themeName(choices.theme, contrast)} language={choices.language} refusal={refusal} />;
  if (layout === 'widget') return <div class="only-widget">{pane}</div>;
  return (
    <div class="room">
      <Header title={room.name ?? 'Room'} userId={visit.account.userId} userName={nameOf(room, visit.account.userId)} {...choices} />
      <main class="room-body">
        <section class="chat" aria-label="Chat">
          {signedOut && <p class="banner" role="alert">The homeserver signed this session out. Sign out here too, and in again.</p>}
          {!connected && <p class="banner" role="status" data-testid="connection">Connection lost. Reconnecting…</p>}
          {room.membership === 'left' && <p class="banner" role="status" data-testid="not-member">You are not a member of this room.</p>}
          <Timeline room={room} outbox={visit.outbox} userId={visit.account.userId} />
          <Composer outbox={visit.outbox} disabled={room.membership !== 'joined'} />
        </section>
        {pane}
      </main>
    </div>
  );
}
