// The replies to a video, oldest first; the end stays in view while it is.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Reply } from '../../core/talk/events';
import { shortDate } from '../dates';
import { Avatar } from '../image';
import { TrashIcon } from '../record/icons';
import { useLocales, useText } from '../text';
import { useNow } from '../use-now';
import { When } from '../when';
import { usePerson } from './person';

/** Pixels from the end within which new replies keep the end in view. */
const NEAR = 60;

/** Takes the viewer's reply back, once they have said so twice: it cannot be brought back. */
function TakeBack({ onYes }: { onYes: () => void }) {
  const t = useText();
  const [asking, setAsking] = useState(false);
  const keep = useRef<HTMLButtonElement>(null);
  const ask = useRef<HTMLButtonElement>(null);
  const asked = useRef(false);
  useEffect(() => {
    if (asking) keep.current?.focus();
    else if (asked.current) ask.current?.focus();
    asked.current = asking;
  }, [asking]);
  if (!asking) {
    return (
      <button ref={ask} type="button" class="icon-button reply-delete" aria-label={t('widget-talk-delete')} title={t('widget-talk-delete')} data-testid="reply-delete" onClick={() => setAsking(true)}>
        <TrashIcon />
      </button>
    );
  }
  return (
    <span class="reply-question" role="alertdialog" aria-label={t('widget-talk-delete-question')}>
      <span>{t('widget-talk-delete-question')}</span>
      <button ref={keep} type="button" class="pill" data-testid="reply-keep" onClick={() => setAsking(false)}>{t('widget-talk-keep')}</button>
      <button type="button" class="pill danger" data-testid="reply-confirm-delete" onClick={onYes}>{t('widget-menu-delete')}</button>
    </span>
  );
}

interface ReplyItemProps {
  reply: Reply;
  now: number;
  /** Null where it is not to be taken back from here. */
  onTakeBack: (() => void) | null;
}

function ReplyItem({ reply, now, onTakeBack }: ReplyItemProps) {
  const t = useText();
  const locales = useLocales();
  const { called, name, avatarUrl, own } = usePerson(reply.sender);
  const { id, kind, text, edited, at } = reply;
  return (
    <li class="reply" data-testid="reply" data-event-id={id} data-kind={kind} data-own={own}>
      <Avatar url={avatarUrl} name={name} id={reply.sender} />
      <div class="reply-body">
        <p class="reply-head">
          <bdi class="person-name" title={reply.sender}>{called}</bdi>
          <When at={at} text={shortDate(at, now, locales)} />
          {edited && <span data-testid="edited">{t('widget-talk-edited')}</span>}
        </p>
        <p class="reply-text" dir="auto">{kind === 'emote' ? `* ${name} ${text}` : kind === 'file' ? `📎 ${text}` : text}</p>
      </div>
      {onTakeBack !== null && <TakeBack onYes={onTakeBack} />}
    </li>
  );
}

interface RepliesProps {
  replies: readonly Reply[];
  label: string;
  more: boolean;
  onMore: () => Promise<void>;
  /** Which of them the viewer takes back from here, and how. */
  mayTakeBack: (reply: Reply) => boolean;
  onTakeBack: (reply: Reply) => void;
}

export function Replies({ replies, label, more, onMore, mayTakeBack, onTakeBack }: RepliesProps) {
  const t = useText();
  const now = useNow();
  const list = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  /** Height below the first reply before older ones came. */
  const below = useRef<number | null>(null);
  const [busy, setBusy] = useState(false);
  useLayoutEffect(() => {
    const box = list.current;
    if (box === null) return;
    if (below.current !== null) box.scrollTop = box.scrollHeight - below.current;
    else if (following.current) box.scrollTop = box.scrollHeight;
    below.current = null;
  }, [replies]);
  const watch = ({ currentTarget: { scrollHeight, scrollTop, clientHeight } }: { currentTarget: HTMLElement }): void => {
    following.current = scrollHeight - scrollTop - clientHeight < NEAR;
  };
  const earlier = async (): Promise<void> => {
    const box = list.current;
    setBusy(true);
    if (box !== null) below.current = box.scrollHeight - box.scrollTop;
    await onMore();
    setBusy(false);
  };
  return (
    <div class="talk-scroll" role="log" aria-live="polite" aria-busy={busy} aria-label={label} tabIndex={0} ref={list} onScroll={watch} data-testid="replies">
      {more && <button type="button" class="pill talk-more" disabled={busy} data-testid="earlier" onClick={() => void earlier()}>{t('widget-talk-earlier')}</button>}
      {replies.length === 0 && <p class="talk-hint">{t('widget-talk-none')}</p>}
      <ul>{replies.map((reply) => <ReplyItem key={reply.id} reply={reply} now={now} onTakeBack={mayTakeBack(reply) ? () => onTakeBack(reply) : null} />)}</ul>
    </div>
  );
}
