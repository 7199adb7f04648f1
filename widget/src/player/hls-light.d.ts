// The light build has no types of its own: it is the full one without subtitles, alternate audio and encryption, which reels have none of.
declare module 'hls.js/light' {
  export * from 'hls.js';
  export { default } from 'hls.js';
}
