// Volume, mute, and the browser's rule that sound needs a gesture first.
import type { Store } from '../core/store';

export interface Sound {
  /** 0 to 1. */
  readonly volume: number;
  readonly muted: boolean;
  /** Muted by the browser's rule, not by the viewer: offer to unmute. */
  readonly refused: boolean;
  /** Silent for as long as the viewer is elsewhere in their client; what they set stays. */
  readonly hushed: boolean;
}

export const SOUND: Sound = { volume: 1, muted: false, refused: false, hushed: false };
/** What is heard when somebody unmutes at volume zero. */
const AUDIBLE = 0.5;

export const isSilent = ({ muted, hushed }: Sound): boolean => muted || hushed;

/** Brings an element to the wanted sound. */
export function applySound(video: HTMLVideoElement, sound: Sound): void {
  video.volume = sound.volume;
  video.muted = isSilent(sound);
}

export function withVolume(volume: number): Partial<Sound> {
  const clamped = Math.min(1, Math.max(0, volume));
  return { volume: clamped, muted: clamped === 0, refused: false, hushed: false };
}

export function withMuted(muted: boolean, { volume }: Sound): Partial<Sound> {
  return { muted, refused: false, hushed: false, volume: !muted && volume === 0 ? AUDIBLE : volume };
}

/** Plays with sound, or muted where the browser refuses sound. False when it may not play at all. */
export async function playAloud(video: HTMLVideoElement, sound: Store<Sound>): Promise<boolean> {
  try {
    await video.play();
    return true;
  } catch (error) {
    // Paused or given another source in the meantime: that was wanted.
    if (!(error instanceof DOMException) || error.name !== 'NotAllowedError') return true;
    if (video.muted) return false;
  }
  sound.patch({ muted: true, refused: true });
  applySound(video, sound.get());
  return video.play().then(() => true, () => false);
}
