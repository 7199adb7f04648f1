// In place of the video: a spoiler that was picked, before the viewer says that they want to see it.
import { useEffect, useState } from 'preact/hooks';
import type { Entry } from '../core/state';
import { Blur } from './blur';
import { HiddenIcon } from './icons';
import { isOwn, nameOf, titleFor } from './names';
import { spoilerText } from './spoiler-text';
import './style/spoiler.css';
import { useText } from './text';
import { useStore } from './use-store';
import { useVisit } from './visit';

interface VeilProps {
  entry: Entry;
  onShow: () => void;
  onLeave: () => void;
}

/** Milliseconds for which a second press of the same gesture, meant for the list, does not count. */
const PRESSED_TWICE = 350;

export function Veil({ entry: { video, owner }, onShow, onLeave }: VeilProps) {
  const t = useText();
  const viewer = useStore(useVisit().state, (state) => state.viewer);
  const [ready, setReady] = useState(false);
  useEffect(() => {
    setReady(false);
    const timer = setTimeout(() => setReady(true), PRESSED_TWICE);
    return () => clearTimeout(timer);
  }, [video.id]);
  return (
    <section class="stage stage-empty stage-veiled" data-testid="spoiler" data-video-id={video.id} aria-label={t('widget-spoiler')}>
      {video.blurhash !== null && <Blur hash={video.blurhash} className="veil-picture" />}
      <div class="notice veil">
        <span class="notice-icon" aria-hidden="true"><HiddenIcon /></span>
        <div class="notice-words" role="status">
          <p class="notice-title veil-reason"><bdi>{spoilerText(video.spoilerReason, t)}</bdi></p>
          <p class="notice-hint veil-about">{t('widget-spoiler-hint', { title: titleFor(video, t), name: nameOf(owner), own: isOwn(viewer, owner) })}</p>
        </div>
        <div class="veil-ways">
          <button type="button" class="primary" data-testid="reveal" onClick={() => ready && onShow()}>{t('widget-spoiler-show')}</button>
          <button type="button" class="pill" data-testid="keep-hidden" onClick={onLeave}>{t('widget-spoiler-leave')}</button>
        </div>
      </div>
    </section>
  );
}
