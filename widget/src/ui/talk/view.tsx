// Talking about what plays: reactions, replies, and a place to write.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Entry } from '../../core/state';
import { SENDING, type Permission } from '../../matrix/capabilities';
import { repliesOverPicture } from '../../talk/preferences';
import { IconButton } from '../controls';
import { CloseIcon, OverPictureIcon } from '../icons';
import { calledBy, titleFor } from '../names';
import type { ViewProps } from '../panel-view';
import { Several } from '../several';
import { useText } from '../text';
import { useStore } from '../use-store';
import { Composer } from './composer';
import { REACTING, Reactions } from './reactions';
import { Replies } from './replies';
import { useTalk, useTalkAccess, type Access } from './use-talk';
import './talk.css';
import { useVisit } from '../visit';

/** Kinds of reactions that have a place above the replies. */
const MOST_CHIPS = 24;

/** What comments are read with. */
const READING: readonly Permission[] = ['seeMessages', 'seeReactions', 'seeRedactions'];

interface NeedsProps {
  access: Access;
  of: readonly Permission[];
  /** What they are for, before the client prompts the viewer; null where that is said elsewhere. */
  before: string | null;
  /** What the viewer declined. */
  declined: string;
}

/** What is not allowed, and a way to request it; nothing when all of it is. The client is not made to prompt by itself, unless it was allowed before: then for what is seen. */
function Needs({ access: { messenger, granted, declined: said }, of, before, declined }: NeedsProps) {
  const t = useText();
  const asking = useStore(messenger.permissions.asking);
  const no = of.some((permission) => said.has(permission));
  const missing = of.some((permission) => !granted.has(permission));
  useEffect(() => {
    if (missing && !no && !of.some((permission) => SENDING.includes(permission)) && messenger.permissions.hadBefore(...of)) void messenger.permissions.ask(...of);
  }, []);
  const message = no ? declined : before;
  // Where no client is around there is no prompt.
  if (!missing || message === null || messenger.onBehalf) return null;
  return (
    <div class="talk-missing" role="status" data-testid="missing" data-missing={of[0]} data-declined={no}>
      <p>{t(asking ? 'widget-talk-asking' : message)}</p>
      {!asking && <button type="button" class="pill talk-ask" data-testid="ask" onClick={() => void messenger.permissions.ask(...of)}>{t(no ? 'widget-talk-ask' : 'widget-talk-continue')}</button>}
    </div>
  );
}

function OverPictureSwitch() {
  const t = useText();
  const on = useStore(repliesOverPicture) === 'yes';
  const label = t('widget-talk-over-picture');
  return (
    <button type="button" class="icon-button tool" aria-label={label} title={label} aria-pressed={on} data-testid="over-picture" onClick={() => repliesOverPicture.set(on ? 'no' : 'yes')}>
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
  const viewer = useStore(useVisit().state, (state) => state.viewer);
  const title = entry === null ? t('widget-talk') : titleFor(entry.video, t);
  return (
    <section class="talk" aria-label={t('widget-talk')} data-testid="talk-view" data-event-id={entry?.video.eventId ?? ''}>
      <header class="talk-head">
        <h2 class="talk-title">
          <bdi>{title}</bdi>
          {entry !== null && <bdi class="talk-owner">{calledBy(viewer, entry.owner, t)}</bdi>}
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
  const { messenger, session, granted, declined, several, viewer } = access;
  const { eventId } = entry.video;
  const { status, reactions, replies, more } = useTalk(access, eventId);
  useEffect(() => void session.load(eventId), [session, eventId, granted]);
  useEffect(() => {
    session.reading.set(eventId);
    return () => session.reading.set(null);
  }, [session, eventId]);
  if (status === 'elsewhere') return <Elsewhere />;
  const title = titleFor(entry.video, t);
  const maySee = granted.has('seeMessages');
  const readOnly = messenger.onBehalf && !granted.has('sendText');
  const warned = several === 'perhaps' || several === 'yes';
  const asksToSend = !granted.has('sendText') && (declined.has('sendText') || messenger.permissions.reloads);
  return (
    <>
      {status === 'failed' && (
        <div class="talk-missing" role="alert">
          <p>{t('widget-talk-failed')}</p>
          <button type="button" class="pill talk-ask" data-testid="talk-retry" onClick={() => void session.load(eventId, true)}>{t('widget-retry')}</button>
        </div>
      )}
      <Reactions access={access} eventId={eventId} reactions={reactions} most={MOST_CHIPS} />
      {maySee && <Replies key={eventId} replies={replies} label={t('widget-talk-replies', { title })} more={more} onMore={() => session.earlier(eventId)} mayTakeBack={({ id, sender }) => messenger.onBehalf && sender === viewer && messenger.mayRedact(id)} onTakeBack={({ id }) => void session.takeBack(eventId, [id])} />}
      <Several messenger={messenger} className="talk-missing" anyway />
      <Needs access={access} of={READING} before="widget-talk-before-see" declined={maySee ? 'widget-talk-missing-react' : 'widget-talk-missing-see'} />
      {maySee && READING.every((each) => granted.has(each)) && <Needs access={access} of={REACTING} before={null} declined="widget-talk-missing-react" />}
      {readOnly && <p class="talk-hint" data-testid="read-only">{t('widget-talk-read-only')}</p>}
      {maySee && !warned && !readOnly && (asksToSend ? <Needs access={access} of={['sendText']} before="widget-talk-before-send" declined="widget-talk-missing-send" /> : <Composer key={eventId} access={access} eventId={eventId} title={title} onHold={onHold} />)}
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
    <Frame entry={about} hears={access.granted.has('seeMessages')} onClose={onClose}>
      {moved && <p class="talk-moved" role="status">{t('widget-talk-moved', { title: titleFor(entry.video, t) })}</p>}
      {about === null ? <p class="talk-hint">{t('widget-talk-nothing')}</p>
        : about.video.sentHere ? <About access={access} entry={about} onHold={(hold) => setHeld(hold ? about : null)} /> : <Elsewhere />}
    </Frame>
  );
}
