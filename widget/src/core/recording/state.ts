// The steps that a person goes through to record or choose a video and send it, as a reducer.
import type { AudioLoss } from '../model';
import { problemWith } from './file';
import { NOTHING, type Failure, type Limits, type Phase, type Problem, type Recording, type Source, type Step, type Take, type Trim } from './model';
import { isKept } from './status';
import { shortened, trimmed } from './trim';

export type Action =
  | { readonly type: 'limits'; readonly limits: Limits }
  | { readonly type: 'open'; readonly source: Source }
  | { readonly type: 'problem'; readonly problem: Problem | null }
  | { readonly type: 'live' }
  | { readonly type: 'count'; readonly left: number }
  | { readonly type: 'begin'; readonly name: string; readonly mimetype: string }
  | { readonly type: 'recorded'; readonly size: number; readonly duration: number }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'stopped'; readonly duration: number }
  | { readonly type: 'chose'; readonly name: string; readonly mimetype: string; readonly size: number }
  | { readonly type: 'measured'; readonly duration: number }
  | { readonly type: 'trim'; readonly edge: keyof Trim; readonly at: number }
  | { readonly type: 'caption'; readonly text: string }
  | { readonly type: 'uploaded'; readonly bytes: number }
  | { readonly type: 'link'; readonly lost: boolean; readonly busy?: boolean }
  | { readonly type: 'announced' }
  | { readonly type: 'send' }
  | { readonly type: 'step'; readonly step: Step }
  | { readonly type: 'percent'; readonly percent: number | null }
  | { readonly type: 'failed'; readonly failure: Failure }
  | { readonly type: 'edit' }
  | { readonly type: 'posted'; readonly eventId: string; readonly audioLeftOut: AudioLoss | null }
  | { readonly type: 'close' }
  | { readonly type: 'discard' };

/** From which phases an action makes sense; elsewhere it comes too late or too early and changes nothing. */
const FROM: Partial<Record<Action['type'], readonly Phase[]>> = {
  open: ['choosing', 'opening', 'live', 'sent'],
  live: ['opening', 'live', 'counting'],
  count: ['live', 'counting'],
  begin: ['live', 'counting'],
  recorded: ['recording', 'paused'],
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
    case 'recorded':
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
    case 'announced':
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
