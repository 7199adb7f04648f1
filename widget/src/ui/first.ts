// What the first frame needs besides the page's entry and hls.js, and what shows with it: one request in place of sixteen, each of which may wait for a free connection.
export { ReelPlayer } from '../player/reel-player';
export { Channel } from '../visit/channel';
export { Panel } from './panel';
export { Stage } from './stage';
