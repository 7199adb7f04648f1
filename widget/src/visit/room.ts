// One visit to a room: brings together identity, the server's view of the room, and the player.
import { ApiError, retryAfterOf } from '../api/http';
import { bookmarkOf } from '../player/bookmark';
import { RoomFeed } from '../api/feed';
import { Server } from '../api/server';
import { SessionHolder, type OpenIdToken, type Proof } from '../api/session';
import type { BrowserSignIn } from '../api/sign-in';
import type { Sample } from '../core/clock';
import { decodeBookmark, encodeBookmark } from '../core/decode';
import { Grants } from '../core/grant';
import { isPlayable, playsByItself, type Bookmark, type Room, type Video } from '../core/model';
import type { Params } from '../core/params';
import { EVERYONE, INITIAL, reduce, selectionOf, spoilerKey, spoilerOf, type Action, type Entry, type Overlay, type Trouble } from '../core/state';
import { Store } from '../core/store';
import { askedOf } from '../core/together';
import type { Channel } from './channel';
import { persist } from '../browser/retry-import';
import { ClientError, connect, type Listener, type MatrixClient } from '../matrix/client';
import type { Messenger } from '../matrix/messenger';
import { loadPlayer } from '../player/load';
import { offsetIn, type StartPosition } from '../core/start-position';
import type { Reel } from '../player/reel';
import type { ReelPlayer } from '../player/reel-player';
import { recordingMark } from '../record/mark';
import { panelView, VIEWS } from './panel-view';
import type { Visit } from './visit';

/** Milliseconds of silence after which the client is probably asking the viewer. */
const ASKING = 400;
/** Milliseconds after the room's arrival at which the rest begins that watching does not need. */
const REST = 2_000;

export class RoomVisit implements Visit {
  readonly state = new Store(INITIAL);
  readonly player = new Store<ReelPlayer | null>(null);
  readonly #grants = new Grants();
  server: Server | null = null;
  client: MatrixClient | null = null;
  messenger: Messenger | null = null;
  browser: BrowserSignIn | null = null;
  channel: Channel | null = null;
  readonly settled = new Store(false);
  readonly #talkListeners = new Set<(eventId: string | null) => void>();
  /** The latest time that the server told, for whoever comes later. */
  #time: Sample | null = null;
  #feed: RoomFeed | null = null;
  /** Where the viewer was the last time. */
  #bookmark: Bookmark | null = null;
  /** The video that the page's address names, until it was begun with. */
  #linked: string | null;
  /** They are still to be brought there. */
  #returning = false;

  constructor(
    private readonly params: Params,
    private readonly looks: Listener,
    private readonly autoplay: boolean,
  ) {
    this.#linked = params.videoId;
    this.state.subscribe(() => this.#sync());
  }

  /** Begins; may be called once, before the page has loaded. */
  async start(): Promise<void> {
    void this.#loadPlayer();
    try {
      this.client = await connect(this.params, this.looks);
      this.messenger = this.client;
      this.client.permissions.situation = () => this.#situation();
      this.#follow();
    } catch (error) {
      await this.#enterAlone(error).catch(() => this.#dispatch({ type: 'trouble', trouble: finalTrouble(error) }));
    }
  }

  /** Without a client around us a browser of the viewer's own can be signed in; in a frame of others it is not asked to. */
  async #enterAlone(error: unknown): Promise<void> {
    const { roomId } = this.params;
    if (finalTrouble(error) !== 'outside' || roomId === null || window.parent !== window) throw error;
    const { BrowserSignIn } = await import('../api/sign-in');
    this.browser = new BrowserSignIn(roomId);
    if (this.browser.known) this.#follow();
    else this.#dispatch({ type: 'trouble', trouble: 'sign-in' });
  }

  async signOut(): Promise<void> {
    this.#feed?.stop();
    await this.browser?.signOut();
    // Nothing of what was seen stays.
    location.reload();
  }

  select(key: string): void {
    this.#linked = null;
    this.#returning = false;
    // Whoever went their own way and chooses the channel again wants everybody's moment.
    if (key === EVERYONE && this.state.get().selected === EVERYONE) this.channel?.join();
    this.#dispatch({ type: 'select', selected: key });
    this.player.get()?.play();
  }

  pick({ video }: Entry): void {
    this.#linked = null;
    this.#returning = false;
    const player = this.player.get();
    if (video.spoiler) return this.#ask(video);
    this.leaveSpoiler();
    if (player === null || player.pick(video.id)) return;
    player.show(this.#reel(), video.id);
    player.play();
  }

  showSpoiler(): void {
    const { spoiler } = this.state.get();
    if (spoiler === null) return;
    this.#dispatch({ type: 'spoiler', videoId: spoiler.videoId, shown: true });
    this.player.get()?.play();
  }

  leaveSpoiler(): void {
    const { spoiler, selected } = this.state.get();
    if (spoiler === null) return;
    this.#dispatch({ type: 'spoiler', videoId: null, shown: false });
    if (selected === EVERYONE) this.channel?.join();
    this.player.get()?.play();
  }

  /** A picked spoiler waits for the viewer's word; what played does so as well. */
  #ask({ id, visibility, playlistUrl }: Video): void {
    const { spoiler } = this.state.get();
    // Hidden or held: nobody plays it.
    if (visibility !== 'shown' || playlistUrl === null) return;
    if (spoiler?.videoId === id && spoiler.shown) return this.player.get()?.play();
    this.player.get()?.pause();
    this.#dispatch({ type: 'spoiler', videoId: id, shown: false });
  }

  retry(): void {
    if (this.client === null && this.browser === null) return location.reload();
    // Who tries again wants to be asked again.
    if (this.client !== null) this.client.memory.identityDeclined = false;
    this.#feed?.stop();
    this.#dispatch({ type: 'retry' });
    this.#follow();
  }

  onTalk(listener: (eventId: string | null) => void): () => void {
    this.#talkListeners.add(listener);
    return () => this.#talkListeners.delete(listener);
  }

  setOverlay(overlay: Overlay): void {
    this.#dispatch({ type: 'overlay', overlay });
  }

  async refresh(): Promise<void> {
    await this.#feed?.refresh().catch(() => undefined);
  }

  #follow(): void {
    const { roomId } = this.params;
    if (roomId === null) return this.#dispatch({ type: 'trouble', trouble: 'no-room' });
    const session = new SessionHolder(roomId, () => this.#prove(), this.client?.memory ?? null);
    session.get().then(
      ({ userId }) => {
        const { viewer } = this.state.get();
        // Somebody else signed in here: what the page still has, drafts and what may be taken back, is not theirs.
        if (viewer !== null && viewer !== userId) return location.reload();
        this.#dispatch({ type: 'signed-in', viewer: userId });
      },
      // The feed uses the same session and tells what went wrong.
      () => undefined,
    );
    this.server = new Server(roomId, session);
    this.#feed = new RoomFeed(roomId, session, {
      room: (room) => this.#arrived(room),
      progress: (videoId, progress) => this.#dispatch({ type: 'progress', videoId, progress }),
      watching: (watching) => this.#dispatch({ type: 'watching', watching }),
      talk: (eventId) => this.#talkListeners.forEach((hear) => hear(eventId)),
      time: (sample) => {
        this.#time = sample;
        this.channel?.learn(sample);
      },
      live: () => this.#dispatch({ type: 'live', live: true }),
      lost: (error) => this.#dispatch(error === undefined ? { type: 'live', live: false } : { type: 'trouble', trouble: passingTrouble(error) }),
      ended: (error) => this.#ended(finalTrouble(error)),
    });
    this.#feed.start();
  }

  #ended(trouble: Trouble): void {
    const signedOut = this.browser !== null && trouble === 'identity';
    if (signedOut) this.browser?.forget();
    this.#dispatch({ type: 'trouble', trouble: signedOut ? 'sign-in' : trouble });
  }

  async #prove(): Promise<Proof> {
    if (this.client !== null) return { openid_token: await this.#identify(this.client) };
    return this.browser?.proof() ?? Promise.reject(new ClientError('outside'));
  }

  async #identify(client: MatrixClient): Promise<OpenIdToken> {
    if (client.memory.identityDeclined) throw new ClientError('declined');
    const asking = setTimeout(() => this.#dispatch({ type: 'asking' }), ASKING);
    try {
      return await client.identify();
    } catch (error) {
      client.memory.identityDeclined = error instanceof ClientError && error.code === 'declined';
      throw error;
    } finally {
      clearTimeout(asking);
    }
  }

  #arrived(arrived: Room): void {
    let room = arrived;
    this.#grants.learn(room.channelUrl);
    for (const { reelUrl, videos } of room.members) {
      this.#grants.learn(reelUrl);
      this.#grants.learn(videos.find(({ playlistUrl }) => playlistUrl !== null)?.playlistUrl ?? null);
    }
    // The first picture comes before any question, where there is one.
    if (this.state.get().room === null) {
      setTimeout(() => void this.#settle(), room.members.some(({ videos }) => videos.some(isPlayable)) ? REST : 0);
      room = { ...room, place: this.#comeBack() ?? room.place };
      this.#bookmark = room.place;
      this.#returning = true;
      this.#restore();
    }
    this.#dispatch({ type: 'room', room });
    this.#followLink(room);
  }

  /** For when the page loads anew; what is recorded would be lost by that. */
  #situation(): Readonly<Record<string, unknown>> | null {
    if (recordingMark.get() !== null) return null;
    const player = this.player.get();
    const bookmark = player === null ? null : bookmarkOf(this.state.get(), player);
    return { view: panelView.get(), place: bookmark === null ? null : encodeBookmark(bookmark) };
  }

  /** Opens the view that was open before the page loaded anew, and hands back the place. */
  #comeBack(): Bookmark | null {
    const { view, place } = this.client?.wish?.situation ?? {};
    const known = VIEWS.find((each) => each === view);
    if (known !== undefined) panelView.set(known);
    return decodeBookmark(place);
  }

  /** To the reel of the video that the page's address names. */
  #followLink(room: Room): void {
    if (this.#linked === null) return;
    const owner = room.members.find(({ videos }) => videos.some((video) => video.id === this.#linked && isPlayable(video)));
    // Whom it is hidden from sees what everybody sees.
    if (owner === undefined) { this.#linked = null; return; }
    this.#dispatch({ type: 'select', selected: owner.userId });
    const linked = owner.videos.find(({ id, spoiler }) => id === this.#linked && spoiler);
    if (linked === undefined) return;
    this.#linked = null;
    this.#ask(linked);
  }

  /** The viewer can say something from here on: where no client is around, what the bot does for them. */
  async #settle(): Promise<void> {
    if (this.browser !== null && this.state.get().room?.can != null) {
      const { Behalf } = await persist(() => import('../matrix/bot-messenger'));
      this.messenger = new Behalf(this.state, () => this.server);
    }
    this.settled.set(true);
  }

  async #loadPlayer(): Promise<void> {
    const [createPlayer, { Channel }] = await persist(() => Promise.all([loadPlayer(), import('./channel')]));
    if (createPlayer === null) { this.#dispatch({ type: 'trouble', trouble: 'unsupported' }); return; }
    const player = createPlayer((url) => this.#grants.renew(url), () => this.refresh(), this.autoplay);
    this.channel = new Channel(this, player);
    if (this.#time !== null) this.channel.learn(this.#time);
    this.player.set(player);
    this.#restore();
    const stop = player.playback.subscribe(() => {
      if (player.playback.get().reel === null) return;
      this.#returning = false;
      stop();
    });
    this.#sync();
  }

  /** The viewer's sound and choices of the last time, as soon as there are both. */
  #restore(): void {
    const player = this.player.get();
    if (player === null || this.#bookmark === null) return;
    const { volume, muted, speed, loop, captions, keys, announce } = this.#bookmark;
    player.audio.patch({ volume, muted });
    player.choose({ speed, loop, captions, keys, announce });
  }

  /** Null for the beginning; the channel goes on without the viewer. */
  #begin(key: string): StartPosition | null {
    if (key === EVERYONE) return this.channel?.begin ?? null;
    const { selection = null, videoId = null, position = 0 } = this.#bookmark ?? {};
    return !this.#returning || videoId === null || key !== selection ? null : offsetIn(videoId, position);
  }

  #reel(): Reel | null {
    const state = this.state.get();
    const spoiler = spoilerOf(state);
    if (spoiler?.shown === true && spoiler.video.playlistUrl !== null) {
      const { id, playlistUrl, duration } = spoiler.video;
      return { key: spoilerKey(id), url: playlistUrl, durations: new Map([[id, duration ?? 0]]) };
    }
    const selection = selectionOf(state);
    if (!selection?.reelUrl) return null;
    const playable = selection.entries.filter(({ video }) => playsByItself(video));
    const durations = new Map(playable.map(({ video }) => [video.id, video.duration ?? 0]));
    return { key: selection.key, url: selection.reelUrl, durations, begin: this.#begin(selection.key) };
  }

  /** The player follows the selection. */
  #sync(): void {
    const { selected, wanted } = this.state.get();
    this.#feed?.ask(askedOf(wanted ?? selected));
    const [player, reel] = [this.player.get(), this.#reel()];
    if (player === null) return;
    const linked = this.#linked !== null && reel?.durations.has(this.#linked) === true && reel.key !== EVERYONE ? this.#linked : null;
    if (linked !== null) this.#linked = null;
    player.show(reel, linked);
  }

  #dispatch(action: Action): void {
    this.state.set(reduce(this.state.get(), action));
  }
}

function passingTrouble(error: unknown): Trouble {
  if (retryAfterOf(error) !== null) return 'busy';
  return error instanceof ApiError && error.status > 0 ? 'server' : 'offline';
}

function finalTrouble(error: unknown): Trouble {
  if (error instanceof ClientError) return error.code;
  if (!(error instanceof ApiError)) return 'server';
  if (error.status === 401) return 'identity';
  return error.status === 403 || error.status === 404 ? 'not-member' : 'server';
}
