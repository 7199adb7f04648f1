import { describe, expect, it } from 'vitest';
import { tileAt, tilesOf } from './storyboard';
import { cuesOf } from './webvtt';

const FILE = `WEBVTT

00:00:00.000 --> 00:00:01.000
storyboard.jpg#xywh=0,0,160,90

00:00:01.000 --> 00:00:02.500
storyboard.jpg#xywh=160,0,160,90
`;

describe('cuesOf', () => {
  it('reads times with and without hours, identifiers, settings and several lines', () => {
    const file = '\uFEFFWEBVTT - a title\r\n\r\nNOTE nothing\r\n\r\nSTYLE\r\n::cue { color: red }\r\n\r\nfirst\r\n00:01.500 --> 01:00:02.000 line:10% align:start\r\n<v Ann>Hello\r\nyou\r\n';
    expect(cuesOf(file)).toEqual([{ start: 1.5, end: 3602, text: '<v Ann>Hello\nyou', settings: new Map([['line', '10%'], ['align', 'start']]) }]);
  });

  it('leaves out what is malformed', () => {
    expect(cuesOf('')).toEqual([]);
    expect(cuesOf('<!doctype html>\n\n--> -->\n\n00:01.000 --> 00:01.000\nno time\n\n99:99.000 --> 00:02.000\nx\n\n00:01.000 --> 00:02.000\n')).toEqual([]);
  });
});

describe('a storyboard', () => {
  it('names the part of the image for each time', () => {
    const tiles = tilesOf(FILE);
    expect(tiles).toHaveLength(2);
    expect(tileAt(tiles, 0.99)).toEqual({ start: 0, image: 'storyboard.jpg', x: 0, y: 0, width: 160, height: 90 });
    expect([tileAt(tiles, 1)?.x, tileAt(tiles, 99)?.x, tileAt(tiles, -1)?.x]).toEqual([160, 160, 0]);
  });

  it('is none where the cues name no image', () => {
    expect(tilesOf('WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n\n00:00.000 --> 00:01.000\na.jpg#xywh=0,0,0,90')).toEqual([]);
    expect(tileAt([], 1)).toBeNull();
  });
});
