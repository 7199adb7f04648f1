// What the viewer prefers for talking.
import { remembered } from '../api/remembered';

/** New replies show over the picture for a moment. */
export const repliesOverPicture = remembered('roomreel.replies-over-picture', ['yes', 'no']);
