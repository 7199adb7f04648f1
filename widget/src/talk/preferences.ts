// What the viewer prefers for talking.
import { preference } from '../browser/preference';

/** New replies show over the video for some seconds. */
export const repliesOverPicture = preference('roomreel.replies-over-picture', ['yes', 'no']);
