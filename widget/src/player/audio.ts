// Volume, mute, and the browser's autoplay policy, by which audio needs a gesture first.
import type { Store } from '../core/store';

export interface AudioState {
  /** 0 to 1. */
  readonly volume: number;
  readonly muted: boolean;
  /** Muted by the autoplay policy, not by the viewer: offer to unmute. */
  readonly refused: boolean;
  /** Silent for as long as the viewer is elsewhere in their client; what they set stays. */
  readonly hushed: boolean;
}

export const AUDIO: AudioState = { volume: 1, muted: false, refused: false, hushed: false };
/** The volume when somebody unmutes at zero. */
const AUDIBLE = 0.5;

export const isSilent = ({ muted, hushed }: AudioState): boolean => muted || hushed;

/** Sets an element's volume and mute. */
export function applyAudio(video: HTMLVideoElement, audio: AudioState): void {
  video.volume = audio.volume;
  video.muted = isSilent(audio);
}

export function withVolume(volume: number): Partial<AudioState> {
  const clamped = Math.min(1, Math.max(0, volume));
  return { volume: clamped, muted: clamped === 0, refused: false, hushed: false };
}

export function withMuted(muted: boolean, { volume }: AudioState): Partial<AudioState> {
  return { muted, refused: false, hushed: false, volume: !muted && volume === 0 ? AUDIBLE : volume };
}

/** Plays with audio, or muted where the autoplay policy refuses that. False when it may not play at all. */
export async function playWithAudio(video: HTMLVideoElement, audio: Store<AudioState>): Promise<boolean> {
  try {
    await video.play();
    return true;
  } catch (error) {
    // Paused or given another source in the meantime: that was wanted.
    if (!(error instanceof DOMException) || error.name !== 'NotAllowedError') return true;
    if (video.muted) return false;
  }
  audio.patch({ muted: true, refused: true });
  applyAudio(video, audio.get());
  return video.play().then(() => true, () => false);
}
