// Files and their types: what can be sent, and what a browser records.
import type { Limits, Problem, Take } from './model';

/** Endings of files that browsers often know no type of. */
const VIDEO_NAME = /\.(mp4|m4v|mov|webm|mkv|avi|ogv|3gp|ts|m2ts|mpe?g|flv|wmv)$/i;

/** True for what may be a video by its name and MIME type; the server looks inside. */
export function isVideo(name: string, type: string): boolean {
  return type.startsWith('video/') || (!/^(image|audio|text)\//.test(type) && VIDEO_NAME.test(name));
}

/** Why a file cannot be sent; null when it can. */
export function problemWith({ name, type, size }: Take, limits: Limits): Problem | null {
  if (!isVideo(name, type)) return 'not-a-video';
  if (size === 0) return 'empty';
  return limits.size !== null && size > limits.size ? 'too-large' : null;
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
export function extensionOf(type: string): string {
  return /^video\/mp4\b/.test(type) ? 'mp4' : type.includes('matroska') ? 'mkv' : 'webm';
}
