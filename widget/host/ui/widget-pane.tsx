// The place of the widget: the frame once the bot has put it into the room, a friendly word before. In another room it is a tile, where the
// widget asked to stay on the screen; what lies over the tile takes every click, as in Element.
import type { Widget } from 'matrix-widget-api';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { StoredDecisions } from '../matrix/prompts';
import type { Room } from '../matrix/room';
import { widgetOf, widgetUrl } from '../matrix/widget';
import type { Language } from '../settings';
import type { Visit } from '../visit';
import { VideoIcon } from './icons';
import { WidgetFrame, type Policy } from './widget-frame';

interface WidgetPaneProps {
  readonly visit: Visit;
  readonly room: Room;
  /** What the client calls it. */
  readonly theme: string;
  readonly language: Language;
  readonly policy: Policy;
  /** Another room is shown. */
  readonly away: boolean;
  /** How often the viewer had the frame loaded again. */
  readonly loads: number;
  readonly onBack: () => void;
}

/** True once the viewer allows the widget to be loaded: where they are prompted, for each widget that others added. */
function useMayLoad({ prompts, account }: Visit, widget: Widget | null, { permissions }: Policy): boolean {
  const [allowed, setAllowed] = useState<string | null>(null);
  const prompted = widget !== null && permissions === 'ask' && widget.creatorUserId !== account.userId;
  useEffect(() => {
    if (!prompted) return;
    const stored = new StoredDecisions(widget.id);
    if (stored.read('load') !== null) { setAllowed(widget.id); return; }
    void prompts.show('load', [widget.origin]).then((decision) => {
      if (decision.allowed.length === 0) return;
      stored.write('load', decision.allowed);
      setAllowed(widget.id);
    });
  }, [prompted, widget?.id]);
  return !prompted || allowed === widget.id;
}

/** Visits of the room, counted from 0. */
function useVisits(away: boolean): number {
  const [visits, setVisits] = useState(0);
  const [before, setBefore] = useState(away);
  if (before !== away) {
    setBefore(away);
    if (!away) setVisits(visits + 1);
  }
  return visits;
}

export function WidgetPane({ visit, room, theme, language, policy, away, loads, onBack }: WidgetPaneProps) {
  const [tries, setTries] = useState(0);
  const [failed, setFailed] = useState<string | null>(null);
  const { account, roomId } = visit;
  const widget = useMemo(() => (room.membership === 'joined' ? widgetOf(room) : null), [room.widgets, room.membership]);
  // The loaded page is notified of changes of theme and language.
  const url = useMemo(() => {
    const viewer = { room, roomId, userId: account.userId, baseUrl: account.homeserver.baseUrl, theme, language };
    return widget === null ? null : widgetUrl(widget, viewer);
  }, [widget, tries]);
  // One per loading of the frame.
  const loading = `${tries} ${url ?? ''}`;
  const [floats, setFloats] = useState(false);
  const mayLoad = useMayLoad(visit, widget, policy);
  const visits = useVisits(away);
  const place = !away ? 'room' : floats ? 'tile' : 'nowhere';
  // Clients that keep the frame give it one more host at each visit.
  const kept = policy.hosts === 'pile';
  const shown = widget !== null && url !== null && mayLoad && (kept || place !== 'nowhere');

  return (
    <aside class="pane" aria-label="Widget" data-place={place} data-floats={floats} data-testid="pane">
      {!shown ? !away && <Waiting membership={room.membership} /> : (
        <WidgetFrame key={loading} widget={widget} url={url} visit={visit} theme={theme} language={language} policy={policy} loads={loads} host={kept ? visits : 0} onResponding={(responds) => setFailed(responds ? null : loading)} onFloat={setFloats} />
      )}
      {place === 'tile' && <button type="button" class="tile-cover" data-testid="tile" aria-label={`Back to ${room.name ?? 'the room'}`} onClick={onBack} />}
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
      <span class="pane-icon"><VideoIcon /></span>
      <h2>{title}</h2>
      <p>{hint}</p>
    </div>
  );
}
