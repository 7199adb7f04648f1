// A member's video avatar: a short silent clip in place of their image, while it is in sight and may move.
import { useEffect, useRef, useState } from 'preact/hooks';
import { sameMedia } from '../core/grant';
import { motion } from './motion';
import { ServerImage } from './image';
import { useStore } from './use-store';

interface MovingFaceProps {
  url: string;
  /** The clip's still image; null for what lies below. */
  posterUrl: string | null;
}

/** True while the element can be seen, also within what scrolls. */
function useInSight(element: { readonly current: Element | null }): boolean {
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (element.current === null) return;
    const observer = new IntersectionObserver((entries) => setSeen(entries.at(-1)?.isIntersecting === true));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return seen;
}

/** A new grant for the same clip is no reason to fetch it again, unless the old one came too late. */
function useSteady(url: string, failed: string | null): string {
  const [kept, setKept] = useState(url);
  const source = sameMedia(kept, url) && kept !== failed ? kept : url;
  if (source !== kept) setKept(source);
  return source;
}

function Loop({ source, onFailed }: { source: string; onFailed: () => void }) {
  const video = useRef<HTMLVideoElement>(null);
  const [plays, setPlays] = useState(false);
  useEffect(() => {
    if (video.current === null) return;
    // As properties: the attribute alone does not mute an element that was made by script.
    video.current.muted = true;
    video.current.src = source;
    // Refused where nothing plays by itself: then the still image stays.
    video.current.play().catch(() => undefined);
  }, [source]);
  return (
    <video ref={video} class="face-clip" data-testid="video-avatar" data-plays={plays} loop muted playsInline disablePictureInPicture disableRemotePlayback tabIndex={-1} onPlaying={() => setPlays(true)} onError={onFailed} />
  );
}

export function MovingFace({ url, posterUrl }: MovingFaceProps) {
  const place = useRef<HTMLSpanElement>(null);
  const moves = useStore(motion());
  const seen = useInSight(place);
  const [failed, setFailed] = useState<string | null>(null);
  const source = useSteady(url, failed);
  return (
    <span ref={place} class="face-moving" aria-hidden="true">
      <ServerImage url={posterUrl} className="avatar-image" />
      {/* Taken out when it stands still: a browser decodes only so many clips at once. */}
      {moves && seen && source !== failed && <Loop source={source} onFailed={() => setFailed(source)} />}
    </span>
  );
}
