// Both ways to play HLS, with what they have in common: one of them alone would be hardly less to fetch.
export { HlsEngine, isSupported } from './hls-engine';
export { NativeEngine } from './native-engine';
