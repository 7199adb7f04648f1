import { describe, expect, it } from 'vitest';
import type { Schedule } from './model';
import { channelAt } from './schedule';

const START = 1_700_000_000_000;
const LIST: Schedule = { startsAt: START, items: [{ id: 'a', duration: 4 }, { id: 'b', duration: 2.5 }], before: { id: 'c', duration: 10 }, until: null };

describe('channelAt', () => {
  it('loops for ever', () => {
    for (const [after, videoId, offset] of [[0, 'a', 0], [3.999, 'a', 3.999], [4, 'b', 0], [6.4, 'b', 2.4], [6.5, 'a', 0], [65_001, 'a', 1]] as const) {
      const position = channelAt(LIST, START + after * 1000);
      expect(position?.videoId).toBe(videoId);
      expect(position?.offset).toBeCloseTo(offset, 6);
    }
  });

  it('shows the end of what comes before', () => {
    expect(channelAt(LIST, START - 1500)).toEqual({ videoId: 'c', offset: 8.5 });
    expect(channelAt(LIST, START - 60_000)).toEqual({ videoId: 'c', offset: 0 });
    expect(channelAt({ ...LIST, before: null, until: null }, START - 10)).toEqual({ videoId: 'a', offset: 0 });
  });

  it('never jumps, not even where the list begins', () => {
    let before = channelAt(LIST, START - 5000);
    for (let now = START - 5000; now < START + 20_000; now += 10) {
      const position = channelAt(LIST, now);
      const same = position?.videoId === before?.videoId;
      if (same) expect((position?.offset ?? 0) - (before?.offset ?? 0)).toBeLessThan(0.0101);
      else expect(position?.offset).toBeLessThan(0.0101);
      before = position;
    }
  });

  it('is empty where nothing lasts', () => {
    expect(channelAt({ startsAt: START, items: [], before: null, until: null }, START)).toBeNull();
    expect(channelAt({ startsAt: START, items: [], before: null, until: null }, START - 1)).toBeNull();
    expect(channelAt({ startsAt: START, items: [{ id: 'a', duration: 0 }], before: null, until: null }, START + 5)).toBeNull();
  });
});
