// How many replies to what plays came while another view was open.
import type { Entry } from '../../core/state';
import { useText } from '../text';
import { useTalk, useTalkAccess } from './use-talk';
import './talk.css';

function Unread({ eventId, id }: { eventId: string; id: string }) {
  const t = useText();
  const { unread } = useTalk(useTalkAccess(), eventId);
  if (unread === 0) return null;
  return (
    <>
      <span class="badge tool-badge" aria-hidden="true" data-testid="unread">{unread > 99 ? '99+' : unread}</span>
      <span class="unseen" id={id}>{t('widget-talk-unread', { count: unread })}</span>
    </>
  );
}

export const TalkBadge = ({ entry, id }: { entry: Entry | null; id: string }) => (entry?.video.sentHere !== true ? null : <Unread eventId={entry.video.eventId} id={id} />);
