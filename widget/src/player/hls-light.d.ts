// The light build has no types of its own: it is the full one without subtitles, alternate audio, SAMPLE-AES and DRM, which reels have none of. AES-128 it decrypts.
declare module 'hls.js/light' {
  export * from 'hls.js';
  export { default } from 'hls.js';
}
