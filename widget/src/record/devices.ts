// Cameras, microphones and screens: what there is, how to get it, and why one does not.
import { chooseType } from '../core/recording/file';
import type { Problem, Source } from '../core/recording/model';

export interface Device {
  readonly id: string;
  readonly label: string;
}

export interface Devices {
  readonly cameras: readonly Device[];
  readonly microphones: readonly Device[];
}

/** Which camera and which microphone; null leaves the choice to the browser. */
export interface DeviceChoice {
  readonly camera: string | null;
  readonly microphone: string | null;
  /** Of a phone's cameras. */
  readonly facing: 'user' | 'environment';
}

export const ANY: DeviceChoice = { camera: null, microphone: null, facing: 'user' };

interface Policy {
  allowsFeature?: (name: string) => boolean;
}

/** What the page around us allows its frames; what the browser does not say is taken as allowed. */
function allowed(feature: string): boolean {
  const { featurePolicy, permissionsPolicy } = document as { featurePolicy?: Policy; permissionsPolicy?: Policy };
  return (permissionsPolicy ?? featurePolicy)?.allowsFeature?.(feature) ?? true;
}

/** The type of what this browser records; null when it records nothing. */
export function recordingType(): string | null {
  return typeof MediaRecorder === 'undefined' ? null : chooseType((type) => MediaRecorder.isTypeSupported(type));
}

/** Why this source cannot even be requested; null when it can. */
export function obstacle(source: Source): Problem | null {
  if (!window.isSecureContext) return 'insecure';
  if (recordingType() === null || !('mediaDevices' in navigator)) return 'unsupported';
  if (source === 'screen' && !canShareScreen()) return 'unsupported';
  return allowed(source === 'camera' ? 'camera' : 'display-capture') ? null : 'blocked';
}

/** Phones do not. */
export function canShareScreen(): boolean {
  return 'mediaDevices' in navigator && 'getDisplayMedia' in navigator.mediaDevices;
}

/** What a rejected request means. */
export function problemOf(error: unknown): Problem {
  switch (error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError':
      return 'denied';
    case 'SecurityError':
      return 'blocked';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    default:
      return 'broken';
  }
}

/** True when somebody closed the choice of screens; browsers distinguish it from a system's refusal in words alone. */
export function isCancelled(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'NotAllowedError' && !/system|policy/i.test(error.message);
}

function constraintsOf({ camera, microphone, facing }: DeviceChoice): MediaStreamConstraints {
  const size = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 60 } };
  return {
    video: { ...size, ...(camera === null ? { facingMode: facing } : { deviceId: { exact: camera } }) },
    audio: audioOf(microphone),
  };
}

function audioOf(microphone: string | null): MediaTrackConstraints {
  const clean = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  return microphone === null ? clean : { ...clean, deviceId: { exact: microphone } };
}

/** The camera with the microphone; without one where there is none. Rejects as getUserMedia does. */
export async function openCamera(choice: DeviceChoice): Promise<MediaStream> {
  const constraints = constraintsOf(choice);
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    const problem = problemOf(error);
    // Video without audio is better than none; whether the camera was missing shows now.
    if (problem === 'missing' || problem === 'busy') return navigator.mediaDevices.getUserMedia({ ...constraints, audio: false });
    throw error;
  }
}

/** A screen, window or tab, with its audio where the browser gives it. Rejects as getDisplayMedia does. */
export function openScreen(): Promise<MediaStream> {
  return navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 30, max: 60 } }, audio: true });
}

/** The microphone alone; null when there is none or it is refused: a screen can be recorded without. */
export function openMicrophone(id: string | null): Promise<MediaStream | null> {
  return navigator.mediaDevices.getUserMedia({ audio: audioOf(id) }).catch(() => null);
}

/** What there is to choose from. Devices have names only once one was allowed. */
export async function listDevices(): Promise<Devices> {
  const all = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  const of = (kind: MediaDeviceKind): Device[] =>
    all.filter((device) => device.kind === kind && device.deviceId !== '' && device.deviceId !== 'communications').map(({ deviceId, label }) => ({ id: deviceId, label }));
  return { cameras: of('videoinput'), microphones: of('audioinput') };
}

/** True for a camera that shows the person themself, who expects a mirror: all but those that say they look away. */
export function isMirror(track: MediaStreamTrack | undefined): boolean {
  const facing = track?.getSettings().facingMode;
  return facing !== 'environment' && facing !== 'left' && facing !== 'right';
}

/** True where fingers point: they turn the camera around, and drop no files. */
export function isTouched(): boolean {
  return matchMedia('(pointer: coarse)').matches;
}
