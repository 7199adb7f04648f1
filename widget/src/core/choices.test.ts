import { describe, expect, it } from 'vitest';
import { levelFor, speedBeside } from './choices';

describe('speedBeside', () => {
  it('goes through the speeds and stays at the ends', () => {
    expect([speedBeside(1, 1), speedBeside(1, -1), speedBeside(2, 1), speedBeside(0.5, -1), speedBeside(1.1, 1)]).toEqual([1.25, 0.75, 2, 0.5, 1.25]);
  });
});

describe('levelFor', () => {
  it('takes the best that is not above the wish', () => {
    expect([levelFor([1080, 720, 360], 720), levelFor([1080, 480], 720), levelFor([1080], 360), levelFor([], 360)]).toEqual([720, 480, 1080, null]);
  });
});
