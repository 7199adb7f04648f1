// What moderators see before they decide: the video itself, why it waits, what members said, and what can be done.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Grants, mediaName } from '../../core/grant';
import type { Video } from '../../core/model';
import { EVERYONE, type Entry } from '../../core/state';
import type { Engine, Failure } from '../../player/engine';
import { chooseEngine } from '../../player/load';
import { reportSlowLine } from '../../player/slow-line';
import { Blur } from '../blur';
import { nameOf, titleFor } from '../names';
import { spoilerText } from '../spoiler-text';
import { useText } from '../text';
import { useVisit } from '../visit';
import { withheldText } from '../withheld-text';
import { LONGEST_REASON } from './dialogs';
import type { VideoActions } from './video-actions';

type Step = 'look' | 'reject' | 'block';

/** What plays on the page pauses while this does, and goes on after it. */
function usePauseElsewhere(): () => void {
  const visit = useVisit();
  const paused = useRef(false);
  useEffect(() => () => {
    if (!paused.current) return;
    if (visit.state.get().selected === EVERYONE) visit.channel?.join();
    visit.player.get()?.play();
  }, []);
  return () => {
    const player = visit.player.get();
    if (player?.playback.get().playing !== true) return;
    paused.current = true;
    player.pause();
  };
}

function Watch({ video }: { video: Video }) {
  const t = useText();
  const element = useRef<HTMLVideoElement>(null);
  const grants = useRef(new Grants()).current;
  const [failure, setFailure] = useState<Failure | null>(null);
  const [asked, setAsked] = useState(!video.spoiler);
  const pauseElsewhere = usePauseElsewhere();
  const { playlistUrl } = video;
  grants.learn(playlistUrl);
  useEffect(() => {
    const screen = element.current;
    if (screen === null || playlistUrl === null) return undefined;
    let engine: Engine | null = null;
    let left = false;
    const ignore = (): void => undefined;
    setFailure(null);
    chooseEngine().then(
      (open) => {
        if (left) return;
        if (open === null) setFailure('media');
        else {
          const slow = (videoId: string): void => reportSlowLine(grants.renew(playlistUrl), videoId);
          engine = open({ video: screen, url: playlistUrl, start: null, renew: (url) => grants.renew(url), events: { timeline: ignore, levels: ignore, failed: setFailure, slow } });
        }
      },
      () => setFailure('network'),
    );
    return () => {
      left = true;
      engine?.close();
    };
    // A newer grant is no reason to begin anew.
  }, [asked, playlistUrl === null ? null : mediaName(playlistUrl)]);
  if (playlistUrl === null) return null;
  if (!asked) {
    return (
      <div class="verdict-screen verdict-veiled">
        {video.blurhash !== null && <Blur hash={video.blurhash} className="verdict-blur" />}
        <p><bdi>{spoilerText(video.spoilerReason, t)}</bdi></p>
        <button type="button" class="pill" data-testid="review-reveal" onClick={() => setAsked(true)}>{t('widget-spoiler-show')}</button>
      </div>
    );
  }
  return (
    <>
      <video ref={element} class="verdict-screen" controls playsInline preload="auto" poster={video.posterUrl ?? undefined} aria-label={titleFor(video, t)} data-testid="review-video" onPlay={pauseElsewhere} />
      {failure !== null && <p role="alert">{t(failure === 'media' ? 'widget-broken' : 'widget-stalled')}</p>}
    </>
  );
}

/** What members said; not who said it. */
function Reasons({ video, actions }: { video: Video; actions: VideoActions }) {
  const t = useText();
  const [reasons, setReasons] = useState<readonly string[] | null>(null);
  const [failed, setFailed] = useState(false);
  const count = video.reports ?? 0;
  useEffect(() => {
    if (count === 0) return undefined;
    let wanted = true;
    setFailed(false);
    actions.reasons(video).then((found) => wanted && setReasons(found), () => wanted && setFailed(true));
    return () => void (wanted = false);
  }, [video.id, count]);
  if (count === 0) return null;
  return (
    <div class="verdict-reports" data-testid="review-reports">
      <h3>{t('widget-mark-reported', { count })}</h3>
      {failed && <p role="alert">{t('widget-review-no-reasons')}</p>}
      <ul>
        {reasons?.map((reason, index) => <li key={index}>{reason === '' ? t('widget-review-wordless') : <bdi>{reason}</bdi>}</li>)}
      </ul>
    </div>
  );
}

interface ReviewProps {
  entry: Entry;
  first: 'look' | 'block';
  actions: VideoActions;
}

export function Review({ entry, first, actions }: ReviewProps) {
  const t = useText();
  const { video, owner } = entry;
  const { can, visibility } = video;
  const dialog = useRef<HTMLDialogElement>(null);
  const reason = useRef<HTMLTextAreaElement>(null);
  const [step, setStep] = useState<Step>(first);
  const own = actions.isOwn(entry);
  const title = titleFor(video, t);
  useLayoutEffect(() => {
    dialog.current?.showModal();
  }, []);
  useLayoutEffect(() => {
    reason.current?.focus();
    // The question may be settled: somebody else decided.
    if (step === 'reject' && !can.has('reject')) setStep('look');
  }, [step, can]);
  const close = (): void => dialog.current?.close();
  const then = (act: () => void) => () => {
    close();
    act();
  };
  const decide = (event: Event): void => {
    event.preventDefault();
    const said = reason.current?.value.trim() ?? '';
    close();
    if (step === 'reject') actions.reject(entry, said);
    if (step === 'block') actions.block(entry, said);
  };
  const button = (there: boolean, id: string, act: () => void, kind: 'quiet' | 'strong' | 'grave' = 'quiet') =>
    there && <button key={id} type="button" class={`pill ${kind}`} data-testid={`review-${id}`} onClick={act}>{t(`widget-review-${id}`)}</button>;
  return (
    <dialog ref={dialog} class="dialog verdict" aria-labelledby="review-title" data-testid="review" data-video-id={video.id} onClose={() => actions.closeReview(video)} onKeyDown={(event) => event.stopPropagation()}>
      <form onSubmit={decide}>
        <h2 id="review-title"><bdi>{title}</bdi></h2>
        <p class="verdict-about">
          <bdi>{nameOf(owner)}</bdi>
          <span role="status" data-testid="review-state">{visibility === 'shown' ? t('widget-review-shown') : withheldText(video, t)}</span>
        </p>
        <Watch key={video.id} video={video} />
        {video.playlistUrl === null && <p data-testid="review-unseen">{t(can.has('show') ? 'widget-review-preparing' : 'widget-review-unseen')}</p>}
        <Reasons video={video} actions={actions} />
        {step === 'look' ? (
          <div class="dialog-buttons">
            {button(visibility === 'held' && can.has('show'), 'approve', then(() => actions.approve(video)), 'strong')}
            {button(visibility === 'hidden' && can.has('show'), 'show', then(() => actions.setVisibility(video, 'shown')), 'strong')}
            {button((video.reports ?? 0) > 0 && visibility === 'shown', 'dismiss', then(() => actions.dismissReports(video)), 'strong')}
            {button((video.reports ?? 0) > 0 && can.has('hide'), 'hide', then(() => actions.setVisibility(video, 'hidden')))}
            {button(can.has('reject'), 'reject', () => setStep('reject'), 'grave')}
            {button(can.has('block') && !own, 'block', () => setStep('block'), 'grave')}
            {button(true, 'close', close)}
          </div>
        ) : (
          <>
            <label class="reason">
              <span>{t(`widget-review-${step}-hint`)}</span>
              <textarea ref={reason} rows={3} maxLength={LONGEST_REASON} data-testid="reason" />
            </label>
            <div class="dialog-buttons">
              <button type="button" class="pill quiet" data-testid="cancel" onClick={() => setStep('look')}>{t('widget-cancel')}</button>
              <button type="submit" class="pill grave" data-testid="confirm">{t(`widget-review-${step}-confirm`)}</button>
            </div>
          </>
        )}
      </form>
    </dialog>
  );
}
