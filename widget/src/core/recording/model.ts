// What a recording, or a chosen file, is on its way to the room.
import type { AudioLoss } from '../model';

export type Source = 'camera' | 'screen';

/** Why there is nothing to record, or no use for a file. Each has its words and way out (`widget-record-problem-…`). */
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
  /** Seconds; null until it is known. */
  readonly duration: number | null;
}

/** Seconds of the take. */
export interface Trim {
  readonly start: number;
  readonly end: number;
}

/** What the server takes, in this room: seconds and bytes; null where it does not say. */
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
  /** The server cannot be reached at present; it is retried. */
  readonly lost: boolean;
  /** It responds, with Retry-After. */
  readonly busy: boolean;
  /** The connection was lost and is there again. */
  readonly resumed: boolean;
  readonly step: Step;
  /** 0 to 100, of the server's work; null while it is not known. */
  readonly percent: number | null;
  readonly failure: Failure | null;
  /** The message in the room. */
  readonly eventId: string | null;
  /** Of what was sent, why not all of its audio is heard, or none. */
  readonly audioLeftOut: AudioLoss | null;
  readonly limits: Limits;
}

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
