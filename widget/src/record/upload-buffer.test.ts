import { describe, expect, it } from 'vitest';
import { Spool } from './upload-buffer';

function spoolOf(...pieces: string[]): Spool {
  const spool = new Spool('video/webm');
  for (const piece of pieces) spool.push(new Blob([piece]));
  return spool;
}

describe('a spool', () => {
  it('is read from any place, over the seams of its pieces', async () => {
    const spool = spoolOf('abc', 'de', 'fghi');
    const read = async (offset: number, most: number): Promise<string> => (await spool.read(offset, most)).text();
    expect([await read(0, 99), await read(1, 3), await read(3, 1), await read(4, 3), await read(8, 5)]).toEqual(['abcdefghi', 'bcd', 'd', 'efg', 'i']);
    expect(spool.size).toBe(9);
    expect(await spool.whole().text()).toBe('abcdefghi');
    expect(spool.whole().type).toBe('video/webm');
  });

  it('lets its reader wait for what comes', async () => {
    const spool = spoolOf('abc');
    const waiting = spool.read(3, 10).then((piece) => piece.text());
    spool.push(new Blob(['de']));
    expect(await waiting).toBe('de');
  });

  it('lets its reader go at the end', async () => {
    const spool = spoolOf('abc');
    const waiting = spool.read(3, 10);
    spool.end();
    expect((await waiting).size).toBe(0);
    expect(spool.ended).toBe(true);
  });
});
