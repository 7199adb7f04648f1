// Media URLs carry a short-lived grant: /media/{exp}.{sig}/{scope}/…. The same file under a newer grant is the same file.

const MEDIA = /^((?:[a-z]+:\/\/[^/]+)?\/media\/)([^/]+)\/([^/?#]+)(.*)$/;
const REEL = /\/media\/[^/]+\/(.+\/reel\/[^/]+\/[^/]+)\//;

/** What stays the same while a reel holds the same videos; null when the URL is no reel. */
export function reelIdentity(url: string): string | null {
  return REEL.exec(url)?.[1] ?? null;
}

/** The newest grant of each scope. */
export class Grants {
  readonly #byScope = new Map<string, string>();

  /** Remembers the grant of a URL that the server gave just now. */
  learn(url: string | null): void {
    const [, , grant, scope] = (url === null ? null : MEDIA.exec(url)) ?? [];
    if (grant !== undefined && scope !== undefined) this.#byScope.set(scope, grant);
  }

  /** The same URL under the newest grant known for it. */
  renew(url: string): string {
    const [, root, , scope, rest] = MEDIA.exec(url) ?? [];
    const grant = scope === undefined ? undefined : this.#byScope.get(scope);
    if (root === undefined || grant === undefined) return url;
    return `${root}${grant}/${scope}${rest}`;
  }
}

/** True when two URLs name the same file, whatever their grants. */
export function sameMedia(one: string, other: string): boolean {
  return mediaName(one) === mediaName(other);
}

/** A media URL without its grant. */
export function mediaName(url: string): string {
  return url.replace(MEDIA, '$1$3$4');
}
