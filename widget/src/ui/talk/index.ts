// Talking about videos, fetched in one piece once the viewer's client allows any of it.
export { TalkBadge } from './badge';
export { TalkOverPicture } from './over-video';
export { TalkView } from './view';
