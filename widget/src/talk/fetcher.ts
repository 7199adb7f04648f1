// Fetches what is said about a video, as far as the viewer may see it.
import { isMarkOf } from '../core/talk/events';
import type { Messenger, RoomEvent } from '../matrix/messenger';
import { MOST_LOOSE } from './cache';

const REPLIES_PAGE = 50;
const REACTIONS_PAGE = 200;
const REACTIONS_PAGES = 5;

export class TalkFetcher {
  constructor(
    private readonly messenger: Messenger,
    private readonly bot: () => string | null,
  ) {}

  /** A page of the video's thread, the newest one first. Rejects as Messenger does. */
  async replies(eventId: string, from?: string): Promise<{ events: readonly RoomEvent[]; next: string | null }> {
    if (!this.messenger.permissions.has('seeMessages')) return { events: [], next: null };
    return this.messenger.relations(eventId, { relType: 'm.thread', type: 'm.room.message', limit: REPLIES_PAGE, ...(from !== undefined && { from }) });
  }

  async reactions(eventId: string): Promise<readonly RoomEvent[]> {
    const events: RoomEvent[] = [];
    let from: string | null = null;
    for (let page = 0; page < REACTIONS_PAGES && this.messenger.permissions.has('seeReactions'); page += 1) {
      const query = { relType: 'm.annotation', type: 'm.reaction', limit: REACTIONS_PAGE, ...(from !== null && { from }) };
      const found = await this.messenger.relations(eventId, query);
      events.push(...found.events.filter((event) => !this.isMark(event)));
      from = found.next;
      if (from === null) break;
    }
    return events;
  }

  /** Plain replies are in no list of relations: the newest messages that the client has at hand are some of them. Never rejects. */
  async recent(): Promise<readonly RoomEvent[]> {
    return this.messenger.permissions.has('seeMessages') ? this.messenger.recent('m.room.message', MOST_LOOSE).catch(() => []) : [];
  }

  /** A reaction by which the bot says how far it is with a video. */
  isMark(event: unknown): boolean {
    const bot = this.bot();
    return bot !== null && isMarkOf(event, bot);
  }
}
