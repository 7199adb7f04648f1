import { describe, expect, it } from 'vitest';
import { UploadBuffer } from './upload-buffer';

function spoolOf(...pieces: string[]): UploadBuffer {
  const buffer = new UploadBuffer('video/webm');
  for (const piece of pieces) buffer.push(new Blob([piece]));
  return buffer;
}

describe('a buffer', () => {
  it('is read from any place, over the seams of its pieces', async () => {
    const buffer = spoolOf('abc', 'de', 'fghi');
    const read = async (offset: number, most: number): Promise<string> => (await buffer.read(offset, most)).text();
    expect([await read(0, 99), await read(1, 3), await read(3, 1), await read(4, 3), await read(8, 5)]).toEqual(['abcdefghi', 'bcd', 'd', 'efg', 'i']);
    expect(buffer.size).toBe(9);
    expect(await buffer.whole().text()).toBe('abcdefghi');
    expect(buffer.whole().type).toBe('video/webm');
  });

  it('lets its reader wait for what comes', async () => {
    const buffer = spoolOf('abc');
    const waiting = buffer.read(3, 10).then((piece) => piece.text());
    buffer.push(new Blob(['de']));
    expect(await waiting).toBe('de');
  });

  it('lets its reader go at the end', async () => {
    const buffer = spoolOf('abc');
    const waiting = buffer.read(3, 10);
    buffer.end();
    expect((await waiting).size).toBe(0);
    expect(buffer.ended).toBe(true);
  });
});
