// Parses renditions (their files in order) with GPAC's mp4box.js and playlists (texts) with video.js' m3u8-parser, both
// given as JSON on standard input; writes every complaint and the parsed values as JSON.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../../widget/package.json', import.meta.url));
const { Log, MP4BoxBuffer, createFile } = require('mp4box');
const { Parser } = require('m3u8-parser');

const complaints = [];
console.warn = console.error = (...words) => complaints.push(words.join(' '));
Log.setLogLevel(Log.warn);

function rendition(paths) {
  const file = createFile(true);
  file.onError = (where, what) => complaints.push(`${where}: ${what}`);
  let position = 0;
  const samples = {};
  file.onReady = (info) => {
    for (const { id } of info.tracks) {
      samples[id] = 0;
      file.setExtractionOptions(id, null, { nbSamples: 1 });
    }
    file.start();
  };
  file.onSamples = (id, _, found) => (samples[id] += found.length);
  for (const path of paths) {
    const data = MP4BoxBuffer.fromArrayBuffer(new Uint8Array(readFileSync(path)).buffer, position);
    position += data.byteLength;
    file.appendBuffer(data);
  }
  file.flush();
  const { isFragmented, tracks } = file.getInfo();
  return {
    fragmented: isFragmented,
    tracks: tracks.map(({ id, codec, timescale, samples_duration: ticks }) => ({ codec, timescale, ticks, samples: samples[id] })),
  };
}

function playlist(text) {
  const parser = new Parser();
  parser.on('warn', ({ message }) => complaints.push(message));
  parser.on('error', ({ message }) => complaints.push(message));
  parser.push(text);
  parser.end();
  return parser.manifest;
}

const { renditions, playlists } = JSON.parse(readFileSync(0, 'utf8'));
const attempt = (read) => (given) => {
  try {
    return read(given);
  } catch (error) {
    complaints.push(String(error));
    return null;
  }
};
const parsed = { renditions: renditions.map(attempt(rendition)), playlists: playlists.map(attempt(playlist)) };
process.stdout.write(JSON.stringify({ complaints, ...parsed }));
