// One sound track out of several: a recorder takes a single one.

/** A track that carries all of `tracks`, and the way to end it; null when there is none. */
export function mix(tracks: readonly MediaStreamTrack[]): { readonly track: MediaStreamTrack; readonly close: () => void } | null {
  const [first, ...others] = tracks;
  if (first === undefined) return null;
  if (others.length === 0) return { track: first, close: () => undefined };
  const context = new AudioContext();
  const mixed = context.createMediaStreamDestination();
  for (const track of tracks) context.createMediaStreamSource(new MediaStream([track])).connect(mixed);
  const [track = first] = mixed.stream.getAudioTracks();
  return { track, close: () => void context.close() };
}
