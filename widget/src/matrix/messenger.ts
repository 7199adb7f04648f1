// How the viewer reads what is said in the room, and says something: as themselves through the Matrix client around the page, or by the bot in their name.
import { WidgetApiResponseError, type IRoomEvent } from 'matrix-widget-api';
import { ApiError } from '../api/http';
import type { Hosts } from './hosts';
import type { Permissions } from './permissions';

/** An event of the room as it is passed on to us; its content is anybody's. */
export type RoomEvent = IRoomEvent;

export interface Relations {
  readonly events: readonly RoomEvent[];
  /** Where the next page begins; null at the end. */
  readonly next: string | null;
}

export interface Messenger {
  /** The bot sends it, with the viewer's name, and fetching anew is the only way to learn what others say. */
  readonly onBehalf: boolean;
  readonly permissions: Pick<Permissions, 'granted' | 'declined' | 'asking' | 'has' | 'hadBefore' | 'ask' | 'reloads'>;
  /** Unless it is 'no', nothing is sent; the viewer may decide on 'perhaps', for one message. */
  readonly hosts: Pick<Hosts, 'several' | 'maySend' | 'anyway' | 'sawDouble' | 'sent'>;
  /**
   * Sends an event in the viewer's name and returns its id; `upload` is that of the media which it names. Rejects when it is not allowed or not
   * sent, with SeveralHosts where nothing is.
   */
  send(type: string, content: object, upload?: string): Promise<string>;
  /** True unless the viewer has to take an event of theirs back elsewhere. */
  mayRedact(eventId: string): boolean;
  /** Events that relate to another (MSC3869). Rejects where that is not known. */
  relations(eventId: string, options: { relType?: string; type?: string; from?: string; limit?: number }): Promise<Relations>;
  /** The newest events of a type that are at hand, in any order (MSC2876); perhaps none. Rejects where that is not known. */
  recent(type: string, limit: number): Promise<readonly RoomEvent[]>;
  /** Calls `listener` with each new event that may be seen; returns the way to stop it. */
  onEvent(listener: (event: RoomEvent) => void): () => void;
}

/** The client would send it several times; nothing was sent. */
export class SeveralHosts extends Error {
  override readonly name = 'SeveralHosts';
}

/** The HTTP status with which the homeserver, or our server where it sends, refused a call; null when something else was the matter. */
export function statusOf(error: unknown): number | null {
  if (error instanceof ApiError) return error.status === 0 ? null : error.status;
  return error instanceof WidgetApiResponseError ? (error.data.matrix_api_error?.http_status ?? null) : null;
}
