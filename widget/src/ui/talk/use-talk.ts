// The talk about a video for the components that show it.
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Reply } from '../../core/talk/events';
import { reactionsOf, repliesOf, type Reaction } from '../../core/talk/views';
import type { Several } from '../../matrix/hosts';
import type { Messenger } from '../../matrix/messenger';
import type { Permission } from '../../matrix/capabilities';
import type { TalkStatus } from '../../talk/cache';
import { TalkSession } from '../../talk/session';
import { useStore } from '../use-store';
import { useVisit } from '../visit';
import type { Visit } from '../../visit/visit';

/** One for a messenger: the parts of the page share what they know. */
const sessions = new WeakMap<Messenger, TalkSession>();

export interface Access {
  readonly messenger: Messenger;
  readonly session: TalkSession;
  /** What the viewer allows, and what they declined. */
  readonly granted: ReadonlySet<Permission>;
  readonly declined: ReadonlySet<Permission>;
  /** What is sent could arrive several times: of comments one at a time may be tried. */
  readonly several: Several;
  readonly viewer: string | null;
}

function messengerOf({ messenger }: Visit): Messenger {
  if (messenger === null) throw new Error('There is no way to talk: no Matrix client is around the page, and nobody is signed in.');
  return messenger;
}

function sessionOf(visit: Visit, messenger: Messenger): TalkSession {
  const known = sessions.get(messenger);
  if (known !== undefined) return known;
  const session = new TalkSession(messenger, () => visit.state.get().viewer, () => visit.state.get().room?.bot ?? null);
  sessions.set(messenger, session);
  visit.onTalk((eventId) => session.refresh(eventId));
  return session;
}

export function useTalkAccess(): Access {
  const visit = useVisit();
  const messenger = messengerOf(visit);
  const granted = useStore(messenger.permissions.granted);
  const declined = useStore(messenger.permissions.declined);
  const several = useStore(messenger.hosts.several);
  const viewer = useStore(visit.state, (state) => state.viewer);
  return { messenger, session: sessionOf(visit, messenger), granted, declined, several, viewer };
}

export interface VideoTalk {
  readonly status: TalkStatus;
  readonly reactions: readonly Reaction[];
  readonly replies: readonly Reply[];
  readonly more: boolean;
  readonly unread: number;
}

/** What is said about the video of an event; does not fetch it. */
export function useTalk({ session, viewer }: Access, eventId: string): VideoTalk {
  const store = session.of(eventId);
  const [state, setState] = useState(() => store.get());
  useEffect(() => {
    const read = (): void => setState(store.get());
    read();
    return store.subscribe(read);
  }, [store]);
  const { talk, status, more, unread } = state.talk.eventId === eventId ? state : store.get();
  const reactions = useMemo(() => reactionsOf(talk, viewer), [talk.reactions, viewer]);
  const replies = useMemo(() => repliesOf(talk), [talk.replies, talk.edits]);
  return { status, reactions, replies, more, unread };
}
