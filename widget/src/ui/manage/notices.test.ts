import { describe, expect, it, vi } from 'vitest';
import { aVideo } from '../../core/samples';
import { Notices, textOf } from './notices';

const until = 1_000;

describe('notices', () => {
  it('keep the two latest, and say each', () => {
    const notices = new Notices();
    for (const id of ['a', 'b', 'c']) notices.add({ kind: 'done', message: { id }, until });
    expect([notices.toasts.get().map(({ message }) => message.id), notices.status.get()?.id]).toEqual([['b', 'c'], 'c']);
  });

  it('undo the latest that can be undone, once', () => {
    const notices = new Notices();
    const [first, second] = [vi.fn(), vi.fn()];
    notices.add({ kind: 'deleted', message: { id: 'a' }, until, undo: first });
    notices.add({ kind: 'deleted', message: { id: 'b' }, until, undo: second });
    expect([notices.undoLatest(), notices.undoLatest(), notices.undoLatest()]).toEqual([true, true, false]);
    expect([first.mock.calls.length, second.mock.calls.length]).toEqual([1, 1]);
  });

  it('stay as long as the server waits', () => {
    const notices = new Notices();
    const id = notices.add({ kind: 'deleted', message: { id: 'a' }, until });
    notices.keepUntil(id, 2_000);
    expect(notices.toasts.get()[0]?.until).toBe(2_000);
    notices.close(id);
    expect(notices.toasts.get()).toEqual([]);
  });

  it('are put into words where they show', () => {
    const t = (id: string, values?: object): string => `${id} ${JSON.stringify(values)}`;
    expect(textOf({ id: 'moved', values: { place: 2 }, video: aVideo('a', 'ready', { title: 'cat_1.mp4' }) }, t)).toBe('moved {"place":2,"title":"cat 1"}');
  });
});
