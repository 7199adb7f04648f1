// What the server made of an upload, and the message that it becomes.
import { AUDIO_LOSSES, asObject, DecodeError } from '../decode';
import type { AudioLoss } from '../model';

/** The server's word on an upload. */
export interface Prepared {
  readonly state: 'uploading' | 'preparing' | 'ready' | 'failed';
  readonly percent: number | null;
  /** A code of the catalogue's `failure-…` messages. */
  readonly failure: string | null;
  /** Of the message, an `m.video`; there once it is ready. */
  readonly content: Readonly<Record<string, unknown>> | null;
  readonly audioLeftOut: AudioLoss | null;
}

const STATES: readonly Prepared['state'][] = ['uploading', 'preparing', 'ready', 'failed'];

/** The response of `GET /api/v1/uploads/{id}`. Throws DecodeError. */
export function decodePrepared(value: unknown): Prepared {
  const json = asObject(value, 'upload');
  const state = STATES.find((candidate) => candidate === json.state);
  if (state === undefined) throw new DecodeError('upload.state: not a known state');
  const content = json.content == null ? null : asObject(json.content, 'upload.content');
  if (state === 'ready' && (content === null || mediaUrl(content) === null)) throw new DecodeError('upload.content: names no file');
  const failure = json.failure == null ? null : asObject(json.failure, 'upload.failure').code;
  return {
    state,
    percent: typeof json.percent === 'number' ? Math.min(100, Math.max(0, json.percent)) : null,
    failure: typeof failure === 'string' ? failure : null,
    content,
    audioLeftOut: AUDIO_LOSSES.find((loss) => loss === json.audio_left_out) ?? null,
  };
}

/** Where the file of a message is; in an encrypted room its description has it. Null for a message without one. */
export function mediaUrl(content: Readonly<Record<string, unknown>>): string | null {
  const { file } = content;
  const url = typeof file === 'object' && file !== null && 'url' in file ? file.url : content.url;
  return typeof url === 'string' ? url : null;
}

/** The message with the sender's words: beside a `filename`, the `body` is the caption (Matrix 1.10, MSC2530). */
export function withCaption(content: Readonly<Record<string, unknown>>, caption: string): Readonly<Record<string, unknown>> {
  const words = caption.trim();
  const filename = content.filename ?? content.body;
  return { ...content, filename, body: words === '' ? filename : words };
}
