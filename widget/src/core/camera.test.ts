import { describe, expect, it } from 'vitest';
import { takenOf, type Taken } from './camera';
// The server reads the same names (`tests/unit/test_camera.py`). `when`: with a zone, or as the clock showed it, or the day, or when it was sent.
import NAMES from './camera-names.json';

const SENT = Date.UTC(2026, 10, 30, 8, 5);

function expected(when: string, screen: boolean): Taken {
  if (when === 'sent') return { date: new Date(SENT), timed: true, screen };
  const timed = when.includes('T');
  return { date: new Date(timed ? when : `${when}T12:00`), timed, screen };
}

describe('takenOf', () => {
  it.each(NAMES.filter(({ when }) => when !== null))('reads $name', ({ name, when, screen = false }) => {
    expect(takenOf(name, SENT)).toEqual(expected(when ?? '', screen));
  });

  it.each(NAMES.filter(({ when }) => when === null))('leaves what people wrote: $name', ({ name }) => {
    expect(takenOf(name, SENT)).toBeNull();
  });
});
