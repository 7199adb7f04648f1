// The replies to a video, oldest first; the end stays in view while it is.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Reply } from '../../core/talk';
import { fullDate, shortDate } from '../dates';
import { Avatar } from '../picture';
import { useLocales, useText } from '../text';
import { useNow } from '../use-now';
import { usePerson } from './person';

/** Pixels from the end within which new replies keep the end in view. */
const NEAR = 60;

function ReplyItem({ reply, now }: { reply: Reply; now: number }) {
  const t = useText();
  const locales = useLocales();
  const { called, name, avatarUrl, own } = usePerson(reply.sender);
  const { id, kind, text, edited, at } = reply;
  const sent = new Date(at);
  return (
    <li class="reply" data-testid="reply" data-event-id={id} data-kind={kind} data-own={own}>
      <Avatar url={avatarUrl} name={name} id={reply.sender} />
      <div class="reply-body">
        <p class="reply-head">
          <bdi class="person-name" title={reply.sender}>{called}</bdi>
          <time dateTime={sent.toISOString()} title={fullDate(at, locales)}>{shortDate(at, now, locales)}</time>
          {edited && <span data-testid="edited">{t('widget-talk-edited')}</span>}
        </p>
        <p class="reply-text" dir="auto">{kind === 'emote' ? `* ${name} ${text}` : kind === 'file' ? `📎 ${text}` : text}</p>
      </div>
    </li>
  );
}

interface RepliesProps {
  replies: readonly Reply[];
  label: string;
  more: boolean;
  onMore: () => Promise<void>;
}

export function Replies({ replies, label, more, onMore }: RepliesProps) {
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
      <ul>{replies.map((reply) => <ReplyItem key={reply.id} reply={reply} now={now} />)}</ul>
    </div>
  );
}
