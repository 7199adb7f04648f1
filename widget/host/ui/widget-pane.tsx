// The place of the widget: the frame once the bot has put it into the room, a friendly word before.
import { useMemo, useState } from 'preact/hooks';
import type { Room } from '../matrix/room';
import { widgetOf, widgetUrl } from '../matrix/widget';
import type { Language, Refusal } from '../settings';
import type { Visit } from '../visit';
import { FilmIcon } from './icons';
import { WidgetFrame } from './widget-frame';

interface WidgetPaneProps {
  readonly visit: Visit;
  readonly room: Room;
  /** What the client calls it. */
  readonly theme: string;
  readonly language: Language;
  readonly refusal: Refusal;
}

export function WidgetPane({ visit, room, theme, language, refusal }: WidgetPaneProps) {
  const [tries, setTries] = useState(0);
  const [failed, setFailed] = useState<string | null>(null);
  const { account, roomId } = visit;
  const widget = useMemo(() => (room.membership === 'joined' ? widgetOf(room) : null), [room.widgets, room.membership]);
  // A change of theme or language is told to the loaded page.
  const url = useMemo(() => {
    const viewer = { room, roomId, userId: account.userId, baseUrl: account.homeserver.baseUrl, theme, language };
    return widget === null ? null : widgetUrl(widget, viewer);
  }, [widget, tries]);
  // One per loading of the frame.
  const loading = `${tries} ${url ?? ''}`;

  return (
    <aside class="pane" aria-label="Widget">
      {widget === null || url === null ? <Waiting membership={room.membership} /> : (
        <WidgetFrame key={loading} widget={widget} url={url} visit={visit} theme={theme} language={language} refusal={refusal} onAnswer={(answers) => setFailed(answers ? null : loading)} />
      )}
      {widget !== null && failed === loading && (
        <div class="pane-failed" role="alert" data-testid="widget-failed">
          <p>The widget at {widget.origin} does not answer.</p>
          <button type="button" class="button" onClick={() => setTries(tries + 1)}>Load it again</button>
        </div>
      )}
    </aside>
  );
}

function Waiting({ membership }: { membership: Room['membership'] }) {
  const [title, hint] = {
    unknown: ['Opening the room…', ''],
    joined: ['Waiting for the widget', 'It appears here as soon as the Roomreel bot has joined and put it into the room. The bot needs the power to change the room’s settings.'],
    left: ['Nothing to see', 'Only members of a room see its widget.'],
  }[membership] as [string, string];
  return (
    <div class="pane-waiting" role="status" data-testid="widget-waiting">
      <span class="pane-icon"><FilmIcon /></span>
      <h2>{title}</h2>
      <p>{hint}</p>
    </div>
  );
}
