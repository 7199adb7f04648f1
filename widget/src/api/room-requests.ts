// What is fetched of a room: its overview, pages of its lists, and what is the viewer's alone.
import { fetchJson, type JsonResponse } from './http';
import type { BroughtRoom, SessionHolder } from './session';

export class RoomRequests {
  /** Whom the server puts together, `*` for everybody; nobody for an empty list. */
  together: readonly string[] = [];

  constructor(
    private readonly path: string,
    private readonly session: SessionHolder,
  ) {}

  /** The overview with what is the viewer's alone; at first as they came with the session. */
  async room(): Promise<BroughtRoom> {
    const brought = await this.session.takeRoom();
    if (brought !== null && this.together.length === 0) return brought;
    return Promise.all([this.#get('/overview', 'no-cache'), this.mine()]);
  }

  mine(): Promise<JsonResponse> {
    const query = new URLSearchParams(this.together.map((each) => ['together', each])).toString();
    return this.#get(query === '' ? '/mine' : `/mine?${query}`);
  }

  page(query: string): Promise<JsonResponse> {
    return this.#get(`/videos?${query}`, 'no-cache');
  }

  members(after: string): Promise<JsonResponse> {
    return this.#get(`/members?after=${encodeURIComponent(after)}`, 'no-cache');
  }

  async userId(): Promise<string> {
    return (await this.session.get()).userId;
  }

  /** `no-cache`: the browser asks whether what it has is still so, by its ETag. */
  #get(rest: string, cache: RequestCache = 'no-store'): Promise<JsonResponse> {
    return this.session.authorized((headers) => fetchJson(this.path + rest, { headers, cache }));
  }
}
