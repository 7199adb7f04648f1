// The first stop of the keyboard: past player and members, to what can be picked.
import { useText } from './text';

/** What plays, else what comes first in the list, or in the view that is there in its place. */
const TARGETS = ['.row[data-current="true"] .row-body', '.row .row-body', '.card[data-current="true"] .card-picture', '.card .card-picture', '.panel-head ~ * :is(button, input, textarea, a[href], [tabindex])'];

export function SkipLink() {
  const t = useText();
  const skip = (event: MouseEvent): void => {
    // Within a client's frame the address is not ours to change.
    event.preventDefault();
    for (const target of TARGETS) {
      const found = document.querySelector<HTMLElement>(target);
      if (found !== null) return found.focus();
    }
  };
  return <a class="skip pill" href="#list" data-testid="skip" onClick={skip}>{t('widget-to-list')}</a>;
}
