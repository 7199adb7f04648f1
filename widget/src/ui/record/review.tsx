// Looking at the take: play it, cut its ends, say something, send it.
import { useEffect, useRef, useState } from 'preact/hooks';
import { clock } from '../../core/format';
import type { Recording } from '../../core/recording/model';
import { wouldLose } from '../../core/recording/status';
import { isTooLong } from '../../core/recording/trim';
import { Store } from '../../core/store';
import type { Permission } from '../../matrix/capabilities';
import type { RecordingSession } from '../../record/session';
import { ByBot } from '../by-bot';
import { PauseIcon, PlayIcon } from '../icons';
import { Several } from '../several';
import { useText } from '../text';
import { useStore } from '../use-store';
import { useVisit } from '../visit';
import { ProblemNote } from './choosing';
import { useConfirm } from './confirm';
import { Link } from './link';
import { Trimmer } from './trimmer';

/** Far behind the end of any recording, in seconds: going there makes the browser look for the end. */
const BEYOND = 1e7;
const NOTHING = new Store<ReadonlySet<Permission>>(new Set());

interface Screen {
  readonly video: { readonly current: HTMLVideoElement | null };
  readonly playing: boolean;
  readonly position: number;
  readonly broken: boolean;
  readonly toggle: () => void;
  readonly seek: (to: number) => void;
}

/** Plays the chosen part and starts it over. */
function useScreen(session: RecordingSession, { trim }: Recording, url: string | null): Screen {
  const video = useRef<HTMLVideoElement>(null);
  const [playing, setPlaying] = useState(false);
  const [position, setPosition] = useState(0);
  const [broken, setBroken] = useState(false);
  const part = useRef(trim);
  part.current = trim;
  useEffect(() => {
    const element = video.current;
    if (element === null || url === null) return undefined;
    const listening = new AbortController();
    const on = (name: string, listener: () => void): void => element.addEventListener(name, listener, { signal: listening.signal });
    // What a recorder writes has no duration: the browser finds it when it is sent to the end.
    let searching = false;
    on('loadedmetadata', () => {
      if (element.videoWidth === 0) setBroken(true);
      searching = !Number.isFinite(element.duration);
      if (searching) element.currentTime = BEYOND;
      else session.measured(element.duration);
    });
    on('seeked', () => {
      if (!searching) return;
      searching = false;
      session.measured(Number.isFinite(element.duration) ? element.duration : element.currentTime);
      element.currentTime = part.current?.start ?? 0;
    });
    on('error', () => setBroken(true));
    on('play', () => setPlaying(true));
    on('pause', () => setPlaying(false));
    const again = (): void => {
      element.currentTime = part.current?.start ?? 0;
    };
    on('timeupdate', () => {
      if (searching) return;
      setPosition(element.currentTime);
      const { start = 0, end = Infinity } = part.current ?? {};
      if (!element.paused && (element.currentTime >= end || element.currentTime < start - 0.3)) again();
    });
    on('ended', () => {
      again();
      void element.play().catch(() => undefined);
    });
    element.src = url;
    return () => {
      listening.abort();
      element.pause();
      element.removeAttribute('src');
      element.load();
    };
  }, [url]);
  const toggle = (): void => {
    const element = video.current;
    if (element === null) return;
    if (!element.paused) return element.pause();
    const { start = 0, end = Infinity } = trim ?? {};
    if (element.currentTime < start || element.currentTime > end - 0.1) element.currentTime = start;
    void element.play().catch(() => undefined);
  };
  const seek = (to: number): void => {
    if (video.current === null) return;
    video.current.pause();
    video.current.currentTime = to;
  };
  return { video, playing, position, broken, toggle, seek };
}

/** What to know before it is sent: how often it would arrive, that the client prompts the viewer, or that the bot sends it. */
function Asks() {
  const t = useText();
  const { messenger } = useVisit();
  const granted = useStore(messenger?.permissions.granted ?? NOTHING);
  if (messenger === null) return null;
  return (
    <>
      <Several messenger={messenger} className="record-problem" anyway />
      <ByBot messenger={messenger} className="record-hint" />
      {!messenger.onBehalf && !granted.has('sendVideo') && <p class="record-hint" data-testid="record-will-ask">{t('widget-record-will-ask')}</p>}
    </>
  );
}

export function Review({ session, recording }: { session: RecordingSession; recording: Recording }) {
  const t = useText();
  const url = useStore(session.preview);
  const screen = useScreen(session, recording, url);
  const { take, trim, problem, limits } = recording;
  const [confirm, askDiscard] = useConfirm(() => session.discard());
  const discard = (): void => (wouldLose(recording) ? askDiscard() : session.discard());
  const send = (event: Event): void => {
    event.preventDefault();
    void session.send();
  };
  return (
    <form class="record-body review" onSubmit={send}>
      <div class="review-screen">
        <video ref={screen.video} class="review-video" data-testid="record-preview" aria-label={t('widget-record-preview')} playsInline onClick={screen.toggle} />
        {screen.broken ? <p class="review-broken">{t('widget-record-no-preview')}</p> : (
          <button type="button" class="review-play" data-testid="record-play" data-playing={screen.playing} aria-label={t(screen.playing ? 'widget-pause' : 'widget-play')} onClick={screen.toggle}>
            {screen.playing ? <PauseIcon /> : <PlayIcon />}
          </button>
        )}
        <Link recording={recording} />
      </div>
      <div class="review-form">
        {problem !== null && <ProblemNote problem={problem} />}
        <p class="review-name"><bdi>{take?.name}</bdi>{take?.duration != null && <span>{clock(take.duration)}</span>}</p>
        {limits.duration !== null && isTooLong(recording) && <p class="review-longest" data-testid="record-longest">{t('widget-record-longest', { length: clock(limits.duration) })}</p>}
        {trim !== null && take?.duration != null && !screen.broken && (
          <Trimmer trim={trim} duration={take.duration} position={screen.position} onTrim={(edge, at) => {
            session.trim(edge, at);
            screen.seek(session.state.get().trim?.[edge] ?? at);
          }} />
        )}
        <label class="caption">
          <span>{t('widget-record-caption')}</span>
          <input type="text" data-testid="record-caption" autocomplete="off" maxLength={500} value={recording.caption} onInput={({ currentTarget }) => session.caption(currentTarget.value)} />
        </label>
        <Asks />
        {confirm ?? (
          <div class="review-actions">
            <button type="button" class="pill" data-testid="record-discard" onClick={discard}>{t('widget-record-discard')}</button>
            <button type="submit" class="primary" data-testid="record-send" data-focus>{t('widget-record-send')}</button>
          </div>
        )}
      </div>
    </form>
  );
}
