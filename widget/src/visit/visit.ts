// A visit to a room, or to a member's public page, as the parts of the page use it.
import type { ListPart } from '../core/room/parts';
import type { Server } from '../api/server';
import type { BrowserSignIn } from '../api/sign-in';
import type { Entry, Overlay, State } from '../core/state';
import type { Store } from '../core/store';
import type { MatrixClient } from '../matrix/client';
import type { Messenger } from '../matrix/messenger';
import type { ReelPlayer } from '../player/reel-player';
import type { Channel } from './channel';

export interface Visit {
  readonly state: Store<State>;
  /** Null until the player's code is there. */
  readonly player: Store<ReelPlayer | null>;
  /** Null until the viewer is known. */
  readonly server: Server | null;
  /** The Matrix client around the page; null where there is none. */
  readonly client: MatrixClient | null;
  /** How the viewer says something in the room; null where they cannot, and in a signed-in browser until the visit is settled. */
  readonly messenger: Messenger | null;
  /** The sign-in of this browser, where no Matrix client is around the page but could be. */
  readonly browser: BrowserSignIn | null;
  /** The room's channel; there as soon as the player is. */
  readonly channel: Channel | null;
  /** The first frame has had its time; everything else may be loaded. */
  readonly settled: Store<boolean>;
  /** Calls `listener` with the event of each video of which something new was said, null where it may be any; returns the way to stop it. */
  onTalk(listener: (eventId: string | null) => void): () => void;
  select(key: string): void;
  /** Plays a video; a spoiler once the viewer confirms. */
  pick(entry: Entry): void;
  /** The viewer wants to see the spoiler that they picked. */
  showSpoiler(): void;
  /** Back from a spoiler to what is selected. */
  leaveSpoiler(): void;
  retry(): void;
  /** Shows the room with this laid over it, also over every later one. */
  setOverlay(overlay: Overlay): void;
  /** Ends the sign-in of this browser; never rejects. */
  signOut(): Promise<void>;
  /** Loads a part of the list of a member of a large room, of everybody, or of what is to be reviewed; returns whether it is there. Never rejects. */
  list(of: string, part: ListPart): Promise<boolean>;
  /** Of the rows of a large room's list that the viewer has in sight, one. */
  see(videoId: string): void;
  /** Loads more members of a large room; returns whether they are there. Never rejects. */
  members(): Promise<boolean>;
  /** Loads the room again; never rejects. */
  refresh(): Promise<void>;
}
