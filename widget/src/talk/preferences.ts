// What the viewer prefers for talking.
import { remembered } from '../browser/preference';

/** New replies show over the picture for a moment. */
export const repliesOverPicture = remembered('roomreel.replies-over-picture', ['yes', 'no']);
