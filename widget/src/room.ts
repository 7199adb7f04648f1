// One visit to a room: brings together identity, the server's view of the room, and the player.
import { ApiError } from './api/http';
import { RoomFeed } from './api/feed';
import { SessionHolder } from './api/session';
import { backoff } from './core/backoff';
import { Grants } from './core/grant';
import { isPlayable, type Room } from './core/model';
import type { Params, Theme } from './core/params';
import { INITIAL, reduce, selectionOf, type Action, type Entry, type Trouble } from './core/state';
import { Store } from './core/store';
import { ClientError, connect, type MatrixClient, type OpenIdToken } from './matrix/client';
import { loadPlayer } from './player/open-deck';
import { ReelPlayer, type Reel } from './player/reel-player';
import type { Actions } from './ui/app';

/** Milliseconds of silence after which the client is probably asking the viewer. */
const ASKING = 1_200;

export class RoomVisit implements Actions {
  readonly state = new Store(INITIAL);
  readonly player = new Store<ReelPlayer | null>(null);
  readonly #grants = new Grants();
  #client: MatrixClient | null = null;
  #feed: RoomFeed | null = null;

  constructor(
    private readonly params: Params,
    private readonly onTheme: (theme: Theme) => void,
    private readonly autoplay: boolean,
  ) {
    this.state.subscribe(() => this.#sync());
  }

  /** Begins; may be called once, before the page has loaded. */
  async start(): Promise<void> {
    void this.#loadPlayer(0);
    try {
      this.#client = await connect(this.params, this.onTheme);
      this.#follow(this.#client);
    } catch (error) {
      this.#dispatch({ type: 'trouble', trouble: finalTrouble(error) });
    }
  }

  select(key: string): void {
    this.#dispatch({ type: 'select', selected: key });
    this.player.get()?.play();
  }

  pick({ video }: Entry): void {
    const player = this.player.get();
    if (player === null || player.pick(video.id)) return;
    player.show(this.#reel(), video.id);
    player.play();
  }

  retry(): void {
    if (this.#client === null) return location.reload();
    this.#feed?.stop();
    this.#dispatch({ type: 'retry' });
    this.#follow(this.#client);
  }

  #follow(client: MatrixClient): void {
    const { roomId } = this.params;
    if (roomId === null) return this.#dispatch({ type: 'trouble', trouble: 'no-room' });
    const session = new SessionHolder(roomId, () => this.#identify(client));
    session.get().then(
      ({ userId }) => this.#dispatch({ type: 'signed-in', viewer: userId }),
      // The feed uses the same session and tells what went wrong.
      () => undefined,
    );
    this.#feed = new RoomFeed(roomId, session, {
      room: (room) => this.#arrived(room),
      progress: (videoId, progress) => this.#dispatch({ type: 'progress', videoId, progress }),
      live: () => this.#dispatch({ type: 'live', live: true }),
      lost: (error) => this.#dispatch(error === undefined ? { type: 'live', live: false } : { type: 'trouble', trouble: passingTrouble(error) }),
      ended: (error) => this.#dispatch({ type: 'trouble', trouble: finalTrouble(error) }),
    });
    this.#feed.start();
  }

  async #identify(client: MatrixClient): Promise<OpenIdToken> {
    const asking = setTimeout(() => this.#dispatch({ type: 'asking' }), ASKING);
    return client.identify().finally(() => clearTimeout(asking));
  }

  #arrived(room: Room): void {
    this.#grants.learn(room.channelUrl);
    for (const member of room.members) this.#grants.learn(member.reelUrl);
    this.#dispatch({ type: 'room', room });
  }

  async #loadPlayer(attempt: number): Promise<void> {
    const openDeck = await loadPlayer().catch(() => undefined);
    if (openDeck === undefined) {
      setTimeout(() => void this.#loadPlayer(attempt + 1), backoff(attempt, Math.random()));
      return;
    }
    if (openDeck === null) { this.#dispatch({ type: 'trouble', trouble: 'unsupported' }); return; }
    const refresh = async (): Promise<void> => this.#feed?.refresh().catch(() => undefined);
    this.player.set(new ReelPlayer(openDeck, (url) => this.#grants.renew(url), refresh, this.autoplay));
    this.#sync();
  }

  #reel(): Reel | null {
    const selection = selectionOf(this.state.get());
    if (!selection?.reelUrl) return null;
    const playable = selection.entries.filter(({ video }) => isPlayable(video));
    return { key: selection.key, url: selection.reelUrl, durations: new Map(playable.map(({ video }) => [video.id, video.duration ?? 0])) };
  }

  /** The player follows the selection. */
  #sync(): void {
    this.player.get()?.show(this.#reel());
  }

  #dispatch(action: Action): void {
    this.state.set(reduce(this.state.get(), action));
  }
}

function passingTrouble(error: unknown): Trouble {
  return error instanceof ApiError && error.status > 0 ? 'server' : 'offline';
}

function finalTrouble(error: unknown): Trouble {
  if (error instanceof ClientError) return error.code;
  if (!(error instanceof ApiError)) return 'server';
  if (error.status === 401) return 'identity';
  return error.status === 403 || error.status === 404 ? 'not-member' : 'server';
}
