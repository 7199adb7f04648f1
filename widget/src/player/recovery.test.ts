import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Recovery } from './recovery';

describe('a recovery', () => {
  const reopen = vi.fn();

  beforeEach(() => {
    vi.useFakeTimers();
    reopen.mockReset();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('fetches a newer URL at once, the first time', () => {
    const recovery = new Recovery();
    expect([recovery.schedule('stale', reopen), recovery.schedule('stale', reopen) > 0]).toEqual([0, true]);
    expect(new Recovery().schedule('network', reopen)).toBeGreaterThan(0);
  });

  it('opens once after several failures, later each time', () => {
    const recovery = new Recovery();
    const waits = Array.from({ length: 4 }, () => recovery.schedule('network', reopen));
    expect((waits[3] ?? 0) > (waits[0] ?? 0)).toBe(true);
    vi.runAllTimers();
    expect(reopen).toHaveBeenCalledOnce();
  });

  it('counts anew once it has played for a while, not before', () => {
    const recovery = new Recovery();
    recovery.schedule('stale', reopen);
    recovery.playFrom(10);
    recovery.playedTo(12);
    expect(recovery.schedule('stale', reopen)).toBeGreaterThan(0);
    recovery.playedTo(14);
    expect(recovery.schedule('stale', reopen)).toBe(0);
  });

  it('does nothing once it was cancelled', () => {
    const recovery = new Recovery();
    recovery.schedule('network', reopen);
    recovery.cancel();
    vi.runAllTimers();
    expect(reopen).not.toHaveBeenCalled();
  });
});
