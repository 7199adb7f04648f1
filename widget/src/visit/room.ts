// A visit to a room: brings together identity, the server's view of the room, and the player.
import { RoomFeed } from '../api/feed';
import type { ListPart } from '../core/room/parts';
import { Server } from '../api/server';
import { SessionHolder, type OpenIdToken, type Proof } from '../api/session';
import type { BrowserSignIn } from '../api/sign-in';
import { retryImport } from '../browser/retry-import';
import type { Sample } from '../core/clock';
import { Grants } from '../core/grant';
import { isPlayable, type Room, type Video } from '../core/model';
import type { Params } from '../core/params';
import { EVERYONE, INITIAL, reduce, type Action, type Entry, type Overlay, type PageError } from '../core/state';
import { Store } from '../core/store';
import { membersOf } from '../core/together';
import { ClientError, connect, type Listener, type MatrixClient } from '../matrix/client';
import type { Messenger } from '../matrix/messenger';
import { loadPlayer } from '../player/load';
import type { Reel } from '../player/reel';
import type { ReelPlayer } from '../player/reel-player';
import type { Channel } from './channel';
import { finalErrorOf, transientErrorOf } from './errors';
import { restoreSituation, ReturnPoint, situationOf } from './return-point';
import { selectedReel } from './selected-reel';
import type { Visit } from './visit';
import { VisibleLists } from './visible-lists';

/** Milliseconds of silence after which the client is probably prompting the viewer. */
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
  /** The latest sample of the server's time, for whoever comes later. */
  #time: Sample | null = null;
  #feed: RoomFeed | null = null;
  readonly #lists = new VisibleLists(() => this.#feed);
  readonly #back: ReturnPoint;

  constructor(
    private readonly params: Params,
    private readonly looks: Listener,
    private readonly autoplay: boolean,
    /** What the player is made of, which the page's first script does without. */
    private readonly code: () => Promise<{ readonly ReelPlayer: typeof ReelPlayer; readonly Channel: typeof Channel }>,
  ) {
    this.#back = new ReturnPoint(params.videoId);
    this.state.subscribe(() => this.#sync());
  }

  /** Begins; may be called once, before the page has loaded. */
  async start(): Promise<void> {
    void this.#loadPlayer();
    try {
      this.client = await connect(this.params, this.looks);
      this.messenger = this.client;
      this.client.permissions.situation = () => situationOf(this.state.get(), this.player.get());
      this.#follow();
    } catch (error) {
      await this.#enterAlone(error).catch(() => this.#dispatch({ type: 'error', error: finalErrorOf(error) }));
    }
  }

  /** Without a client around us a browser of the viewer's own can be signed in; not in a frame of others. */
  async #enterAlone(error: unknown): Promise<void> {
    const { roomId } = this.params;
    if (finalErrorOf(error) !== 'outside' || roomId === null || window.parent !== window) throw error;
    const { BrowserSignIn } = await import('../api/sign-in');
    this.browser = new BrowserSignIn(roomId);
    if (this.browser.known) this.#follow();
    else this.#dispatch({ type: 'error', error: 'sign-in' });
  }

  async signOut(): Promise<void> {
    this.#feed?.stop();
    await this.browser?.signOut();
    // Nothing of what was seen stays.
    location.reload();
  }

  select(key: string): void {
    this.#back.leave();
    // Whoever went their own way and chooses the channel again wants to be live.
    if (key === EVERYONE && this.state.get().selected === EVERYONE) this.channel?.join();
    this.#dispatch({ type: 'select', selected: key });
    this.player.get()?.play();
  }

  pick({ video }: Entry): void {
    this.#back.leave();
    const player = this.player.get();
    if (video.spoiler) return this.#veil(video);
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

  /** A picked spoiler waits until the viewer wants to see it; what played does so as well. */
  #veil({ id, visibility, playlistUrl }: Video): void {
    const { spoiler } = this.state.get();
    // Hidden or held: nobody plays it.
    if (visibility !== 'shown' || playlistUrl === null) return;
    if (spoiler?.videoId === id && spoiler.shown) return this.player.get()?.play();
    this.player.get()?.pause();
    this.#dispatch({ type: 'spoiler', videoId: id, shown: false });
  }

  retry(): void {
    if (this.client === null && this.browser === null) return location.reload();
    // Who tries again wants another request.
    if (this.client !== null) this.client.storage.identityDeclined = false;
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

  async list(of: string, part: ListPart): Promise<boolean> {
    return (await this.#feed?.list(of, part)) === true;
  }

  see(videoId: string): void {
    this.#feed?.setSeen(videoId);
  }

  async members(): Promise<boolean> {
    return (await this.#feed?.members()) === true;
  }

  #follow(): void {
    const { roomId } = this.params;
    if (roomId === null) return this.#dispatch({ type: 'error', error: 'no-room' });
    const session = new SessionHolder(roomId, () => this.#prove(), this.client?.storage ?? null);
    session.get().then(
      ({ userId }) => {
        const { viewer } = this.state.get();
        // Somebody else signed in here: what the page still has, drafts and what may be taken back, is not theirs.
        if (viewer !== null && viewer !== userId) return location.reload();
        this.#dispatch({ type: 'signed-in', viewer: userId });
      },
      // The feed uses the same session and reports the error.
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
      lost: (error) => this.#dispatch(error === undefined ? { type: 'live', live: false } : { type: 'error', error: transientErrorOf(error) }),
      ended: (error) => this.#ended(finalErrorOf(error)),
    });
    this.#feed.start();
  }

  #ended(error: PageError): void {
    const signedOut = this.browser !== null && error === 'identity';
    if (signedOut) this.browser?.clear();
    this.#dispatch({ type: 'error', error: signedOut ? 'sign-in' : error });
  }

  async #prove(): Promise<Proof> {
    if (this.client !== null) return { openid_token: await this.#identify(this.client) };
    return this.browser?.proof() ?? Promise.reject(new ClientError('outside'));
  }

  async #identify(client: MatrixClient): Promise<OpenIdToken> {
    if (client.storage.identityDeclined) throw new ClientError('declined');
    const asking = setTimeout(() => this.#dispatch({ type: 'asking' }), ASKING);
    try {
      return await client.identify();
    } catch (error) {
      client.storage.identityDeclined = error instanceof ClientError && error.code === 'declined';
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
    // Where there is something to play, its first frame comes before anything else.
    if (this.state.get().room === null) {
      setTimeout(() => void this.#settle(), room.members.some(({ videos, morePlayable }) => morePlayable > 0 || videos.some(isPlayable)) ? REST : 0);
      room = { ...room, bookmark: restoreSituation(this.client?.wish?.situation ?? {}) ?? room.bookmark };
      this.#back.set(room.bookmark);
      this.#restore();
    }
    this.#dispatch({ type: 'room', room });
    if (room.large === null) this.#followLink(room);
    else void this.#lists.find(room, this.#back.sought).then(() => this.#followLink(this.state.get().room ?? room));
  }

  /** To the reel of the video that the page's address names. */
  #followLink(room: Room): void {
    const linked = this.#back.linkedIn(room);
    if (linked === null) return;
    this.#dispatch({ type: 'select', selected: linked.owner.userId });
    if (linked.video.spoiler) this.#veil(linked.video);
  }

  /** The viewer can say something from here on: where no client is around, what the bot does for them. */
  async #settle(): Promise<void> {
    if (this.browser !== null && this.state.get().room?.can != null) {
      const { BotMessenger } = await retryImport(() => import('../matrix/bot-messenger'));
      this.messenger = new BotMessenger(this.state, () => this.server);
    }
    this.settled.set(true);
  }

  async #loadPlayer(): Promise<void> {
    const [createPlayer, { Channel }] = await retryImport(() => {
      const code = this.code();
      return Promise.all([loadPlayer(code), code]);
    });
    if (createPlayer === null) { this.#dispatch({ type: 'error', error: 'unsupported' }); return; }
    const player = createPlayer((url) => this.#grants.renew(url), () => this.refresh(), this.autoplay);
    this.channel = new Channel(this, player);
    if (this.#time !== null) this.channel.learn(this.#time);
    this.player.set(player);
    this.#restore();
    const stop = player.playback.subscribe(() => {
      if (player.playback.get().reel === null) return;
      this.#back.arrived();
      stop();
    });
    player.playback.subscribe(() => this.#lists.follow(this.state.get().room, player.playback.get().videoId));
    this.#sync();
  }

  /** As soon as there are both a player and a bookmark. */
  #restore(): void {
    const player = this.player.get();
    if (player !== null) this.#back.applyTo(player);
  }

  /** The channel goes on without the viewer. */
  #reel(): Reel | null {
    return selectedReel(this.state.get(), (key) => (key === EVERYONE ? this.channel?.begin ?? null : this.#back.startIn(key)));
  }

  /** The player follows the selection. */
  #sync(): void {
    const { selected, wanted } = this.state.get();
    this.#feed?.setTogether(membersOf(wanted ?? selected));
    this.#lists.show(this.state.get(), this.#back.sought, () => this.#sync());
    const [player, reel] = [this.player.get(), this.#reel()];
    player?.show(reel, reel === null || reel.key === EVERYONE ? null : this.#back.takeLinked(reel.durations));
  }

  #dispatch(action: Action): void {
    this.state.set(reduce(this.state.get(), action));
  }
}
