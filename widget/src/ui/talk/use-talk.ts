// The talk about a video for the components that show it.
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Reply } from '../../core/talk/events';
import { reactionsOf, repliesOf, type Reaction } from '../../core/talk/views';
import type { Several } from '../../matrix/hosts';
import type { Messenger } from '../../matrix/messenger';
import type { Permission } from '../../matrix/capabilities';
import { TalkKeeper, type Status } from '../../talk/session';
import { useStore } from '../use-store';
import { useVisit } from '../visit';
import type { Visit } from '../../visit/visit';

/** One for a messenger: the parts of the page share what they know. */
const keepers = new WeakMap<Messenger, TalkKeeper>();

export interface Access {
  readonly messenger: Messenger;
  readonly keeper: TalkKeeper;
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

function keeperOf(visit: Visit, messenger: Messenger): TalkKeeper {
  const known = keepers.get(messenger);
  if (known !== undefined) return known;
  const keeper = new TalkKeeper(messenger, () => visit.state.get().viewer, () => visit.state.get().room?.bot ?? null);
  keepers.set(messenger, keeper);
  visit.onTalk((eventId) => keeper.stir(eventId));
  return keeper;
}

export function useTalkAccess(): Access {
  const visit = useVisit();
  const messenger = messengerOf(visit);
  const granted = useStore(messenger.permissions.granted);
  const declined = useStore(messenger.permissions.declined);
  const several = useStore(messenger.hosts.several);
  const viewer = useStore(visit.state, (state) => state.viewer);
  return { messenger, keeper: keeperOf(visit, messenger), granted, declined, several, viewer };
}

export interface VideoTalk {
  readonly status: Status;
  readonly reactions: readonly Reaction[];
  readonly replies: readonly Reply[];
  readonly more: boolean;
  readonly unread: number;
}

/** What is said about the video of an event; does not ask for it. */
export function useTalk({ keeper, viewer }: Access, eventId: string): VideoTalk {
  const store = keeper.of(eventId);
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
