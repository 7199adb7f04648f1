import { describe, expect, it } from 'vitest';
import { Grants, reelIdentity, sameMedia } from './grant';

const OLD = '/media/100.aa/room1/reel/k/7/index.m3u8';
const NEW = '/media/200.bb/room1/reel/k/8/index.m3u8';

describe('Grants', () => {
  it('re-opens a URL of the same scope under the newest grant, with or without the host', () => {
    const grants = new Grants();
    grants.learn(OLD);
    grants.learn(NEW);
    expect(grants.renew('/media/100.aa/room1/v/x/720/3.m4s')).toBe('/media/200.bb/room1/v/x/720/3.m4s');
    expect(grants.renew('https://s.test/media/100.aa/room1/v/x/720/3.m4s')).toBe('https://s.test/media/200.bb/room1/v/x/720/3.m4s');
  });

  it('leaves other scopes and other addresses alone', () => {
    const grants = new Grants();
    grants.learn(NEW);
    grants.learn(null);
    for (const url of ['/media/100.aa/room2/v/x/1.m4s', '/other/1.m4s']) expect(grants.renew(url)).toBe(url);
  });
});

describe('identity', () => {
  it('of a reel does not depend on the grant, but on the revision', () => {
    expect(reelIdentity(OLD)).toBe('room1/reel/k/7');
    expect(reelIdentity(OLD.replace('100.aa', '300.cc'))).toBe(reelIdentity(OLD));
    expect(reelIdentity(NEW)).not.toBe(reelIdentity(OLD));
    expect(reelIdentity('/media/1.s/room1/v/x/poster.jpg')).toBeNull();
  });

  it('of a file does not depend on the grant', () => {
    expect(sameMedia('/media/1.a/r/v/x/poster.jpg', '/media/2.b/r/v/x/poster.jpg')).toBe(true);
    expect(sameMedia('/media/1.a/r/v/x/poster.jpg', '/media/1.a/r/v/y/poster.jpg')).toBe(false);
  });
});
