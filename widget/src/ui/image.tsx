// Images from the server: kept while only their grant changes, and replaced by something sensible when they fail.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { colourOf, initials } from '../core/format';
import { sameMedia } from '../core/grant';
import { Blur } from './blur';

const COLOURS = 8;

interface ServerImageProps {
  url: string | null;
  /** What to show until it is there. */
  blurhash?: string | null;
  className: string;
  children?: ComponentChildren;
}

/** A decorative image; `children` show instead when there is none. */
export function ServerImage({ url, blurhash = null, className, children }: ServerImageProps) {
  const [shown, setShown] = useState(url);
  const [failed, setFailed] = useState<string | null>(null);
  const [loaded, setLoaded] = useState<string | null>(null);
  // A new grant for the same image is no reason to fetch it again, unless the old one came too late.
  const keep = shown !== null && url !== null && shown !== failed && sameMedia(shown, url);
  const source = keep ? shown : url;
  if (source !== shown) setShown(source);
  if (source === null || source === failed) return <>{children}</>;
  return (
    <>
      {blurhash !== null && source !== loaded && <Blur hash={blurhash} className={className} />}
      <img class={className} src={source} alt="" loading="lazy" decoding="async" draggable={false} onLoad={() => setLoaded(source)} onError={() => setFailed(source)} />
    </>
  );
}

/** A member's face, or their initials on a colour that stays theirs. */
export function Avatar({ url, name, id }: { url: string | null; name: string; id: string }) {
  return (
    <span class="avatar" aria-hidden="true" data-colour={colourOf(id, COLOURS)}>
      <ServerImage url={url} className="avatar-image">
        {initials(name)}
      </ServerImage>
    </span>
  );
}
