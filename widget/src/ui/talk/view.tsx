// Talking about what plays: reactions, replies, and a place to write.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Entry } from '../../core/state';
import type { Permission } from '../../matrix/client';
import { repliesOverPicture } from '../../talk/preferences';
import { IconButton } from '../controls';
import { CloseIcon, OverPictureIcon } from '../icons';
import { nameOf, titleFor } from '../names';
import type { ViewProps } from '../panel';
import { useText } from '../text';
import { useStore } from '../use-store';
import { Composer } from './composer';
import { Reactions } from './reactions';
import { Replies } from './replies';
import { useTalk, useTalkAccess, type Access } from './use-talk';
import './talk.css';

/** Kinds of reactions that have a place above the replies. */
const MOST_CHIPS = 24;

/** What the viewer did not allow, and a way to be asked again; nothing when they allowed all of it. */
function Missing({ access, of, message }: { access: Access; of: readonly Permission[]; message: string }) {
  const t = useText();
  if (of.every((permission) => access.permissions.has(permission))) return null;
  return (
    <div class="talk-missing" role="status" data-testid="missing" data-missing={of[0]}>
      <p>{t(message)}</p>
      <button type="button" class="pill talk-ask" data-testid="ask" onClick={() => access.client.askPermissions()}>{t('widget-talk-ask')}</button>
    </div>
  );
}

function OverPictureSwitch() {
  const t = useText();
  const on = useStore(repliesOverPicture);
  const label = t('widget-talk-over-picture');
  return (
    <button type="button" class="icon-button tool" aria-label={label} title={label} aria-pressed={on} data-testid="over-picture" onClick={() => repliesOverPicture.set(!on)}>
      <OverPictureIcon />
    </button>
  );
}

interface FrameProps {
  entry: Entry | null;
  /** There may be new comments to show. */
  hears: boolean;
  onClose: () => void;
  children: ComponentChildren;
}

function Frame({ entry, hears, onClose, children }: FrameProps) {
  const t = useText();
  const title = entry === null ? t('widget-talk') : titleFor(entry.video, t);
  return (
    <section class="talk" aria-label={t('widget-talk')} data-testid="talk-view" data-event-id={entry?.video.eventId ?? ''}>
      <header class="talk-head">
        <h2 class="talk-title">
          <bdi>{title}</bdi>
          {entry !== null && <bdi class="talk-owner">{nameOf(entry.owner)}</bdi>}
        </h2>
        <span class="talk-tools">
          {hears && <OverPictureSwitch />}
          <IconButton label={t('widget-talk-close')} testId="talk-close" onPress={onClose}><CloseIcon /></IconButton>
        </span>
      </header>
      {children}
    </section>
  );
}

interface AboutProps {
  access: Access;
  entry: Entry;
  onHold: (hold: boolean) => void;
}

/** What there is instead where the room does not have the video's message. */
function Elsewhere() {
  const t = useText();
  return <p class="talk-hint" data-testid="talk-elsewhere">{t('widget-talk-elsewhere')}</p>;
}

function About({ access, entry, onHold }: AboutProps) {
  const t = useText();
  const { keeper, permissions } = access;
  const { eventId } = entry.video;
  const { status, reactions, replies, more } = useTalk(access, eventId);
  useEffect(() => void keeper.load(eventId), [keeper, eventId, permissions]);
  useEffect(() => {
    keeper.reading.set(eventId);
    return () => keeper.reading.set(null);
  }, [keeper, eventId]);
  if (status === 'elsewhere') return <Elsewhere />;
  const title = titleFor(entry.video, t);
  const maySee = permissions.has('seeMessages');
  return (
    <>
      {status === 'failed' && (
        <div class="talk-missing" role="alert">
          <p>{t('widget-talk-failed')}</p>
          <button type="button" class="pill talk-ask" data-testid="talk-retry" onClick={() => void keeper.load(eventId, true)}>{t('widget-retry')}</button>
        </div>
      )}
      <Reactions access={access} eventId={eventId} reactions={reactions} most={MOST_CHIPS} />
      {maySee && <Replies key={eventId} replies={replies} label={t('widget-talk-replies', { title })} more={more} onMore={() => keeper.earlier(eventId)} />}
      <Missing access={access} of={['seeMessages']} message="widget-talk-missing-see" />
      {maySee && <Missing access={access} of={['seeReactions', 'sendReaction', 'sendRedaction', 'seeRedactions']} message="widget-talk-missing-react" />}
      {permissions.has('sendText') ? <Composer key={eventId} keeper={keeper} eventId={eventId} title={title} onHold={onHold} /> : maySee && <Missing access={access} of={['sendText']} message="widget-talk-missing-send" />}
    </>
  );
}

export function TalkView({ entry, onClose }: ViewProps) {
  const t = useText();
  const access = useTalkAccess();
  // While something is written it stays with the video that it is about, whatever plays.
  const [held, setHeld] = useState<Entry | null>(null);
  const about = held ?? entry;
  const moved = held !== null && entry !== null && held.video.id !== entry.video.id;
  return (
    <Frame entry={about} hears={access.permissions.has('seeMessages')} onClose={onClose}>
      {moved && <p class="talk-moved" role="status">{t('widget-talk-moved', { title: titleFor(entry.video, t) })}</p>}
      {about === null ? <p class="talk-hint">{t('widget-talk-nothing')}</p>
        : about.video.sentHere ? <About access={access} entry={about} onHold={(hold) => setHeld(hold ? about : null)} /> : <Elsewhere />}
    </Frame>
  );
}
