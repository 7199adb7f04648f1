// What goes along with the video and is not needed for its first frame: captions, the system's controls, staying on screen, the bookmark.
import { useEffect, useRef, useState } from 'preact/hooks';
import { keepBookmark } from '../api/bookmark';
import { bookmarkOf } from '../player/bookmark';
import type { Choices } from '../core/choices';
import type { Captions } from '../core/model';
import type { Entry, State } from '../core/state';
import { keepOnScreen } from '../matrix/on-screen';
import { CaptionTracks, captionsKey } from '../player/captions';
import { elsewhere, inTile } from '../player/floating-tile';
import { describe, handleSystemKeys } from '../player/media-session';
import { RUSH } from '../player/rate';
import type { ReelPlayer } from '../player/reel-player';
import { recordingStatus } from '../record/status';
import { calledBy, isOwn, nameOf, speedText, titleFor } from './names';
import { useText, type Translate } from './text';
import { useStore } from './use-store';
import { useVisit } from './visit';
import type { Visit } from '../visit/visit';

/** Milliseconds for which a change is shown on the video. */
const NOTE = 1_500;

interface EffectsProps {
  player: ReelPlayer;
  entry: Entry | null;
}

export function PlayerEffects({ player, entry }: EffectsProps) {
  const t = useText();
  const visit = useVisit();
  const viewer = useStore(visit.state, (state) => state.viewer);
  useEffect(() => {
    const captions = new CaptionTracks(player, (videoId) => captionsOf(visit.state.get(), videoId));
    const stops = [handleSystemKeys(player), stayInSight(visit, player), hushElsewhere(visit, player), () => captions.close()];
    if (visit.server !== null) stops.push(keepBookmark(visit.server, () => bookmarkOf(visit.state.get(), player)));
    return () => stops.forEach((stop) => stop());
  }, [player]);
  const { id = null, spoiler = false } = entry?.video ?? {};
  // The system shows it where others see it: on the lock screen, among the notifications.
  const posterUrl = spoiler ? null : entry?.video.posterUrl ?? null;
  useEffect(() => {
    if (entry !== null) describe({ title: titleFor(entry.video, t), artist: calledBy(viewer, entry.owner, t), artwork: posterUrl });
  }, [id, entry?.video.title, posterUrl, t]);
  return (
    <>
      <ChangeNote player={player} entry={entry} />
      <Announced player={player} entry={entry} viewer={viewer} />
    </>
  );
}

/** Announces to screen readers which video shows: each once in a reel, whose turns may be many, and again when the viewer picked it. */
function Announced({ player, entry, viewer }: EffectsProps & { viewer: string | null }) {
  const t = useText();
  const wanted = useStore(player.choices, (choices) => choices.announce);
  const reel = useStore(player.playback, (playback) => playback.reel);
  const said = useRef({ reel, picks: player.picks, ids: new Set<string>() });
  const [spoken, speak] = useState<Entry | null>(null);
  const id = entry?.video.id ?? null;
  useEffect(() => {
    const before = said.current;
    if (entry === null || id === null) return;
    const heard = before.reel === reel && before.picks === player.picks && before.ids.has(id);
    const ids = before.reel === reel ? before.ids : new Set<string>();
    said.current = { reel, picks: player.picks, ids: ids.add(id) };
    speak(heard ? null : entry);
  }, [id, reel]);
  const text = !wanted || spoken === null ? '' : t('widget-now-playing', { title: titleFor(spoken.video, t), name: nameOf(spoken.owner), own: isOwn(viewer, spoken.owner) });
  return <p class="unseen" role="status" data-testid="announced">{text}</p>;
}

/** Shows a change of the choices, on the video and to screen readers. */
function ChangeNote({ player, entry }: EffectsProps) {
  const t = useText();
  const choices = useStore(player.choices);
  const rushing = useStore(player.rushing);
  const before = useRef(choices);
  const [text, setText] = useState('');
  useEffect(() => {
    const news = newsOf(before.current, choices, entry?.video.captions ?? [], t);
    before.current = choices;
    if (news === null) return undefined;
    setText(news);
    const timer = setTimeout(() => setText(''), NOTE);
    return () => clearTimeout(timer);
  }, [choices]);
  const shown = rushing && !player.live.get() ? speedText(Math.max(RUSH, choices.speed), t) : text;
  return <p class="told" role="status" data-testid="told">{shown !== '' && <span>{shown}</span>}</p>;
}

function newsOf(before: Choices, now: Choices, known: readonly Captions[], t: Translate): string | null {
  if (now.speed !== before.speed) return t('widget-told-speed', { speed: speedText(now.speed, t) });
  if (now.loop !== before.loop) return t(`widget-loop-${now.loop}`);
  if (now.keys !== before.keys) return t(now.keys ? 'widget-told-keys-on' : 'widget-told-keys-off');
  if (now.announce !== before.announce) return t(now.announce ? 'widget-told-announce-on' : 'widget-told-announce-off');
  if (now.captions === before.captions) return null;
  const chosen = known.find((each) => captionsKey(each) === now.captions);
  return t('widget-told-captions', { label: chosen?.label ?? t('widget-captions-off') });
}

/** Silent in the client's tile, unless the viewer wants to hear it there. */
function hushElsewhere({ client }: Visit, player: ReelPlayer): () => void {
  if (client === null) return () => undefined;
  const update = (): void => {
    // What is recorded or sent may keep the widget there, too: then nobody wants its audio.
    const kept = elsewhere.get() === 'muted' || (elsewhere.get() === 'stop' && recordingStatus.get() !== null);
    player.audio.patch({ hushed: inTile.get() && kept });
  };
  const stops = [elsewhere, inTile, recordingStatus].map((store) => store.subscribe(update));
  update();
  return () => stops.forEach((stop) => stop());
}

function captionsOf({ room }: State, videoId: string): readonly Captions[] {
  return room?.members.flatMap(({ videos }) => videos).find(({ id }) => id === videoId)?.captions ?? [];
}

/** Requests that the client shows the widget in other rooms, too, while something plays and the viewer wants that; once for each change. */
function stayInSight({ client }: Visit, player: ReelPlayer): () => void {
  if (client === null) return () => undefined;
  let asked = false;
  const update = (): void => {
    const { playing, reel } = player.playback.get();
    ask(playing && reel !== null && elsewhere.get() !== 'stop' && client.permissions.has('stayOnScreen'));
  };
  const ask = (on: boolean): void => {
    if (on === asked) return;
    asked = on;
    keepOnScreen(client, 'playing', on);
  };
  const stops = [player.playback, client.permissions.granted, elsewhere].map((store) => store.subscribe(update));
  // What was chosen before the request for which the page reloaded is decided only now.
  stops.push(client.permissions.declined.subscribe(() => client.permissions.declined.get().has('stayOnScreen') && elsewhere.set('stop')));
  update();
  return () => {
    stops.forEach((stop) => stop());
    ask(false);
  };
}
