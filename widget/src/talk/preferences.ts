// What the viewer prefers for talking; remembered where the browser lets a frame remember.
import { Store } from '../core/store';

const NAME = 'roomreel.replies-over-picture';

function remembered(): boolean {
  try {
    return localStorage.getItem(NAME) !== 'no';
  } catch {
    return true;
  }
}

/** New replies show over the picture for a moment. */
export const repliesOverPicture = new Store(remembered());

repliesOverPicture.subscribe(() => {
  try {
    localStorage.setItem(NAME, repliesOverPicture.get() ? 'yes' : 'no');
  } catch {
    // A third-party frame without storage: it holds for this visit.
  }
});
