// Ends the sign-in of a browser that no Matrix client is around.
import { Icon } from './icons';
import { useText } from './text';
import { useVisit } from './visit';

export function SignOut() {
  const t = useText();
  const visit = useVisit();
  return (
    <button type="button" class="icon-button tool" aria-label={t('widget-sign-out')} title={t('widget-sign-out')} data-testid="sign-out" onClick={() => void visit.signOut()}>
      <Icon><path d="M13.5 4.5H7a1.5 1.5 0 0 0-1.5 1.5v12A1.5 1.5 0 0 0 7 19.5h6.5M10.5 12h9m-3.2-3.4L19.7 12l-3.4 3.4" /></Icon>
    </button>
  );
}
