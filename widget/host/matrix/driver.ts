// Responds to the widget's requests. Users of the demo trust its widget: everything is granted without a prompt, unless the
// page's address refuses something or requires prompts.
import {
  OpenIDRequestState, WidgetDriver, type Capability, type IOpenIDUpdate, type IReadEventRelationsResult, type IRoomEvent, type ISendEventDetails,
  type IWidgetApiErrorResponseDataDetails, type SimpleObservable,
} from 'matrix-widget-api';
import type { Refusal } from '../settings';
import { recordOf, textOf, type MatrixEvent } from './events';
import { MatrixError } from './homeserver';
import type { Prompts, StoredDecisions } from './prompts';
import type { RoomClient } from './room-client';
import { isInThread } from './threads';

/** Largest number of events that a widget gets. */
const MOST_EVENTS = 500;

export class DemoDriver extends WidgetDriver {
  constructor(
    private readonly client: RoomClient,
    private refusal: Refusal,
    /** Null without prompts. */
    private readonly permissions: { readonly prompts: Prompts; readonly stored: StoredDecisions } | null,
  ) {
    super();
  }

  override async validateCapabilities(requested: Set<Capability>): Promise<Set<Capability>> {
    const offered = this.#offered(requested);
    if (this.permissions === null) return offered;
    const { prompts, stored } = this.permissions;
    const known = stored.read('capabilities') ?? [];
    const missing = [...offered].filter((capability) => !known.includes(capability));
    const granted = new Set([...offered].filter((capability) => known.includes(capability)));
    if (missing.length === 0) return granted;
    const { allowed, remember } = await prompts.show('capabilities', missing);
    for (const capability of allowed) granted.add(capability);
    // As Element does: what was allowed before and is not requested this time is deleted.
    if (remember) stored.write('capabilities', [...granted]);
    return granted;
  }

  /** The capabilities that the page's address does not refuse. */
  #offered(requested: Set<Capability>): Set<Capability> {
    const refused = requested.size === 0 ? [] : this.refusal.parts;
    // The next request is granted.
    if (requested.size > 0 && this.refusal.once) this.refusal = { parts: [], once: false };
    return new Set([...requested].filter((capability) => !refused.some((part) => capability.includes(part))));
  }

  override askOpenID(observer: SimpleObservable<IOpenIDUpdate>): void {
    const known = this.permissions?.stored.read('identity');
    if (this.permissions === null || (known?.length ?? 0) > 0) { this.#handOver(observer); return; }
    const { prompts, stored } = this.permissions;
    if (known !== null) { observer.update({ state: OpenIDRequestState.Blocked }); return; }
    observer.update({ state: OpenIDRequestState.PendingUserConfirmation });
    void prompts.show('identity', [this.client.account.userId]).then(({ allowed, remember }) => {
      if (remember) stored.write('identity', allowed);
      if (allowed.length > 0) this.#handOver(observer);
      else observer.update({ state: OpenIDRequestState.Blocked });
    });
  }

  #handOver(observer: SimpleObservable<IOpenIDUpdate>): void {
    this.client.account.openIdToken().then(
      (token) => observer.update({ state: OpenIDRequestState.Allowed, token }),
      (error: unknown) => {
        console.error('The homeserver returned no OpenID token:', error);
        // 'Blocked' would mean that the viewer refused; the response is an error, which the widget may retry.
        observer.update({ state: OpenIDRequestState.Allowed });
      },
    );
  }

  /** Sends as the signed-in user, into the one room of this page. */
  override async sendEvent(type: string, content: unknown, stateKey?: string | null, roomId?: string | null): Promise<ISendEventDetails> {
    this.#mustBeHere(roomId ?? this.client.roomId);
    if (typeof stateKey === 'string') throw new Error('This page sends no state for a widget.');
    return { roomId: this.client.roomId, eventId: await this.#send(type, content) };
  }

  /** As Element does: a redaction is not sent as an event but by its own request. */
  #send(type: string, content: unknown): Promise<string> {
    if (type !== 'm.room.redaction') return this.client.send(type, content);
    const { redacts, reason } = recordOf(content);
    const target = textOf(redacts);
    if (target === null) throw new Error('The redaction names no event.');
    return this.client.redact(target, textOf(reason) ?? undefined);
  }

  override async readEventRelations(
    eventId: string,
    roomId = this.client.roomId,
    relType?: string,
    type?: string,
    from?: string,
    to?: string,
    limit?: number,
    direction?: 'f' | 'b',
  ): Promise<IReadEventRelationsResult> {
    this.#mustBeHere(roomId);
    const query = { from, to, limit: limit === undefined ? undefined : String(limit), dir: direction };
    const given = Object.fromEntries(Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined));
    const { chunk, next_batch, prev_batch } = await this.client.relations(eventId, relType, type, given);
    return { chunk: chunk.map((event) => this.roomEvent(event)), ...(next_batch !== undefined && { nextBatch: next_batch }), ...(prev_batch !== undefined && { prevBatch: prev_batch }) };
  }

  override async readRoomTimeline(roomId: string, type: string, msgtype: string | undefined, _stateKey: string | undefined, limit: number): Promise<IRoomEvent[]> {
    this.#mustBeHere(roomId);
    const events = await this.client.recent(type, limit > 0 ? Math.min(limit, MOST_EVENTS) : MOST_EVENTS);
    const timeline = events.filter((event) => !isInThread(event));
    return timeline.filter(({ content }) => msgtype === undefined || content.msgtype === msgtype).map((event) => this.roomEvent(event));
  }

  /** Passes the homeserver's error to the widget. */
  override processError(error: unknown): IWidgetApiErrorResponseDataDetails | undefined {
    if (!(error instanceof MatrixError) || error.status === 0) return undefined;
    const { status, errcode, message } = error;
    return { matrix_api_error: { http_status: status, http_headers: {}, url: '', response: { errcode, error: message } } };
  }

  /** An event as the library wants it: `/sync` leaves the room out. */
  roomEvent(event: MatrixEvent): IRoomEvent {
    return { ...event, room_id: this.client.roomId, unsigned: event.unsigned ?? {} };
  }

  #mustBeHere(roomId: string): void {
    if (roomId !== this.client.roomId) throw new Error('This page has one room only.');
  }
}
