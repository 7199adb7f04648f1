// Recording or choosing a video and sending it: the steps that a person goes through, and what each may lead to.
import { AUDIO_LOSSES, asObject, DecodeError } from './decode';
import type { AudioLoss } from './model';

export type Source = 'camera' | 'screen';

/** Why there is no picture to record, or no use for a file. Each has its words and way out (`widget-record-problem-…`). */
export type Problem =
  | 'denied' | 'blocked' | 'missing' | 'busy' | 'insecure' | 'unsupported' | 'broken'
  | 'not-a-video' | 'empty' | 'too-large' | 'nothing' | 'kept' | 'permission';

export type Phase = 'choosing' | 'opening' | 'live' | 'counting' | 'recording' | 'paused' | 'review' | 'sending' | 'sent';

/** Sending is an upload, the server's work on it, and a message to the room. */
export type Step = 'upload' | 'prepare' | 'post';

export interface Failure {
  readonly step: Step;
  /** Of `prepare` a code of the catalogue's `failure-…` messages, of the others one of `widget-record-failed-…`. */
  readonly code: string;
}

/** What was recorded or chosen. */
export interface Take {
  readonly source: Source | 'file';
  readonly name: string;
  /** MIME type, perhaps with codecs. */
  readonly type: string;
  /** Bytes, so far. */
  readonly size: number;
  /** Seconds; null until somebody can tell. */
  readonly duration: number | null;
}

/** Seconds of the take. */
export interface Trim {
  readonly start: number;
  readonly end: number;
}

/** What the server takes, in this room: seconds and bytes; null where it does not tell. */
export interface Limits {
  readonly duration: number | null;
  readonly size: number | null;
}

export interface Recording {
  readonly phase: Phase;
  readonly problem: Problem | null;
  readonly source: Source;
  /** Seconds until it begins. */
  readonly countdown: number;
  readonly take: Take | null;
  readonly trim: Trim | null;
  readonly caption: string;
  /** Bytes that the server has. */
  readonly uploaded: number;
  /** The server cannot be reached at the moment; it goes on by itself. */
  readonly lost: boolean;
  /** It is there, and asked us to wait. */
  readonly busy: boolean;
  /** The connection was lost and is there again. */
  readonly resumed: boolean;
  readonly step: Step;
  /** 0 to 100, of the server's work; null while nobody can tell. */
  readonly percent: number | null;
  readonly failure: Failure | null;
  /** The message in the room. */
  readonly eventId: string | null;
  /** Of what was sent, why not all of its audio is heard, or none. */
  readonly audioLeftOut: AudioLoss | null;
  readonly limits: Limits;
}

export type Action =
  | { readonly type: 'limits'; readonly limits: Limits }
  | { readonly type: 'open'; readonly source: Source }
  | { readonly type: 'problem'; readonly problem: Problem | null }
  | { readonly type: 'live' }
  | { readonly type: 'count'; readonly left: number }
  | { readonly type: 'begin'; readonly name: string; readonly mimetype: string }
  | { readonly type: 'grew'; readonly size: number; readonly duration: number }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'stopped'; readonly duration: number }
  | { readonly type: 'chose'; readonly name: string; readonly mimetype: string; readonly size: number }
  | { readonly type: 'measured'; readonly duration: number }
  | { readonly type: 'trim'; readonly edge: keyof Trim; readonly at: number }
  | { readonly type: 'caption'; readonly text: string }
  | { readonly type: 'uploaded'; readonly bytes: number }
  | { readonly type: 'link'; readonly lost: boolean; readonly busy?: boolean }
  | { readonly type: 'told' }
  | { readonly type: 'send' }
  | { readonly type: 'step'; readonly step: Step }
  | { readonly type: 'percent'; readonly percent: number | null }
  | { readonly type: 'failed'; readonly failure: Failure }
  | { readonly type: 'edit' }
  | { readonly type: 'posted'; readonly eventId: string; readonly audioLeftOut: AudioLoss | null }
  | { readonly type: 'close' }
  | { readonly type: 'discard' };

/** Seconds that a trimmed video lasts at least. */
export const SHORTEST = 0.5;

export const NOTHING: Recording = {
  phase: 'choosing',
  problem: null,
  source: 'camera',
  countdown: 0,
  take: null,
  trim: null,
  caption: '',
  uploaded: 0,
  lost: false,
  busy: false,
  resumed: false,
  step: 'upload',
  percent: null,
  failure: null,
  eventId: null,
  audioLeftOut: null,
  limits: { duration: null, size: null },
};

/** From which phases an action makes sense; elsewhere it comes too late or too early and changes nothing. */
const FROM: Partial<Record<Action['type'], readonly Phase[]>> = {
  open: ['choosing', 'opening', 'live', 'sent'],
  live: ['opening', 'live', 'counting'],
  count: ['live', 'counting'],
  begin: ['live', 'counting'],
  grew: ['recording', 'paused'],
  pause: ['recording'],
  resume: ['paused'],
  stopped: ['recording', 'paused'],
  chose: ['choosing', 'opening', 'live', 'review', 'sent'],
  measured: ['review'],
  trim: ['review'],
  send: ['review', 'sending'],
  step: ['sending'],
  percent: ['sending'],
  posted: ['sending'],
  edit: ['sending'],
};

/** The next state; pure. */
export function reduce(state: Recording, action: Action): Recording {
  return FROM[action.type]?.includes(state.phase) === false ? state : next(state, action);
}

function next(state: Recording, action: Action): Recording {
  const empty = { ...NOTHING, limits: state.limits };
  switch (action.type) {
    case 'limits':
      return { ...state, limits: action.limits, trim: state.trim && shortened(state.trim, action.limits) };
    case 'open':
      return { ...empty, phase: 'opening', source: action.source };
    case 'problem':
      return withProblem(state, action.problem);
    case 'live':
      return { ...state, phase: 'live', problem: null, countdown: 0 };
    case 'count':
      return { ...state, phase: 'counting', countdown: action.left };
    case 'begin':
      return { ...empty, phase: 'recording', source: state.source, take: { source: state.source, name: action.name, type: action.mimetype, size: 0, duration: 0 } };
    case 'grew':
      return { ...state, take: state.take && { ...state.take, size: action.size, duration: action.duration } };
    case 'pause':
      return { ...state, phase: 'paused' };
    case 'resume':
      return { ...state, phase: 'recording' };
    case 'stopped':
      return stopped(state, action.duration);
    case 'chose':
      return chosen(state, { source: 'file', name: action.name, type: action.mimetype, size: action.size, duration: null });
    case 'measured':
      return { ...state, take: state.take && { ...state.take, duration: action.duration }, trim: state.trim ?? shortened({ start: 0, end: action.duration }, state.limits) };
    case 'trim':
      return { ...state, trim: trimmed(state, action.edge, action.at) };
    case 'caption':
      return { ...state, caption: action.text };
    case 'uploaded':
      return { ...state, uploaded: action.bytes };
    case 'link':
      return { ...state, lost: action.lost, busy: action.busy === true, resumed: !action.lost && (state.resumed || (state.lost && !state.busy)) };
    case 'told':
      return { ...state, resumed: false };
    case 'send':
      return { ...state, phase: 'sending', step: 'upload', percent: null, failure: null, problem: null };
    case 'step':
      return { ...state, step: action.step, percent: null };
    case 'percent':
      return { ...state, percent: action.percent };
    case 'failed':
      return { ...state, failure: action.failure };
    case 'edit':
      return { ...state, phase: 'review', failure: null };
    case 'posted':
      return { ...empty, phase: 'sent', take: state.take, eventId: action.eventId, audioLeftOut: action.audioLeftOut };
    case 'close':
      return isKept(state) ? state : { ...empty, problem: null };
    case 'discard':
      return empty;
  }
}

/** A problem ends what was being opened; what is recorded already stays. */
function withProblem(state: Recording, problem: Problem | null): Recording {
  const opening = state.phase === 'opening' || state.phase === 'live' || state.phase === 'counting';
  return { ...state, problem, phase: opening && problem !== null ? 'choosing' : state.phase };
}

function stopped(state: Recording, duration: number): Recording {
  if (state.take === null || state.take.size === 0) return { ...NOTHING, limits: state.limits, problem: 'nothing' };
  return { ...state, phase: 'review', take: { ...state.take, duration }, trim: shortened({ start: 0, end: duration }, state.limits) };
}

function chosen(state: Recording, take: Take): Recording {
  const problem = problemWith(take, state.limits);
  if (problem !== null) return { ...state, problem, phase: state.phase === 'review' ? 'review' : 'choosing' };
  return { ...NOTHING, limits: state.limits, phase: 'review', take };
}

/** Endings of files that browsers often know no type of. */
const VIDEO_NAME = /\.(mp4|m4v|mov|webm|mkv|avi|ogv|3gp|ts|m2ts|mpe?g|flv|wmv)$/i;

/** True for what may be a video by its name and MIME type; the server looks inside. */
export function isVideo(name: string, type: string): boolean {
  return type.startsWith('video/') || (!/^(image|audio|text)\//.test(type) && VIDEO_NAME.test(name));
}

function problemWith({ name, type, size }: Take, limits: Limits): Problem | null {
  if (!isVideo(name, type)) return 'not-a-video';
  if (size === 0) return 'empty';
  return limits.size !== null && size > limits.size ? 'too-large' : null;
}

/** As much of a part, from its beginning on, as the server takes. */
function shortened({ start, end }: Trim, { duration }: Limits): Trim {
  return { start, end: Math.min(end, start + (duration ?? Infinity)) };
}

/** True for what plays longer than the server takes: a part of it can be sent. */
export function isTooLong({ take, limits }: Recording): boolean {
  return limits.duration !== null && (take?.duration ?? 0) > limits.duration;
}

/** Moves an end; the other one comes along where the part would be too long. */
function trimmed({ take, trim, limits }: Recording, edge: keyof Trim, at: number): Trim | null {
  const duration = take?.duration ?? null;
  if (trim === null || duration === null || !Number.isFinite(at)) return trim;
  const least = Math.min(SHORTEST, duration);
  const most = limits.duration ?? Infinity;
  if (edge === 'start') {
    const start = Math.max(0, Math.min(at, trim.end - least));
    return shortened({ ...trim, start }, limits);
  }
  const end = Math.min(duration, Math.max(at, trim.start + least));
  return { start: Math.max(trim.start, end - most), end };
}

/** Seconds of slack within which an end counts as untouched: sliders move in steps. */
const SLACK = 0.05;

/** Seconds by which a recorder's clock and the file that it writes may differ. */
const DRIFT = 1;

/** True for what somebody cut themselves, beyond what the limit asks for. */
function isCut({ take, trim, limits }: Recording): boolean {
  if (trim === null || take?.duration == null) return false;
  return trim.start > SLACK || trim.end < shortened({ start: 0, end: take.duration }, limits).end - SLACK;
}

/** The part to keep as the server is told; null when all of it is. */
export function partOf({ take, trim, limits }: Recording): Partial<Trim> | null {
  if (trim === null || take?.duration == null) return null;
  // Close to the limit the end is told in any case: by the server's measure there may be more.
  const bound = (limits.duration ?? Infinity) - (take.source === 'file' ? 0 : DRIFT);
  const start = trim.start > SLACK ? { start: trim.start } : {};
  const end = trim.end < take.duration - SLACK || take.duration > bound ? { end: trim.end } : {};
  const part = { ...start, ...end };
  return Object.keys(part).length === 0 ? null : part;
}

/** What the server is to do with the upload: a file that is sent as it is need not be converted, a recording is for browsers alone. */
export function wishOf(state: Recording): Partial<Trim> & { readonly convert: boolean } {
  const part = partOf(state);
  return { ...part, convert: part !== null || state.take?.source !== 'file' };
}

/** True while there is something that must not go when the view is closed. */
export function isKept({ phase }: Recording): boolean {
  return phase === 'recording' || phase === 'paused' || phase === 'review' || phase === 'sending';
}

/** True when discarding would lose what cannot be had again: a recording, or somebody's words and cuts. */
export function wouldLose(state: Recording): boolean {
  if (!isKept(state) || state.take === null) return false;
  return state.take.source !== 'file' || state.caption.trim() !== '' || isCut(state);
}

/** What the closed view's button hints at. */
export type Mark = 'recording' | 'draft' | 'sending' | 'failed';

export function markOf({ phase, failure }: Recording): Mark | null {
  if (phase === 'recording' || phase === 'paused') return 'recording';
  if (phase === 'review') return 'draft';
  if (phase !== 'sending') return null;
  return failure === null ? 'sending' : 'failed';
}

/** Percent of the present step; null while nobody can tell. */
export function percentOf({ step, percent, take, uploaded }: Recording): number | null {
  if (step !== 'upload') return percent;
  return take === null || take.size === 0 ? null : Math.min(100, (uploaded / take.size) * 100);
}

/** Bytes that a recorder may still write after it was told to stop. */
const LAST_BYTES = 4_000_000;

/** True when a running recording has what the server takes at most. */
export function isFull({ take, limits }: Recording): boolean {
  if (take === null) return false;
  const long = limits.duration !== null && (take.duration ?? 0) >= limits.duration;
  return long || (limits.size !== null && take.size >= limits.size - LAST_BYTES);
}

/** In the order of preference: what most players play comes first and is quickly made ready; WebM is what all others record. */
const TYPES = [
  'video/mp4;codecs=avc1.640028,mp4a.40.2',
  'video/mp4;codecs=avc1.42E01F,mp4a.40.2',
  'video/mp4;codecs=avc1,opus',
  'video/webm;codecs=h264,opus',
  'video/webm;codecs=vp9,opus',
  'video/webm;codecs=vp8,opus',
  'video/webm',
  'video/mp4',
] as const;

/** The first type that the browser records; null when it records none of them. */
export function chooseType(isSupported: (type: string) => boolean): string | null {
  return TYPES.find((type) => isSupported(type)) ?? null;
}

/** `mp4` for `video/mp4;codecs=…`. */
export function endingOf(type: string): string {
  return /^video\/mp4\b/.test(type) ? 'mp4' : type.includes('matroska') ? 'mkv' : 'webm';
}

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

/** The answer of `GET /api/v1/uploads/{id}`. Throws DecodeError. */
export function decodePrepared(value: unknown): Prepared {
  const json = asObject(value, 'upload');
  const state = STATES.find((candidate) => candidate === json.state);
  if (state === undefined) throw new DecodeError('upload.state: not a known state');
  const content = json.content == null ? null : asObject(json.content, 'upload.content');
  if (state === 'ready' && typeof content?.url !== 'string') throw new DecodeError('upload.content.url: not a text');
  const failure = json.failure == null ? null : asObject(json.failure, 'upload.failure').code;
  return {
    state,
    percent: typeof json.percent === 'number' ? Math.min(100, Math.max(0, json.percent)) : null,
    failure: typeof failure === 'string' ? failure : null,
    content,
    audioLeftOut: AUDIO_LOSSES.find((loss) => loss === json.audio_left_out) ?? null,
  };
}

/** The message with the sender's words: beside a `filename`, the `body` is the caption (Matrix 1.10, MSC2530). */
export function withCaption(content: Readonly<Record<string, unknown>>, caption: string): Readonly<Record<string, unknown>> {
  const words = caption.trim();
  const filename = content.filename ?? content.body;
  return { ...content, filename, body: words === '' ? filename : words };
}
