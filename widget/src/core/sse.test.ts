import { describe, expect, it } from 'vitest';
import { EventStreamParser } from './sse';

const STREAM = ': keep\r\n\r\nevent: changed\r\ndata: {"room_id":\r\ndata: "!r"}\r\n\r\ndata:plain\n\nevent: nothing\n\n';
const EVENTS = [
  { type: 'changed', data: '{"room_id":\n"!r"}' },
  { type: 'message', data: 'plain' },
];

describe('EventStreamParser', () => {
  it('reads events and skips comments and events without data', () => {
    expect(new EventStreamParser().push(STREAM)).toEqual(EVENTS);
  });

  it('reads the same whatever the pieces are', () => {
    for (let size = 1; size < STREAM.length; size += 1) {
      const parser = new EventStreamParser();
      const events = [];
      for (let at = 0; at < STREAM.length; at += size) events.push(...parser.push(STREAM.slice(at, at + size)));
      expect(events, `pieces of ${size}`).toEqual(EVENTS);
    }
  });

  it('keeps an unfinished event to itself', () => {
    expect(new EventStreamParser().push('event: changed\ndata: 1\n')).toEqual([]);
  });
});
